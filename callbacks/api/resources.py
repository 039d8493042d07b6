"""The addresses of settings resources with a `Route` or a `File`: list, one, create, change,
remove, what else is posted, and all rows as CSV or JSON.

They are declared in `callbacks/settings/`; rights, sentences and audit entries are the page's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

from flask import Flask, Response, jsonify, request

from callbacks.api.listing import csv_file, json_file
from callbacks.api.parameters import json_object, only, whole
from callbacks.settings.resource import (
    Context,
    File,
    Page,
    Post,
    Resource,
    Route,
    current_context,
)
from callbacks.stores import Stores

Answer = Response | tuple[Response | str, int]


class Rule(NamedTuple):
    """An address: its method, what it answers, and its parameters (None: they mean nothing)."""

    path: str
    method: str
    view: Callable[[Context, Any], Answer]
    parameters: tuple[str, ...] | None = ()


def attach(server: Flask, stores: Stores, pages: tuple[Page, ...]) -> None:
    """Route all of them on a server."""
    for resource in (one for page in pages for one in page.resources):
        if resource.route:
            rules = chain(_of_all(resource, resource.route), _of_one(resource, resource.route))
            for rule in rules:
                _attach(server, stores, resource, rule)
        if resource.file:
            _attach_file(server, stores, resource, resource.file)


def _attach(server: Flask, stores: Stores, resource: Resource[Any], rule: Rule) -> None:
    by = resource.card.by

    def answer(number: Any = None) -> Answer:
        if rule.parameters is not None:
            only(rule.parameters)
        context = current_context(stores)
        resource.allow(context.scope)
        if rule.method != "GET":
            resource.require_changes(context.scope)
        return rule.view(context, request.args.get(by, "") if by else number)

    server.add_url_rule(rule.path, f"{rule.method} {rule.path}", answer, methods=[rule.method])


def _of_all(resource: Resource[Any], route: Route[Any]) -> Iterator[Rule]:
    """List, create, and what else is posted."""
    parameters = (*route.page, *(one.name for one in resource.card.search))
    if not resource.card.single:
        yield Rule(
            route.path, "GET", lambda context, _: _list(resource, route, context), parameters
        )
    if create := resource.create:
        made = route.made or route.as_dict
        yield Rule(route.path, "POST", lambda context, _: (
            jsonify(made(create(context, _body(resource)))), 201))  # fmt: skip
    for name, post in route.posts.items():
        yield Rule(f"{route.path}/{name}", "POST", partial(_post, resource, post))


def _of_one(resource: Resource[Any], route: Route[Any]) -> Iterator[Rule]:
    """Read, change and remove a record."""
    card, as_dict = resource.card, route.as_dict
    by = None if card.single else (card.by,) if card.by else ()
    path = f"{route.path}/<int:number>" if by == () else route.path
    if one := resource.one:
        yield Rule(path, "GET", lambda context, number: jsonify(as_dict(one(context, number))), by)
    if change := resource.change:
        yield Rule(path, route.change, lambda context, number: jsonify(
            as_dict(change(context, number, _body(resource)))), by)  # fmt: skip
    if remove := resource.remove:
        yield Rule(path, "DELETE", lambda context, number: _left(
            remove(context, number), as_dict), by)  # fmt: skip


def _post(resource: Resource[Any], post: Post, context: Context, _: Any) -> Answer:
    return _left(post(context, _body(resource)))


def _body(resource: Resource[Any]) -> Any:
    own = resource.route and resource.route.body
    return own() if own else json_object(resource.card.a_record)


def _search(resource: Resource[Any]) -> dict[str, str]:
    """What this request narrows the table by."""
    return {one.name: request.args.get(one.name, one.initial) for one in resource.card.search}


def _list(resource: Resource[Any], route: Route[Any], context: Context) -> Answer:
    page: dict[str, Any] = {name: whole(name, *bounds) for name, bounds in route.page.items()}
    context = replace(context, search=_search(resource), **page)
    found = resource.read(context)
    listed: dict[str, Any] = {route.name: [route.as_dict(one) for one in found.records]}
    listed |= {} if found.count is None else {"row_count": found.count}
    return jsonify(listed | found.more())


def _left(record: Any, as_dict: Callable[[Any], Any] = dict) -> Answer:
    """What is left to be said of what was done, if something is."""
    return ("", 204) if record is None else jsonify(as_dict(record))


# --- all rows as a file


def _attach_file(server: Flask, stores: Stores, resource: Resource[Any], file: File[Any]) -> None:
    def lines() -> Iterable[dict[str, Any]]:
        only(tuple(one.name for one in resource.card.search))
        context = current_context(stores, search=_search(resource))
        resource.allow(context.scope)
        return file.lines(context, resource.read(context).records)

    def download() -> Response:
        cells = ((file.cell(line[name]) for name in file.columns) for line in lines())
        return csv_file(resource.key, file.columns, cells)

    server.add_url_rule(file.path, file.path, download)
    if file.json:
        server.add_url_rule(file.json, file.json, lambda: json_file(resource.key, lines()))
