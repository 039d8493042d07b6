"""The audit trail as a page: one row a change, newest first."""

from __future__ import annotations

from typing import Any, Final

from components.settings.resource import Card, Column
from data.query.units import DASH, ZONED_INSTANT
from data.state.audit import Entry

ACTIONS: Final = {"create": "created", "edit": "edited", "delete": "deleted"}


def who(one: Entry) -> str:
    """Whoever made the change, with the id where that is not the name."""
    return one.name if one.name == one.who else f"{one.name} ({one.who})"


def changes(one: Entry) -> str:
    """What was changed, field by field."""
    return " · ".join(f"{name}: {_change(one, old, new)}" for name, old, new in one.changes())


def _change(entry: Entry, old: Any, new: Any) -> str:
    if entry.before is None or entry.after is None:
        return _value(new if entry.before is None else old)
    return f"{_value(old)} → {_value(new)}"


def _value(value: Any) -> str:
    if value is None or value == "":
        return DASH
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


CARD: Final = Card(
    "audit", "entry", "Every change", "",
    columns=(
        Column("at", "When", 264, 3, ZONED_INSTANT), Column("who", "Who", 90, 2, of=who),
        Column("action", "Action", 90, of=lambda one: ACTIONS[one.action]),
        Column("thing", "To", 160),
        Column("changes", "What it was and is", 360, 6, of=changes,
               more={"wrapText": True, "autoHeight": True}),
    ),
    empty="Nothing has been changed yet.",
    page_size=25,
)  # fmt: skip
