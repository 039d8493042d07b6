"""The audit trail as a page: one row a change or a visit, newest first."""

from __future__ import annotations

from typing import Any, Final

from components.settings.resource import Card, Column, Field
from data.query.units import DASH, ZONED_INSTANT
from data.state.audit import Entry

ACTIONS: Final = {
    "create": "created", "edit": "edited", "delete": "deleted", "sign-in": "signed in",
    "sign-in-failed": "failed to sign in", "lock-out": "locked out", "sign-out": "signed out",
    "session-end": "ended", "export": "exported", "view-as": "began to view as",
    "view-as-end": "ended viewing as",
}  # fmt: skip
SHOW: Final = {
    "all": "Everything", "changes": "Changes", "sign-ins": "Sign-ins", "exports": "Exports",
    "viewings": "Viewed as",
}  # fmt: skip

WHOLE: Final = {"wrapText": True, "autoHeight": True}


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
    "audit", "entry", "Every change, sign-in and export", "",
    columns=(
        Column("at", "When", 160, 2, ZONED_INSTANT, more=WHOLE),
        Column("who", "Who", 130, 2, of=who, more=WHOLE),
        Column("action", "Action", 120, of=lambda one: ACTIONS[one.action], more=WHOLE),
        Column("thing", "To", 140, more=WHOLE),
        Column("changes", "What it was and is", 300, 6, of=changes, more=WHOLE),
        Column("address", "From", 110), Column("request", "Request", 140),
    ),
    empty="Nothing has happened yet.",
    page_size=25,
    file=True, json=True,
    search=(Field("show", "Show", "choice", options=SHOW, initial="all"),),
)  # fmt: skip
