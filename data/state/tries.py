"""Tries at a password of the last minutes: counted for an account, for a network, and overall.

A server that has its state store for itself counts in memory, servers that share one in it, by the
clock of the database.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import sqlalchemy as sa

from data.state.accounts import digest
from data.state.store import State
from data.state.tables import TRIES

SPAN_SECONDS: Final = 300
MICROSECONDS: Final = 1_000_000
NOW: Final = sa.cast(
    sa.func.extract("epoch", sa.func.clock_timestamp()) * MICROSECONDS, sa.BigInteger
)


class Count(NamedTuple):
    """How many there are, and how many seconds ago the first was."""

    number: int = 0
    age: float = 0.0


class Counts(NamedTuple):
    """Those for an account, from a network, and all."""

    account: Count
    network: Count
    everywhere: Count


Refuse = Callable[[Counts], None]


class Tries(Protocol):
    """Where they are counted; one that is over for `SPAN_SECONDS` counts no more."""

    def counts(self, account: str, network: str) -> Counts:
        """How many there are of these."""

    def add(self, account: str, network: str, refuse: Refuse) -> int:
        """One more, unless `refuse` raises on how many there are: nobody comes between. Returns its
        number."""

    def remove(self, number: int) -> None:
        """It counts no more."""

    def clear(self, account: str) -> None:
        """Those for an account count for none."""


def tries_of(state: State) -> Tries:
    """Where the servers of a state store count them."""
    return SharedTries(state) if state.shared else LocalTries()


@dataclass(eq=False, slots=True)
class Try:
    """One try; `account` is empty where it counts for none."""

    number: int
    at: float
    account: str
    network: str


class LocalTries:
    """Those of this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._last = clock, 0
        self._tries: list[Try] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._tries)

    def counts(self, account: str, network: str) -> Counts:
        with self._lock:
            return self._counts(account, network)

    def add(self, account: str, network: str, refuse: Refuse) -> int:
        with self._lock:
            refuse(self._counts(account, network))
            self._last += 1
            self._tries.append(Try(self._last, self._clock(), account, network))
            return self._last

    def remove(self, number: int) -> None:
        with self._lock:
            self._tries = [one for one in self._tries if one.number != number]

    def clear(self, account: str) -> None:
        with self._lock:
            for one in self._tries:
                one.account = "" if one.account == account else one.account

    def _counts(self, account: str, network: str) -> Counts:
        now = self._clock()
        self._tries = [one for one in self._tries if now - one.at < SPAN_SECONDS]
        of_account = (one for one in self._tries if account and one.account == account)
        of_network = (one for one in self._tries if one.network == network)
        return Counts(*(_counted(now, some) for some in (of_account, of_network, self._tries)))


def _counted(now: float, tries: Iterable[Try]) -> Count:
    at = [one.at for one in tries]
    return Count(len(at), now - at[0]) if at else Count()


class SharedTries:
    """Those of all servers that share a state store, which keeps digests: never who was meant."""

    def __init__(self, state: State) -> None:
        self._state = state

    def counts(self, account: str, network: str) -> Counts:
        with self._state.reading() as connection:
            return _counts(connection, _kept(account), _kept(network))

    def add(self, account: str, network: str, refuse: Refuse) -> int:
        refuse(self.counts(account, network))  # who is refused keeps no writer waiting
        which = {"account": _kept(account), "network": _kept(network)}
        with self._state.writing() as connection:
            connection.execute(TRIES.delete().where(~_RECENT))
            refuse(_counts(connection, **which))
            added = TRIES.insert().values(at=NOW, **which).returning(TRIES.c.id)
            return int(connection.execute(added).scalar_one())

    def remove(self, number: int) -> None:
        self._run(TRIES.delete().where(TRIES.c.id == number))

    def clear(self, account: str) -> None:
        theirs = TRIES.c.account == _kept(account)
        self._run(TRIES.update().where(theirs).values(account=""))

    def _run(self, statement: sa.Executable) -> None:
        with self._state.writing() as connection:
            connection.execute(statement)


def _kept(text: str) -> str:
    return digest(text) if text else ""


_RECENT: Final = TRIES.c.at > NOW - SPAN_SECONDS * MICROSECONDS


def _counts(connection: sa.Connection, account: str, network: str) -> Counts:
    of_account = sa.and_(TRIES.c.account == account, TRIES.c.account != "")
    which = (of_account, TRIES.c.network == network, sa.true())
    asked = [part for one in which for part in _count_and_age(one)]
    found: Any = connection.execute(sa.select(*asked).where(_RECENT)).one()
    pairs = zip(found[::2], found[1::2], strict=True)
    return Counts(*(Count(number, float(age) / MICROSECONDS) for number, age in pairs))


def _count_and_age(which: sa.ColumnElement[bool]) -> tuple[sa.ColumnElement[Any], ...]:
    age = NOW - sa.func.min(TRIES.c.at).filter(which)
    return sa.func.count().filter(which), sa.func.coalesce(age, 0)
