"""Settings → Data: where events come from, every import, and a file to import now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from dash import dcc, html

from components import ids
from components.settings.cards import Columns, Row, button, card, pair, table
from data.ingest.import_log import Import
from data.ingest.sources import Detail, Source
from data.query.units import COUNT, DASH, moment
from data.repricing.unpriced import Unpriced

SOURCES: Final[Columns] = (
    ("name", "Source"), ("events", "Events"), ("last_event", "Last event"),
    ("last_import", "Last import"), ("duplicates", "Duplicates dropped"),
    ("rejected", "Rejected"), ("unpriced", "Unpriced tokens"),
)  # fmt: skip
IMPORTS: Final[Columns] = (
    ("last", "When"), ("way", "Way"), ("who", "By"), ("what", "What"), ("format", "Format"),
    ("read", "Read"), ("accepted", "New"), ("duplicates", "Duplicates"),
    ("rejected", "Rejected"), ("unpriced", "Unpriced"),
)  # fmt: skip
WAYS: Final = {"command": "command line", "upload": "upload", "live": "received live"}
EMPTY: Final = {
    "sources": "No events are stored yet.",
    "imports": "Nothing was imported since this log is kept.",
}
LIMITS: Final = "Up to 1 GB, also as gzip; spendscope import takes larger ones."


def page(formats: Mapping[str, str]) -> html.Div:
    """The page, empty; `formats` are the names of all formats with their labels."""
    told = json.dumps(list(formats.items()))
    upload = html.Div(id=ids.house("upload"), **{"data-formats": told},
                      **{"data-reload": ids.house("reload")})  # fmt: skip
    prices = html.P(
        dcc.Link("Models without a price", href="/settings/prices", className="link"),
        className="help", **ids.testid("data-unpriced"),
    )  # fmt: skip
    detail, of_source = (_detail_box(name) for name in ("import-detail", "source-detail"))
    return html.Div(
        [
            card("upload", "Import a file", LIMITS, [], [upload], "ready"),
            card("sources", "Sources", "Choose one to read which models lack a price, and what"
                 " was rejected last.", [button("reload", "Refresh")],
                 [*table("sources", SOURCES), of_source, prices]),
            card("imports", "Imports", "Choose one to read what was rejected and why.", [],
                 [*table("imports", IMPORTS), detail]),
        ],
        className="budgets-page settings-page", **ids.testid("data"),
    )  # fmt: skip


def _detail_box(name: str) -> html.P:
    return html.P(id=ids.house(name), className="import-detail", role="status", **ids.testid(name))


def source_row(one: Source, zone: str) -> Row:
    """A source as its row reads."""
    counts = ("events", "duplicates", "rejected", "unpriced")
    return {
        **pair("name", one.name, one.name),
        **{k: v for n in counts for k, v in pair(n, getattr(one, n), _count(one, n)).items()},
        **pair("last_event", one.last_event, _moment(one.last_event, zone)),
        **pair("last_import", one.last_import, _moment(one.last_import, zone)),
    }


def import_row(one: Import, zone: str) -> Row:
    """An import as its row reads; `detail` is what its choice shows."""
    counts = ("read", "accepted", "duplicates", "rejected", "unpriced")
    words = {"who": one.who, "what": one.what or DASH, "format": one.format or DASH}
    return {
        "id": one.id, **pair("last", one.last, _moment(one.last, zone)),
        **pair("way", one.way, WAYS[one.way]), "detail": _detail(one),
        **{k: v for n, word in words.items() for k, v in pair(n, word, word).items()},
        **{k: v for n in counts for k, v in pair(n, getattr(one, n), _count(one, n)).items()},
    }  # fmt: skip


def source_detail(name: str, one: Detail) -> str:
    """What the choice of a source shows."""
    lines = [_unpriced(each) for each in one.unpriced]
    if one.models > len(lines):
        lines.append(f"… and {one.models - len(lines):,} more models")
    head = [f"{name}: {'without a price are' if lines else 'every call with tokens has a price.'}"]
    rejected = [f"{where}: {reason}" for where, reason in one.rejections]
    why = ["Rejected last:", *rejected] if rejected else ["No rejection is on record."]
    return "\n".join([*head, *lines, *why])


def _unpriced(one: Unpriced) -> str:
    named = " / ".join(part for part in (one.provider, one.model) if part) or "(no model named)"
    calls = "1 call" if one.requests == 1 else f"{COUNT.text(one.requests)} calls"
    return f"  {named}: {one.tokens:,} tokens in {calls}"


def _detail(one: Import) -> str:
    lines = [f"{where}: {reason}" for where, reason in one.rejections]
    if one.rejected > len(lines):
        lines.append(f"… and {one.rejected - len(lines):,} more")
    lines += [f"{note} ({times:,} ×)" for note, times in one.notes.items()]
    return "\n".join(lines) or "Nothing was rejected, and nothing is to be noted."


def _count(one: Any, name: str) -> str:
    return COUNT.text(getattr(one, name))


def _moment(us: int | None, zone: str) -> str:
    return DASH if us is None else moment(us, zone)
