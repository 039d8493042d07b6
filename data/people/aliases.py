"""The aliases that are kept: read and changed by platform administrators, each change with its
audit entry. An id is a person or an alias of one: no chains, no circles, nobody twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from data.access.people import NO_ALIASES, Alias, People
from data.access.rights import platform_admins_only, platform_readers_only
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.errors import Refused, Unknown, excerpt
from data.people.table import StoredAlias, draft, named
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.series import or_none
from data.query.windows import ALL_TIME
from data.state.audit import LAST_CHANGE, Actor, record
from data.state.store import State
from data.state.tables import ALIASES, NOT_ALIASES

Raw = Mapping[str, Any]
MOST: Final = 20_000
require_administrator: Final = platform_admins_only("aliases are")
require_reader: Final = platform_readers_only("aliases are")


class PersonDirectory:
    """The people of a state store as they are now; read anew when the audit trail has a
    newer change."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._read: tuple[int | None, People] = (None, NO_ALIASES)

    def now(self) -> People:
        """Who is whom at this moment."""
        with self._state.reading() as connection:
            newest = connection.execute(LAST_CHANGE).scalar()
            if newest != self._read[0]:
                rows = connection.execute(sa.select(ALIASES.c.id, ALIASES.c.person, ALIASES.c.name))
                aliases = [Alias(*row) for row in rows]
                pairs = connection.execute(sa.select(NOT_ALIASES.c.id, NOT_ALIASES.c.other))
                self._read = (newest, People(aliases, {one for pair in pairs for one in pair}))
            return self._read[1]


def stored_aliases(state: State, scope: Scope) -> list[StoredAlias]:
    """Every alias, by person; raises `Forbidden` for whom they are not."""
    require_reader(scope)
    with state.reading() as connection:
        return _all(connection)


def add(state: State, actor: Actor, raw: Raw, store: EventStore) -> StoredAlias:
    """One more id of a person; `Refused` names the field that is wrong. An alias given as the
    person stands for theirs. The name is the one their own events carry, unless one is given."""
    require_administrator(actor.scope)
    alias = draft(raw)
    own = _name(actor.scope.people.person(alias.person), actor.scope, store)
    with state.writing() as connection:
        existing = _all(connection)
        person = next((one.person for one in existing if one.id == alias.person), alias.person)
        old = _existing_alias(existing, alias, person)
        name = alias.name or own or _kept_name(existing, person)
        made = StoredAlias(alias.id, person, name, actor.who, actor.now)
        if old is None:
            connection.execute(ALIASES.insert().values(made._asdict()))
            record(connection, actor, "create", _thing(made), None, made.as_dict())
        elif old.name != name:
            record(connection, actor, "edit", _thing(made), old.as_dict(), made.as_dict())
        connection.execute(ALIASES.update().where(ALIASES.c.person == person).values(name=name))
    return made if old is None else old._replace(name=name)


def remove(state: State, actor: Actor, alias: str) -> None:
    """This id is its own person again. Raises `Unknown` where it is no alias, `Forbidden`."""
    require_administrator(actor.scope)
    this = ALIASES.c.id == alias
    with state.writing() as connection:
        row = connection.execute(sa.select(ALIASES).where(this)).first()
        if row is None:
            raise Unknown("alias", f"{excerpt(alias)} is no alias of anybody")
        old = StoredAlias(*row)
        connection.execute(ALIASES.delete().where(this))
        record(connection, actor, "delete", _thing(old), old.as_dict(), None)


def dismiss(state: State, actor: Actor, raw: Raw) -> None:
    """Two ids are different persons, however alike: they are not suggested again."""
    require_administrator(actor.scope)
    pair = sorted((named("alias", raw.get("alias")), named("person", raw.get("person"))))
    row = dict(zip(("id", "other"), pair, strict=True))
    with state.writing() as connection:
        same = [NOT_ALIASES.c[name] == value for name, value in row.items()]
        if connection.execute(sa.select(NOT_ALIASES).where(*same)).first() is None:
            connection.execute(NOT_ALIASES.insert().values(row))
            record(connection, actor, "create", f"different persons {' / '.join(pair)}", None, row)


def dismissed(state: State, scope: Scope) -> set[frozenset[str]]:
    """The pairs that an administrator said are different persons."""
    require_reader(scope)
    with state.reading() as connection:
        return {frozenset(row) for row in connection.execute(sa.select(NOT_ALIASES))}


def _all(connection: sa.Connection) -> list[StoredAlias]:
    rows = connection.execute(sa.select(ALIASES).order_by(ALIASES.c.person, ALIASES.c.id))
    return [StoredAlias(*row) for row in rows]


def _existing_alias(existing: list[StoredAlias], given: Alias, person: str) -> StoredAlias | None:
    """What is kept of this alias already, where that says the same; refuse what contradicts it."""
    alias = excerpt(given.id)
    old = next((one for one in existing if one.id == given.id), None)
    if given.id == given.person:
        raise Refused("alias", f"{alias} cannot be an alias of itself")
    if given.id == person:
        raise Refused("alias", f"{excerpt(given.person)} is an alias of {alias} already")
    if old and old.person != person:
        raise Refused("alias", f"{alias} is an alias of {excerpt(old.person)}: remove that first")
    if any(one.person == given.id for one in existing):
        raise Refused("alias", f"{alias} is a person with aliases: remove those first")
    if old is None and len(existing) >= MOST:
        raise Refused("alias", f"there are {MOST:,} aliases, the most that can be kept")
    return old


def _name(person: str, scope: Scope, store: EventStore) -> str | None:
    query = Query(("events",), ("user",), Filters(ALL_TIME, (("user", (person,)),)))
    names = run(query, scope.without_aliases(), store)["user_name"]
    return str(names.iloc[0]) if len(names) and or_none(names.iloc[0]) else None


def _kept_name(existing: list[StoredAlias], person: str) -> str | None:
    return next((one.name for one in existing if one.person == person), None)


def _thing(one: StoredAlias) -> str:
    return f"alias {one.id}"
