"""The audit trail as a page: one row a change, newest first."""

from __future__ import annotations

from typing import Any, Final

from components.settings.resource import Card, Column, Row
from data.query.units import DASH, moment
from data.state.audit import Entry

DONE: Final = {"create": "created", "edit": "edited", "delete": "deleted"}
CARD: Final = Card(
    "audit", "entry", "Every change", "",
    columns=(
        Column("at", "When", 210, 3, tip=""), Column("who", "Who", 90, 2, tip=""),
        Column("action", "Action", 90, tip=""), Column("thing", "To", 160, tip=""),
        Column("changes", "What it was and is", 360, 6, tip="", wraps=True),
    ),
    empty="Nothing has been changed yet.",
    page_size=25,
)  # fmt: skip


def row(entry: Entry, zone: str) -> Row:
    """An entry as its row reads."""
    changes = [f"{name}: {_change(entry, old, new)}" for name, old, new in entry.changes()]
    who = entry.name if entry.name == entry.who else f"{entry.name} ({entry.who})"
    return {
        "id": entry.id, "at": f"{moment(entry.at, zone)} {zone}", "who": who,
        "action": DONE[entry.action], "thing": entry.thing, "changes": " · ".join(changes),
    }  # fmt: skip


def _change(entry: Entry, old: Any, new: Any) -> str:
    if entry.before is None or entry.after is None:
        return _value(new if entry.before is None else old)
    return f"{_value(old)} → {_value(new)}"


def _value(value: Any) -> str:
    if value is None or value == "":
        return DASH
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
