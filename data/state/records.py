"""Records that people make, change and remove: a table of the state store, in which every
change leaves its entry in the audit trail, in the transaction that makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

import sqlalchemy as sa

from data.errors import Unknown
from data.state.audit import Actor, record

LARGEST: Final = 2**63


class Kept(Protocol):
    """What a record answers for itself: its number or name, and what the trail says of it."""

    @property
    def id(self) -> int | str: ...

    def as_dict(self) -> dict[str, Any]: ...


T = TypeVar("T", bound=Kept)


@dataclass(frozen=True, slots=True)
class Records(Generic[T]):
    """The records of a `table`; `of` reads a row, `one` is what the trail calls a record. Where
    there is none of an id, `Unknown` names the `parameter` and says `unknown`."""

    table: sa.Table
    of: Callable[[Any], T]
    one: str
    parameter: str
    unknown: str

    def get(self, connection: sa.Connection, key: int | str) -> T:
        """The record of an id, or `Unknown`."""
        row = connection.execute(sa.select(self.table).where(identified(self.table, key))).first()
        if row is None:
            raise Unknown(self.parameter, self.unknown)
        return self.of(row)

    def create(self, connection: sa.Connection, actor: Actor, row: Mapping[str, Any]) -> T:
        """A new record; the table numbers it, where it has no name."""
        insert = self.table.insert().values(row).returning(*self.table.c)
        made = self.of(connection.execute(insert).one())
        record(connection, actor, "create", self.name(made), None, made.as_dict())
        return made

    def change(self, connection: sa.Connection, actor: Actor, old: T, row: Mapping[str, Any]) -> T:
        """Other fields for a record."""
        update = self.table.update().where(identified(self.table, old.id)).values(row)
        made = self.of(connection.execute(update.returning(*self.table.c)).one())
        record(connection, actor, "edit", self.name(made), old.as_dict(), made.as_dict())
        return made

    def remove(self, connection: sa.Connection, actor: Actor, old: T) -> None:
        """No such record any more."""
        connection.execute(self.table.delete().where(identified(self.table, old.id)))
        record(connection, actor, "delete", self.name(old), old.as_dict(), None)

    def name(self, one: T) -> str:
        """What the trail calls it."""
        return f"{self.one} {one.id}"


def identified(table: sa.Table, key: int | str) -> sa.ColumnElement[bool]:
    """Which row it is; a number that SQLite cannot hold is nobody's."""
    column: sa.ColumnElement[Any] = table.c.id
    return column == (key if isinstance(key, str) or 0 < key < LARGEST else -1)
