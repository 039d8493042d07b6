"""Forgetting a person: their activity goes on under a pseudonym, or goes; what was kept about them
goes in either case.

Whoever asks is shown first what would change. The audit trail says that somebody was forgotten,
how many events that were, and the pseudonym, but not who. Its earlier entries stay, as it does
not change; they go with its retention (SPENDSCOPE_AUDIT_RETENTION).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from data.access.people import address
from data.access.rights import platform_admins_only
from data.engines.protocol import EventStore
from data.errors import Refused
from data.events.table import EVENTS
from data.people.aliases import PersonDirectory
from data.state.audit import Actor, record
from data.state.store import State
from data.state.tables import (
    ACCOUNTS,
    ALIASES,
    API_TOKENS,
    BUDGETS,
    CONFIRMATIONS,
    IMPORTS,
    INGEST_KEYS,
    NOT_ALIASES,
    PREFERENCES,
    SESSIONS,
    SHOWN_AROUND,
    VIEWINGS,
)

require_platform_admin: Final = platform_admins_only("forgetting people is")
# What is kept about a person alone, by the column that names them.
ABOUT: Final[tuple[tuple[str, sa.Column[Any]], ...]] = (
    ("account", ACCOUNTS.c.id), ("sessions", SESSIONS.c.user), ("API tokens", API_TOKENS.c.user),
    ("confirmations", CONFIRMATIONS.c.user),
    ("preferences", PREFERENCES.c.user), ("preferences", SHOWN_AROUND.c.user),
    ("viewings", VIEWINGS.c.user), ("viewings", VIEWINGS.c.viewer),
    ("aliases", ALIASES.c.id), ("aliases", ALIASES.c.person),
    ("aliases", NOT_ALIASES.c.id), ("aliases", NOT_ALIASES.c.other),
)  # fmt: skip
# What others use too, which goes on without the name.
BESIDE: Final[tuple[tuple[str, sa.Column[Any]], ...]] = (
    ("ingest keys", INGEST_KEYS.c.user), ("ingest keys", INGEST_KEYS.c.created_by),
    ("imports", IMPORTS.c.who),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What forgetting somebody changes: their events, and how many records of which kind."""

    pseudonym: str
    events: int
    records: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        what = {"pseudonym": self.pseudonym} if self.pseudonym else {}
        return what | {"events": self.events} | self.records


def preview(state: State, store: EventStore, actor: Actor, person: str) -> Forgotten:
    """What forgetting this person would change; raises `Refused` where nothing is known of them."""
    require_platform_admin(actor.scope)
    ids = _ids(state, person)
    with state.reading() as connection:
        records = _counts(connection, ids)
    found = Forgotten("", store.count_events(_theirs(ids)), records)
    if not found.events and not any(records.values()):
        raise Refused("person", "nothing is known of such a person")
    return found


def forget(
    state: State, store: EventStore, actor: Actor, person: str, *, remove: bool
) -> Forgotten:
    """Do it; the events are removed, or go on under a pseudonym that nothing leads back from."""
    found = preview(state, store, actor, person)
    ids, pseudonym = _ids(state, person), "" if remove else f"person-{secrets.token_hex(6)}"
    _refuse_last_admin(state, ids)
    theirs = _theirs(ids)
    count = store.remove_events(theirs) if remove else store.rename_user(theirs, ids, pseudonym)
    done = Forgotten(pseudonym, count, found.records)
    with state.writing() as connection:
        for column in (column for _, column in ABOUT):
            connection.execute(sa.delete(column.table).where(column.in_(ids)))
        connection.execute(sa.delete(BUDGETS).where(*_budgets(ids)))
        bound = INGEST_KEYS.c.user.in_(ids)
        connection.execute(INGEST_KEYS.update().where(bound).values(revoked=actor.now))
        for column in (column for _, column in BESIDE):
            renamed = {column.name: pseudonym or "somebody"}
            connection.execute(sa.update(column.table).where(column.in_(ids)).values(renamed))
        record(connection, actor, "delete", "a person", done.as_dict(), None)
    return done


def _ids(state: State, person: str) -> tuple[str, ...]:
    people = PersonDirectory(state).now()
    return people.ids(people.signed_in(person.strip()))


def _theirs(ids: Iterable[str]) -> sa.ColumnElement[bool]:
    """Their events; of an e-mail address whatever the case of its letters."""
    named, addresses = list(ids), [found for one in ids if (found := address(one))]
    return sa.or_(EVENTS.c.user.in_(named), sa.func.lower(EVENTS.c.user).in_(addresses))


def _budgets(ids: Iterable[str]) -> list[sa.ColumnElement[bool]]:
    return [BUDGETS.c.kind == "user", BUDGETS.c.subject.in_(list(ids))]


def _counts(connection: sa.Connection, ids: Iterable[str]) -> dict[str, int]:
    named = list(ids)
    found: dict[str, int] = {}
    for name, column in (*ABOUT, *BESIDE):
        rows = sa.select(sa.func.count()).select_from(column.table).where(column.in_(named))
        found[name] = found.get(name, 0) + connection.execute(rows).scalar_one()
    rows = sa.select(sa.func.count()).select_from(BUDGETS).where(*_budgets(named))
    return found | {"budgets": connection.execute(rows).scalar_one()}


def _refuse_last_admin(state: State, ids: Iterable[str]) -> None:
    able = [ACCOUNTS.c.is_admin, ACCOUNTS.c.disabled.is_(None), ACCOUNTS.c.password_hash != ""]
    with state.reading() as connection:
        admins = set(connection.execute(sa.select(ACCOUNTS.c.id).where(*able)).scalars())
    if admins and admins <= set(ids):
        raise Refused(
            "person", "this is the last enabled administrator: make another account one first"
        )
