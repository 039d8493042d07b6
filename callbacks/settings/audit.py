"""Settings → Audit: every change, read page by page; over HTTP, too."""

from __future__ import annotations

from typing import Any, Final

from callbacks.settings.resource import Context, Found, Page, Resource, Route
from components.settings.audit import CARD
from data.local_time import iso
from data.state.audit import Entry, count, entries, require_audit_reader


def entry_as_dict(one: Entry) -> dict[str, Any]:
    """An entry as JSON."""
    return {
        "id": one.id, "at": iso(one.at), "who": one.who, "name": one.name,
        "action": one.action, "thing": one.thing, "before": one.before, "after": one.after,
    }  # fmt: skip


def _read(context: Context) -> Found[Entry]:
    found = entries(context.state, context.scope, context.limit or CARD.page_size, context.offset)
    return Found(found, count(context.state, context.scope))


AUDIT: Final[Resource[Entry]] = Resource(
    CARD,
    allow=require_audit_reader,
    read=_read,
    route=Route(
        "/api/v1/audit",
        "entries",
        entry_as_dict,
        page={"limit": (50, 1, 500), "offset": (0, 0, 10**9)},
    ),
)
PAGE: Final = Page("audit", "Audit", (AUDIT,))
