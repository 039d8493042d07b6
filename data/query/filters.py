"""What a reader asks to see: parsed once at the door, trusted inside.

The same names everywhere: query string of the page, query string of the API, shared store.
Filters only narrow; whose rows there are to narrow is `data/access/scope.py`'s matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import sqlalchemy as sa

from data.access.scope import Scope
from data.errors import Refused, excerpt
from data.events.table import CHOICES, EVENTS, ME, NONE
from data.query.catalog import DIMENSIONS
from data.query.earlier import ENDS, OFF, earlier
from data.query.event_time import TIME_PART_VALUES, TIME_PARTS, local_time
from data.query.windows import DEFAULT_N, DEFAULT_PRESET, Window, resolve

PEOPLE: Final = ("user", "project")
MORE_FIELDS: Final = ("model", "provider", "channel", "assistant", "workflow", "status")
PICKER_FIELDS: Final = (*PEOPLE, *MORE_FIELDS)
# What has no picker is narrowed by a click on a chart or table; where events came from is not.
_NOT_DRILLED: Final = (*PICKER_FIELDS, "time", "kind", "source")
DRILL_FIELDS: Final = (*MORE_FIELDS, *(name for name in DIMENSIONS if name not in _NOT_DRILLED))
# All but these values: what a remainder, "Other", is made of. By name, the field it speaks of.
NOT: Final = "not_"
EXCLUSIONS: Final = {f"{NOT}{name}": name for name in (*PEOPLE, *DRILL_FIELDS)}
# Values with a text in them, in whatever case; of people and projects also their names.
CONTAINS: Final = "contains_"
CONTAINING: Final = {
    f"{CONTAINS}{name}": name for name in (*PEOPLE, *DRILL_FIELDS) if name not in TIME_PARTS
}
OPERATORS: Final = {"": "is", NOT: "is not", CONTAINS: "contains"}
# Whom a text was found to mean (data/query/names.py); no address says it.
FOUND: Final = "found_"
_FOUND: Final = {f"{FOUND}{name}": name for name in PEOPLE}
LISTS: Final = (*PEOPLE, *DRILL_FIELDS, *EXCLUSIONS, *CONTAINING)
TIMES: Final = ("preset", "n", "from", "to", "tz")
COMPARING: Final = ("compare", *ENDS)
# What a question can be about beside all that is chosen, `of=user:ana`: whatever has a page of its
# own; and one run or conversation, `run_id=…`.
PAGE_FIELDS: Final = ("user", "project", "model", "assistant")
OF: Final = "of"
SINGLE: Final = ("run_id", "conversation_id")
ABOUT: Final = (OF, *SINGLE)
NAMES: Final = (*TIMES, *COMPARING, *LISTS)
MOST_VALUES: Final = 500
LONGEST_VALUE: Final = 1_000
# What some fields can be at all; hours and weekdays always are.
ALLOWED: Final = {name: (*values, NONE) for name, values in CHOICES.items()} | TIME_PART_VALUES

# What the reader chose and nothing else: names of `NAMES` to texts or lists of texts.
Choice = dict[str, Any]


def field_of(name: str) -> str:
    """The field that a list speaks of."""
    return (EXCLUSIONS | CONTAINING | _FOUND).get(name, name)


def operator_of(name: str) -> str:
    """What it says of the field: a key of `OPERATORS`."""
    return NOT if name in EXCLUSIONS else CONTAINS if name in CONTAINING else ""


@dataclass(frozen=True, slots=True)
class Filters:
    """A resolved window, and per field the values to keep, or under `not_` to leave out, or under
    `contains_` texts of which a value has one in it; `me` is the reader, whoever that is. `about`
    has the field and value of the one thing that is asked about, whatever else is chosen.
    `compared` is the window to compare with, none for off."""

    window: Window
    fields: tuple[tuple[str, tuple[str, ...]], ...] = ()
    me: bool = False
    about: tuple[tuple[str, str], ...] = ()
    # No part of what is asked about the window: that is answered once, beside whatever it stands.
    compared: Window | None = field(default=None, compare=False)

    def before(self) -> Filters:
        """The same filters about the window to compare with."""
        if self.compared is None:
            raise ValueError("there is nothing to compare with")
        return replace(self, window=self.compared, compared=None)

    def predicate(self, scope: Scope) -> sa.ColumnElement[bool]:
        """These filters as a WHERE clause, for a reader."""
        return sa.and_(self.in_window(), *self.field_conditions(scope))

    def in_window(self) -> sa.ColumnElement[bool]:
        """The events of the window."""
        return sa.and_(EVENTS.c.ts >= self.window.start, EVENTS.c.ts < self.window.end)

    def field_conditions(self, scope: Scope) -> list[sa.ColumnElement[bool]]:
        """What they ask beside the window."""
        chosen = [self._condition(name, values, scope) for name, values in self._fields()]
        return chosen + [self._named(field, [value], scope) for field, value in self.about]

    def _condition(
        self, name: str, values: tuple[str, ...], scope: Scope
    ) -> sa.ColumnElement[bool]:
        field = field_of(name)
        column = self._column(field)
        if name in CONTAINING:
            if field in PEOPLE:
                raise ValueError(f"nobody looked whom {name} means")
            return sa.or_(*(column.icontains(text, autoescape=True) for text in values))
        if not values:
            return sa.false()
        narrow = _outside if name in EXCLUSIONS else _among
        named = self._named(field, [value for value in values if value != NONE], scope)
        return narrow(column, named, NONE in values)

    def _named(self, field: str, values: Sequence[str], scope: Scope) -> sa.ColumnElement[bool]:
        """The rows with one of these values: of each user all ids, of `me` what the scope has."""
        if field != "user":
            return self._column(field).in_(values)
        users = EVENTS.c.user.in_(scope.people.every(value for value in values if value != ME))
        return sa.or_(users, scope.people.own_rows(scope.user)) if ME in values else users

    def _column(self, name: str) -> sa.ColumnElement[Any]:
        if name in TIME_PARTS:
            return sa.cast(TIME_PARTS[name](local_time(self.window)), sa.Text)
        return EVENTS.c[name]

    @property
    def names(self) -> frozenset[str]:
        """What is narrowed beside the window."""
        return frozenset(field_of(name) for name, _ in self._fields())

    def _fields(self) -> Iterable[tuple[str, tuple[str, ...]]]:
        fields = dict(self.fields)
        if self.me:
            fields["user"] = (*fields.get("user", ()), ME)
        return fields.items()


def _among(
    column: sa.ColumnElement[Any], named: sa.ColumnElement[bool], none: bool
) -> sa.ColumnElement[bool]:
    return sa.or_(column.is_(None), named) if none else named


def _outside(
    column: sa.ColumnElement[Any], named: sa.ColumnElement[bool], none: bool
) -> sa.ColumnElement[bool]:
    if none:
        return sa.and_(column.is_not(None), sa.not_(named))
    return sa.or_(column.is_(None), sa.not_(named))


def read_choice(arguments: Mapping[str, Sequence[str]]) -> Choice:
    """The choice a query string spells; what it does not name stays out. Blanks count as unsaid."""
    choice: Choice = {}
    for name in (*TIMES, *COMPARING):
        if value := next((text.strip() for text in arguments.get(name, ()) if text.strip()), None):
            choice[name] = value
    for name in LISTS:
        if values := list(dict.fromkeys(v for v in arguments.get(name, ()) if v.strip())):
            choice[name] = values
    for name in ABOUT:
        if value := next((text for text in arguments.get(name, ()) if text.strip()), None):
            choice[name] = value
    return choice


def parse(choice: Choice, now: int, zone: str = "UTC") -> Filters:
    """The filters a choice means at `now` (µs UTC); `zone` is read where none is chosen, and
    nothing is compared.

    Raises `Refused` naming the parameter.
    """
    preset = str(choice.get("preset") or DEFAULT_PRESET)
    ends = (_text(choice, "from"), _text(choice, "to"))
    n = _number(choice.get("n")) if preset in DEFAULT_N else None
    window = resolve(preset, n, ends, str(choice.get("tz") or zone), now)
    compare, (start, end) = str(choice.get("compare") or OFF), (_text(choice, one) for one in ENDS)
    compared = earlier(window, compare, (start, end), now)
    fields = {name: values for name in LISTS if (values := _values(choice, name))}
    users = fields.pop("user", ())
    if others := tuple(user for user in users if user != ME):
        fields["user"] = others
    listed = tuple(sorted(fields.items()))
    return Filters(window, listed, ME in users, tuple(_about(choice)), compared)


def _about(choice: Choice) -> Iterable[tuple[str, str]]:
    """The field and value of each thing that is asked about."""
    for name in ABOUT:
        if not (text := _text(choice, name)):
            continue
        field, _, value = text.partition(":") if name == OF else (name, "", text)
        if name == OF and (field not in PAGE_FIELDS or not value):
            offered = ", ".join(f"{one}:<id>" for one in PAGE_FIELDS)
            raise Refused(OF, f"{OF} is {excerpt(text)}; use one of {offered}")
        (named,) = _values({name: [value]}, name)
        yield field, named


def spell_about(about: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What a question is about, by the parameters that say so: `{"of": "user:ana"}`."""
    return {
        name if name in SINGLE else OF: value if name in SINGLE else f"{name}:{value}"
        for name, value in about
    }


def _text(choice: Choice, name: str) -> str | None:
    value = choice.get(name)
    return str(value) if value else None


def _number(value: Any) -> int | None:
    if value is None or value == "":
        return None
    try:
        return int(str(value))
    except ValueError:
        raise Refused("n", f"N must be a whole number, not {excerpt(value)}") from None


def _values(choice: Choice, name: str) -> tuple[str, ...]:
    values = choice.get(name) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Refused(name, f"{name} must be a list of names")
    if len(values) > MOST_VALUES:
        raise Refused(name, f"{name} takes at most {MOST_VALUES} values")
    if any(len(value) > LONGEST_VALUE or "\x00" in value for value in values):
        raise Refused(name, f"a {name} is a name of at most {LONGEST_VALUE:,} characters")
    allowed = values if name in CONTAINING else ALLOWED.get(field_of(name), values)
    for value in values:
        if value not in allowed:
            offered = ", ".join(one for one in allowed if one != NONE)
            raise Refused(name, f"{name} is {excerpt(value)}; use one of {offered}")
    return tuple(dict.fromkeys(values))
