"""What has come in by a new way, for who waits for its first event (Settings → Data → Connect).

GET /api/v1/connections/<name>              the way, and the newest import: those after it are meant
GET /api/v1/connections/<name>?after=N      what came in since, by an import or a server's own sync
GET /api/v1/connections/<name>?key=N        what the ingest key of this number has brought
"""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, jsonify, request

from callbacks.access.session import current_scope
from callbacks.api.parameters import only, whole
from callbacks.stores import Stores
from components.settings.connect import heard
from components.settings.connections import Connection, connection
from data.ingest.arrivals import Arrival, arrived_since, arrived_with_key, latest_import
from data.ingest.import_log import require_platform_reader

MOST: Final = 10**9


def attach(server: Flask, stores: Stores) -> None:
    """Route it on a server."""

    @server.get("/api/v1/connections/<name>")
    def arrivals(name: str) -> Response:
        only(("key", "after"))
        require_platform_reader(current_scope())
        return jsonify(_heard(connection(name), stores))


def _heard(one: Connection, stores: Stores) -> dict[str, object]:
    stores.tally.flush()
    scope = current_scope()
    latest = latest_import(stores.state, scope)
    after = whole("after", latest, 0, MOST)
    return heard(_arrived(one, stores, after)) | {"after": after}


def _arrived(one: Connection, stores: Stores, after: int) -> Arrival | None:
    scope, state, store = current_scope(), stores.state, stores.store
    if one.sends and "key" in request.args:
        return arrived_with_key(state, scope, store, whole("key", 0, 0, MOST))
    return arrived_since(state, scope, store, after, one.formats, one.sender)
