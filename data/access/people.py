"""Who is whom: the ids of one person (a username, an e-mail address, the owner of a key), merged
when events are read. The rows stay as they came, so a merger is taken back at once.

Only what an administrator wrote down merges (`data/people/aliases.py`). Names, addresses and claims
such as `email` are whatever somebody typed somewhere: were they believed, anybody could take
another's name and with it the view of their rows.

Where an administrator merged two spellings of one e-mail address, which differ in the case of their
letters alone, whoever signs in with a third is that person, too, and sees rows of any spelling;
unless the third is an alias, a person of several ids, or was kept apart from somebody.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from data.dialect import EachOf
from data.events.table import EVENTS


class Alias(NamedTuple):
    """An id and the person it belongs to; `name` is what people call the person, if known."""

    id: str
    person: str
    name: str | None = None


class People:
    """Every alias there is: hashable, so that an answer is kept for one state of them alone.

    An id is a person or an alias of one, never both; `data/people/aliases.py` sees to that.
    """

    def __init__(self, aliases: Iterable[Alias] = (), distinct: Iterable[str] = ()) -> None:
        """`distinct` are ids that somebody said are of different persons."""
        self._aliases = tuple(sorted(aliases))
        self._alias = {one.id: one for one in self._aliases}
        addresses = self._persons_of_addresses
        self._distinct = tuple(sorted({one for one in distinct if address(one) in addresses}))
        self._hash = hash((self._aliases, self._distinct))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, People):
            return NotImplemented
        return (self._aliases, self._distinct) == (other._aliases, other._distinct)

    def __hash__(self) -> int:
        return self._hash

    def __len__(self) -> int:
        return len(self._aliases)

    def person(self, known_as: str) -> str:
        """The person of an id; an id that is no alias is its own person."""
        one = self._alias.get(known_as)
        return one.person if one else known_as

    def signed_in(self, subject: str) -> str:
        """The person that whoever signs in with an id is: also by an address of theirs, spelled
        as nobody did before."""
        if subject in self._alias or subject in self._of or subject in self._distinct:
            return self.person(subject)
        return self._persons_of_addresses.get(address(subject) or "", subject)

    def own_rows(self, person: str) -> sa.ColumnElement[bool]:
        """The rows of a person who is signed in, as a WHERE clause."""
        named: sa.ColumnElement[bool] = EVENTS.c.user.in_(self.ids(person))
        spelled = [one for one, whose in self._persons_of_addresses.items() if whose == person]
        if not spelled:
            return named
        any_case = sa.func.lower(EVENTS.c.user).in_(spelled)
        return sa.or_(named, sa.and_(any_case, EVENTS.c.user.not_in(self._distinct)))

    def ids(self, known_as: str) -> tuple[str, ...]:
        """The id of the person that an id means, then their aliases."""
        person = self.person(known_as)
        return (person, *self._of.get(person, ()))

    def every(self, values: Iterable[str]) -> tuple[str, ...]:
        """All the ids of several, each once."""
        return tuple(dict.fromkeys(one for value in values for one in self.ids(value)))

    def called(self, known_as: str | None, name: str | None) -> tuple[str | None, str | None]:
        """The `user` and `user_name` of a row, as the person's."""
        one = self._alias.get(known_as or "")
        return (one.person, one.name or name) if one else (known_as, name)

    def reading(self, statement: sa.Select[Any]) -> sa.Select[Any]:
        """A SELECT over `events`, still without its WHERE, that reads `user` and `user_name` of
        an alias's rows as the person's; one that reads neither is left alone."""
        if not self._aliases:
            return statement
        merged: sa.Select[Any] = self.read(statement)
        return statement if merged is statement else merged.select_from(self.joined(EVENTS))

    def joined(self, events: sa.FromClause) -> sa.FromClause:
        """Events, or what else has a `user`, beside what `read` makes of users."""
        if not self._aliases:
            return events
        return events.outerjoin(self._table, self._table.c.id == events.c.user)

    def read(self, expression: Any) -> Any:
        """An expression over `events` with the person in the place of the id."""
        if not self._aliases:
            return expression
        found = False

        def person(element: Any, **_: Any) -> Any:
            nonlocal found
            column = self._columns.get(element.name) if element in READ else None
            found = found or column is not None
            return column

        made = visitors.replacement_traverse(expression, {}, person)
        return made if found else expression

    @cached_property
    def ids_by_person(self) -> dict[str, tuple[str, ...]]:
        """Per person who has aliases all their ids, their own first."""
        return {person: self.ids(person) for person in self._of}

    @cached_property
    def _persons_of_addresses(self) -> dict[str, str]:
        """The person of each address of which two spellings are theirs, and none another's."""
        spellings: dict[str, list[str]] = {}
        for one in {*self._alias, *self._of}:
            if found := address(one):
                spellings.setdefault(found, []).append(self.person(one))
        return {
            found: person
            for found, (person, *others) in spellings.items()
            if set(others) == {person}
        }

    @cached_property
    def _of(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in self._aliases:
            found.setdefault(one.person, []).append(one.id)
        return found

    @cached_property
    def _table(self) -> sa.Subquery:
        # Ten aliases or 3,000 cost the same: of 5 M events, sections that read users take 1.3
        # times as long. A CASE costs as much with three and ten times that with 300.
        columns = zip(*self._aliases, strict=True)
        named = zip(Alias._fields, columns, strict=True)
        lists = (EachOf(column).label(name) for name, column in named)
        return sa.select(*lists).subquery("aliases")

    @cached_property
    def _columns(self) -> dict[str, sa.ColumnElement[Any]]:
        columns = {"user": self._table.c.person, "user_name": self._table.c.name}
        return {name: sa.func.coalesce(one, EVENTS.c[name]) for name, one in columns.items()}


def address(id_: str) -> str | None:
    """An id that is an e-mail address, in small letters."""
    return id_.lower() if "@" in id_ and id_.isascii() else None


READ: Final = frozenset({EVENTS.c.user, EVENTS.c.user_name})
NO_ALIASES: Final = People()
