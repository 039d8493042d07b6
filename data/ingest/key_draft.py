"""What an ingest key is described by: its name, its source, perhaps its project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from data.errors import Refused
from data.events.table import LONGEST_TEXT

LONGEST_NAME: Final = 100
FIELDS: Final = ("name", "source", "project")
SAMPLE: Final = "sample"
SAMPLED: Final = "the source 'sample' is the sample organisation's"


def draft(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Name, source and project as described; raises `Refused` naming the field that is wrong."""
    for name in raw:
        if name not in FIELDS:
            raise Refused(str(name)[:40], f"an ingest key has {', '.join(FIELDS)}, no other field")
    row = {name: _text(name, raw.get(name)) for name in FIELDS}
    if row["name"] is None:
        raise Refused("name", "give the key a name, to know whose it is")
    if row["source"] is None:
        raise Refused("source", "name the source that everything this key brings is from")
    if row["source"] == SAMPLE:
        raise Refused("source", SAMPLED)
    return row


def _text(name: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise Refused(name, f"{name} is not text")
    text, most = (value or "").strip(), LONGEST_NAME if name == "name" else LONGEST_TEXT
    if len(text) > most or not text.isprintable():
        raise Refused(name, f"{name} has at most {most:,} characters, none of them a control one")
    return text or None
