"""An alias as it is kept: whose it is, who said so and when. `draft` is the door: what leaves it
fits the table, and names the field that does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from data.access.people import Alias
from data.errors import Refused
from data.events.table import LONGEST_TEXT
from data.state.accounts import RESERVED

FIELDS: Final = ("alias", "person", "name")


class StoredAlias(NamedTuple):
    """A row of `ALIASES`; `at` is µs UTC."""

    id: str
    person: str
    name: str | None
    who: str
    at: int

    def as_dict(self) -> dict[str, Any]:
        """What the audit trail says of it."""
        return {"alias": self.id, "person": self.person, "name": self.name}


def draft(raw: Mapping[str, Any]) -> Alias:
    """What somebody wants to be an alias of whom; raises `Refused` naming what is wrong."""
    for name in raw:
        if name not in FIELDS:
            raise Refused(str(name)[:40], f"an alias has {', '.join(FIELDS)}, no other field")
    alias, person = named("alias", raw.get("alias")), named("person", raw.get("person"))
    return Alias(alias, person, _text("name", raw.get("name")))


def named(field: str, value: Any) -> str:
    """An id that a row or a claim can carry."""
    text = _text(field, value)
    if text is None:
        raise Refused(field, f"the {field} is missing: name an id as events or tokens carry it")
    if text.lower() in RESERVED:
        raise Refused(field, f"{text} is a word of the filters and nobody's id")
    return text


def _text(field: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise Refused(field, f"the {field} is not text")
    text = (value or "").strip()
    if len(text) > LONGEST_TEXT:
        raise Refused(field, f"the {field} is longer than {LONGEST_TEXT:,} characters")
    if "\x00" in text or text.encode(errors="ignore").decode() != text:
        raise Refused(field, f"the {field} holds a character that cannot be stored")
    return text or None
