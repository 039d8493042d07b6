"""Settings → Audit: every change and every visit, read page by page; over HTTP, too, and all of it
as a file. A visitor of the demo does not see from where others came."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from callbacks.access.session import current_person
from callbacks.settings.resource import Context, File, Found, Page, Resource, Route
from components.settings.audit import CARD
from data.errors import Refused
from data.local_time import iso
from data.state.audit import (
    GROUPS,
    Entry,
    count,
    entries,
    every_entry,
    require_audit_reader,
)

ALL: Final = "all"
PATH: Final = "/api/v1/audit"
COLUMNS: Final = ("id", "at", "who", "name", "action", "thing", "before", "after", "address",
                  "request")  # fmt: skip


def entry_as_dict(one: Entry) -> dict[str, Any]:
    """An entry as JSON."""
    return {
        "id": one.id, "at": iso(one.at), "who": one.who, "name": one.name,
        "action": one.action, "thing": one.thing, "before": one.before, "after": one.after,
        "address": one.address, "request": one.request,
    }  # fmt: skip


def _read(context: Context) -> Found[Entry]:
    group, limit = _group(context), context.limit or CARD.page_size
    found = entries(context.state, context.scope, limit, context.offset, group)
    return Found([_shown(one) for one in found], count(context.state, context.scope, group))


def _group(context: Context) -> str:
    chosen = context.search.get("show", ALL)
    if chosen not in (ALL, *GROUPS):
        raise Refused("show", f"show is {ALL} or one of {', '.join(GROUPS)}")
    return "" if chosen == ALL else chosen


def _shown(one: Entry) -> Entry:
    return replace(one, address=None, request=None) if current_person().is_demo else one


def _lines(context: Context, _: Sequence[Entry]) -> Iterator[dict[str, Any]]:
    every = every_entry(context.state, context.scope, _group(context))
    return (entry_as_dict(_shown(one)) for one in every)


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


AUDIT: Final[Resource[Entry]] = Resource(
    CARD,
    allow=require_audit_reader,
    read=_read,
    route=Route(
        PATH,
        "entries",
        entry_as_dict,
        page={"limit": (50, 1, 500), "offset": (0, 0, 10**9)},
    ),
    file=File(f"{PATH}.csv", COLUMNS, _lines, json=f"{PATH}.json", cell=_cell),
)
PAGE: Final = Page("audit", "Audit", (AUDIT,))
