"""Settings → Ingest: the keys, made and revoked; over HTTP, too. A secret is said once."""

from __future__ import annotations

from typing import Any, Final

from callbacks.settings.resource import Found, Page, Resource, Route
from components.settings.keys import CARD, how_to_send
from data.ingest.keys import Key, add, list_keys, require_platform_reader, revoke
from data.local_time import iso


def key_as_dict(key: Key) -> dict[str, Any]:
    """A key as JSON: instants ISO 8601 UTC; its secret is not among what is known of it."""
    return {
        "id": key.id, "name": key.name, "shown": f"{key.shown}…", "source": key.source,
        "project": key.project, "user": key.user, "created": _iso(key.created),
        "created_by": key.created_by, "revoked": _iso(key.revoked), "used": _iso(key.used),
    }  # fmt: skip


def _iso(us: int | None) -> str | None:
    return None if us is None else iso(us)


KEYS: Final[Resource[Key]] = Resource(
    CARD,
    allow=require_platform_reader,
    read=lambda context: Found(list_keys(context.state, context.scope)),
    create=lambda context, values: add(context.state, context.actor, values),
    secret=lambda made: str(made[1]),
    remove=lambda context, number: revoke(context.state, context.actor, number),
    route=Route(
        "/api/v1/ingest-keys",
        "keys",
        key_as_dict,
        made=lambda made: key_as_dict(made[0]) | {"key": made[1]},
    ),
)
PAGE: Final = Page("ingest", "Ingest", (KEYS,), after=lambda _: [how_to_send()])
