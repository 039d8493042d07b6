"""The addresses of settings resources with a `Route`: list, one, create, change, remove.

They are declared in `callbacks/settings/`; rights, sentences and audit entries are the page's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Flask, Response, jsonify, request

from callbacks.api.parameters import json_object, only, whole
from callbacks.settings.resource import Context, Page, Resource, Route, Stores, context

Answer = Response | tuple[Response | str, int]
View = Callable[..., Answer]


def attach(server: Flask, stores: Stores, pages: tuple[Page, ...]) -> None:
    """Route all of them on a server."""
    for page in pages:
        for resource in page.resources:
            if resource.route:
                _attach(server, stores, resource, resource.route)


def _attach(server: Flask, stores: Stores, resource: Resource[Any], route: Route[Any]) -> None:
    one = route.path if route.by else f"{route.path}/<int:number>"

    def rule(path: str, method: str, view: View, *known: str) -> None:
        def answer(number: Any = None) -> Answer:
            only((*known, route.by) if route.by and method in ("DELETE", route.change) else known)
            asking = context(stores)
            resource.allow(asking.scope)
            return view(asking, request.args.get(route.by, "") if route.by else number)

        server.add_url_rule(path, f"{method} {path}", answer, methods=[method])

    rule(route.path, "GET", lambda asking, _: _list(resource, route, asking), *route.page)
    if one_of := resource.one:
        rule(one, "GET", lambda asking, number: jsonify(route.as_dict(one_of(asking, number))))
    if create := resource.create:
        made = route.made or route.as_dict
        rule(route.path, "POST",
             lambda asking, _: (jsonify(made(create(asking, _body(route)))), 201))  # fmt: skip
    if change := resource.change:
        rule(one, route.change, lambda asking, number: jsonify(
            route.as_dict(change(asking, number, _body(route)))))  # fmt: skip
    if remove := resource.remove:
        rule(one, "DELETE", lambda asking, number: _gone(route, remove(asking, number)))


def _list(resource: Resource[Any], route: Route[Any], asking: Context) -> Answer:
    page: dict[str, Any] = {name: whole(name, *bounds) for name, bounds in route.page.items()}
    found = resource.read(replace(asking, **page))
    told: dict[str, Any] = {route.name: [route.as_dict(one) for one in found.records]}
    told |= {} if found.count is None else {"row_count": found.count}
    return jsonify(told | (route.more(asking) if route.more else {}))


def _gone(route: Route[Any], removed: Any) -> Answer:
    """What is left of a record that was removed, where something is."""
    return ("", 204) if removed is None else jsonify(route.as_dict(removed))


def _body(route: Route[Any]) -> dict[str, Any]:
    return json_object(route.largest, route.too_large, route.body, route.broken)
