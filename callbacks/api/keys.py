"""The ingest keys over HTTP, for platform administrators; a new key's secret is said once."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from callbacks.access.session import current_person, current_scope
from callbacks.api.parameters import only
from data.errors import Refused
from data.ingest.keys import Key, add, listed, revoke
from data.local_time import instant
from data.settings import Settings
from data.state.audit import Actor
from data.state.store import State

LARGEST_BODY: Final = 16 * 1024
PATH: Final = "/api/v1/ingest-keys"


def attach(server: Flask, settings: Settings, state: State) -> None:
    """Route them on a server."""

    def hand() -> Actor:
        person = current_person()
        return Actor(person.scope, person.name, settings.now())

    @server.get(PATH)
    def ingest_keys() -> Response:
        only(())
        return jsonify(keys=[key_as_dict(one) for one in listed(state, current_scope())])

    @server.post(PATH)
    def make_key() -> tuple[Response, int]:
        made, secret = add(state, hand(), _body())
        return jsonify(key_as_dict(made) | {"key": secret}), 201

    @server.delete(f"{PATH}/<int:number>")
    def revoke_key(number: int) -> Response:
        return jsonify(key_as_dict(revoke(state, hand(), number)))


def key_as_dict(key: Key) -> dict[str, Any]:
    """A key as JSON: instants ISO 8601 UTC; its secret is not among what is known of it."""
    return {
        "id": key.id, "name": key.name, "shown": f"{key.shown}…", "source": key.source,
        "project": key.project, "created": _iso(key.created), "created_by": key.created_by,
        "revoked": _iso(key.revoked), "used": _iso(key.used),
    }  # fmt: skip


def _iso(us: int | None) -> str | None:
    return None if us is None else instant(us).isoformat()


def _body() -> dict[str, Any]:
    request.max_content_length = LARGEST_BODY
    try:
        told = request.get_json(force=True, silent=True)
    except RequestEntityTooLarge:
        raise Refused("body", f"a key takes at most {LARGEST_BODY // 1024} KB") from None
    if not isinstance(told, dict):
        raise Refused("body", "send an object with name, source and, if wanted, project")
    return told
