"""The organisation's own prices that are kept: read and changed by platform administrators,
each change with its audit entry; and the book they make, always of the present.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Self

import sqlalchemy as sa

from data.access.rights import platform_admins_only, platform_readers_only
from data.access.scope import Scope
from data.errors import Refused
from data.prices.book import PriceBook
from data.prices.draft import draft
from data.prices.entries import Entry
from data.prices.exchange import Exchange
from data.prices.public_book import PublicBook
from data.prices.releases import adopt
from data.prices.releases import book as public_book
from data.prices.stated_rates import read_rates
from data.state.audit import DEMO, LAST_CHANGE, Actor
from data.state.records import Records
from data.state.store import State
from data.state.tables import PRICES

Raw = Mapping[str, Any]
RECORDS: Final = Records(PRICES, Entry.of, "price", "price", "there is no such price")
require_platform_admin: Final = platform_admins_only("prices are")
require_platform_reader: Final = platform_readers_only("prices are")


class PriceBookStore:
    """The present price book of a state store. Any thread may ask, as often as it likes."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._cached: tuple[int | None, PriceBook] | None = None

    @classmethod
    def at_start(cls, state: State, now: int) -> Self:
        """The book of a program that starts: the release it brings is taken in first."""
        adopt(state, now)
        return cls(state)

    def __call__(self) -> PriceBook:
        """The book of the releases and entries as they are now; the same while they stay."""
        with self._state.reading() as connection:
            # Every change of a price leaves an entry in the trail, which only grows.
            version = connection.execute(LAST_CHANGE).scalar()
            with self._lock:
                if self._cached is None or version != self._cached[0]:
                    self._cached = version, _book(connection, self._cached and self._cached[1])
                return self._cached[1]


def _book(connection: sa.Connection, old: PriceBook | None) -> PriceBook:
    entries, public = tuple(_entries(connection)), public_book(connection)
    exchange = Exchange(read_rates(connection))
    if old and old.public.releases == public.releases:
        if (old.shown.entries, old.shown.exchange.rates) == (entries, exchange.rates):
            return old
        public = old.public
    return _without_demo(PriceBook(entries, public, exchange))


def _without_demo(every: PriceBook) -> PriceBook:
    """A book that has of the demo only what it shows: events that arrive are no sample, and what
    they cost outlives the demo."""
    entries = [one for one in every.entries if not one.who.startswith(DEMO)]
    rates = [one for one in every.exchange.rates if not one.who.startswith(DEMO)]
    if (len(entries), len(rates)) == (len(every.entries), len(every.exchange.rates)):
        return every
    return PriceBook(entries, every.public, Exchange(rates), every)


def list_prices(state: State, scope: Scope) -> list[Entry]:
    """Every entry, by model and day."""
    require_platform_reader(scope)
    with state.reading() as connection:
        found = _entries(connection)
    return sorted(found, key=lambda one: (one.provider, one.model, one.start))


def entry(state: State, scope: Scope, number: int) -> Entry:
    """The entry of a number, or `Unknown`."""
    require_platform_reader(scope)
    with state.reading() as connection:
        return RECORDS.get(connection, number)


def create(state: State, actor: Actor, raw: Raw) -> Entry:
    """A new entry; `Refused` names the field that is wrong."""
    require_platform_admin(actor.scope)
    made = _signed(draft(raw, 0, _public(state)), actor)
    with state.writing() as connection:
        _refuse_second(connection, made)
        return RECORDS.create(connection, actor, made.row())


def change(state: State, actor: Actor, number: int, raw: Raw) -> Entry:
    """Another entry in the place of one; what `raw` does not name is not there any more."""
    require_platform_admin(actor.scope)
    made = _signed(draft(raw, number, _public(state)), actor)
    with state.writing() as connection:
        old = RECORDS.get(connection, number)
        _refuse_second(connection, made)
        if made.as_dict() == old.as_dict():
            return old
        return RECORDS.change(connection, actor, old, made.row())


def remove(state: State, actor: Actor, number: int) -> None:
    """No such entry any more; what was stored by it stays as it is."""
    require_platform_admin(actor.scope)
    with state.writing() as connection:
        RECORDS.remove(connection, actor, RECORDS.get(connection, number))


def with_draft(state: State, scope: Scope, raw: Raw, number: int = 0) -> tuple[Entry, PriceBook]:
    """An entry that is not kept yet, and the book as it would be with it (in the place of one)."""
    require_platform_admin(scope)
    with state.reading() as connection:
        book = _book(connection, None).shown
    made = draft(raw, number, book.public)
    others = [one for one in book.entries if one.id != number]
    _refuse_same(made, others)
    with_it = [*others, replace(made, id=number or 2**62)]
    return made, PriceBook(with_it, book.public, book.exchange)


def _public(state: State) -> PublicBook:
    with state.reading() as connection:
        return public_book(connection)


def _signed(made: Entry, actor: Actor) -> Entry:
    return replace(made, at=actor.now, who=actor.person, name=actor.name)


def _entries(connection: sa.Connection) -> list[Entry]:
    rows = connection.execute(sa.select(PRICES).order_by(PRICES.c.id)).all()
    return [Entry.of(row) for row in rows]


def _refuse_second(connection: sa.Connection, made: Entry) -> None:
    _refuse_same(made, [one for one in _entries(connection) if one.id != made.id])


def _refuse_same(made: Entry, others: list[Entry]) -> None:
    for one in others:
        if (one.provider.lower(), one.model.lower(), one.service_tier, one.start) == (
            made.provider.lower(), made.model.lower(), made.service_tier, made.start,
        ):  # fmt: skip
            raise Refused(
                "from", f"there is a price for {made.model[:60]!r} from {made.start} already"
            )
