"""Settings → Data: where events come from, every import, and a file to import now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from dash import html

from components import ids
from components.settings.draw import plain
from components.settings.resource import Button, Card, Column
from components.wiring import Link
from data.ingest.import_log import Import
from data.ingest.sources import Detail
from data.query.units import COUNT, INSTANT
from data.repricing.unpriced import Unpriced

RELOAD: Final = "reload"
LIMITS: Final = "Up to 1 GB, also as gzip or Zstandard; spendscope import takes larger ones."
WAYS: Final = {"command": "command line", "upload": "upload", "live": "received live"}


def _unpriced_link() -> list[Any]:
    link = Link("Models without a price", href="/settings/prices", className="link")
    return [html.P(link, className="help", **ids.testid("data-unpriced"))]


SOURCES: Final = Card(
    "sources", "source", "Sources",
    "Choose one to read which models lack a price, and what was rejected last.",
    columns=(
        Column("name", "Source", 150), Column("events", "Events", unit=COUNT),
        Column("last_event", "Last event", 170, unit=INSTANT),
        Column("last_import", "Last import", 170, unit=INSTANT),
        Column("duplicates", "Duplicates dropped", unit=COUNT),
        Column("rejected", "Rejected", unit=COUNT),
        Column("unpriced", "Unpriced tokens", unit=COUNT),
    ),
    empty="No events are stored yet.",
    buttons=(Button(RELOAD, "Refresh"),),
    below=_unpriced_link,
)  # fmt: skip
IMPORTS: Final = Card(
    "imports", "import", "Imports",
    "Choose one to read what was rejected and why, and what nobody reads.",
    columns=(
        Column("last", "When", 170, unit=INSTANT),
        Column("way", "Way", 130, of=lambda one: WAYS[one.way]), Column("who", "By", 130),
        Column("what", "What", 180), Column("format", "Format"),
        Column("read", "Read", unit=COUNT), Column("accepted", "New", unit=COUNT),
        Column("duplicates", "Duplicates", unit=COUNT),
        Column("rejected", "Rejected", unit=COUNT), Column("unpriced", "Unpriced", unit=COUNT),
    ),
    empty="Nothing was imported since this log is kept.",
)  # fmt: skip


def upload(formats: Mapping[str, str]) -> html.Section:
    """The card above them, which assets/upload.js fills; `formats` are all, with their labels."""
    reload = ids.dom(ids.resource_button(RELOAD, SOURCES.key))
    box = html.Div(**{"data-formats": json.dumps(list(formats.items())), "data-reload": reload})
    return plain("upload", "Import a file", LIMITS, [box])


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
    why = f": {one.reason}" if one.reason else ""
    return f"  {named}: {one.tokens:,} tokens in {calls}{why}"


def import_detail(one: Import) -> str:
    """What the choice of an import shows."""
    lines = [f"{where}: {reason}" for where, reason in one.rejections]
    if one.rejected > len(lines):
        lines.append(f"… and {one.rejected - len(lines):,} more")
    lines += [f"{note} ({times:,} ×)" for note, times in one.notes.items()]
    return "\n".join(lines) or "Nothing was rejected, and nothing is to be noted."
