"""How fresh the data are: of each source that the reader sees, its last event; when LiteLLM's
database was last read, for who sees everything."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, Response, jsonify

from callbacks.access.session import current_scope
from callbacks.api.parameters import only
from callbacks.commands.litellm_sync import LiteLLMSync
from callbacks.stores import Stores
from data.access.scope import Scope
from data.local_time import iso
from data.query.options import last_events

EXTENSION: Final = "litellm-sync"
MICROSECONDS: Final = 1_000_000


def attach(server: Flask, stores: Stores) -> None:
    """Route it on a server."""

    @server.get("/api/v1/freshness")
    def freshness() -> Response:
        only(())
        scope = current_scope()
        last = last_events(scope, stores.store)
        return jsonify(
            now=iso(stores.settings.now()),
            sources=[{"source": name, "last_event": iso(at)} for name, at in last.items()],
            litellm_sync=_sync(server, scope),
        )


def watch_sync(server: Flask, sync: LiteLLMSync | None) -> None:
    """Tell how far what follows LiteLLM's database is, where one is followed."""
    server.extensions[EXTENSION] = sync


def _sync(server: Flask, scope: Scope) -> dict[str, Any] | None:
    sync: LiteLLMSync | None = server.extensions.get(EXTENSION)
    if sync is None or not scope.everything:
        return None
    read = iso(int(sync.last_success * MICROSECONDS)) if sync.last_success else None
    return {"last_success": read, "failures": sync.failures}
