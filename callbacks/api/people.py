"""Who is whom, for scripts of platform administrators: same rights and sentences as the page."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, Response, jsonify, request

from callbacks.access.session import current_actor, current_scope
from callbacks.api.parameters import json_object, only
from data.engines.protocol import EventStore
from data.local_time import instant
from data.people.aliases import add, dismiss, listed, remove
from data.people.hints import seen, suggestions
from data.people.table import Kept
from data.settings import Settings
from data.state.audit import Actor
from data.state.store import State

LARGEST_BODY: Final = 16 * 1024
NO_ALIAS: Final = "send an object with alias and person"
PATH: Final = "/api/v1/aliases"


def attach(server: Flask, settings: Settings, state: State, store: EventStore) -> None:
    """Route them on a server."""
    _reading(server, state, store)

    def hand() -> Actor:
        return current_actor(settings)

    @server.post(PATH)
    def make_alias() -> tuple[Response, int]:
        only(())
        return jsonify(_said(add(state, hand(), _body(), store))), 201

    @server.delete(PATH)
    def remove_alias() -> tuple[str, int]:
        only(("alias",))
        remove(state, hand(), request.args.get("alias", ""))
        return "", 204

    @server.post(f"{PATH}/dismissed")
    def dismiss_alias() -> tuple[str, int]:
        only(())
        dismiss(state, hand(), _body())
        return "", 204


def _reading(server: Flask, state: State, store: EventStore) -> None:
    @server.get(PATH)
    def aliases() -> Response:
        only(())
        scope = current_scope()
        held = listed(state, scope)
        events = {one.id: one.events for one in seen(scope, store).values()}
        return jsonify(aliases=[_said(one) | {"events": events.get(one.id, 0)} for one in held])

    @server.get(f"{PATH}/suggestions")
    def suggested() -> Response:
        only(())
        hints = suggestions(state, current_scope(), store)
        return jsonify(suggestions=[one._asdict() for one in hints])


def _said(one: Kept) -> dict[str, Any]:
    return one.as_dict() | {"who": one.who, "at": instant(one.at).isoformat()}


def _body() -> dict[str, Any]:
    return json_object(LARGEST_BODY, "an alias takes at most 16 KB", NO_ALIAS)
