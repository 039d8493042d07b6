"""Stored events take their price from the book as it is now: looked at first, recorded, undone.

Two things can be asked. `unpriced`: exactly the events that have no price get one. `history`:
from a day on, what has a list price gets the present one, and so does the list cost beside a
reported one; nothing known ever becomes unknown. A reported cost is never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.errors import Refused, excerpt
from data.events.table import EARLIEST, LATEST, micros
from data.prices.book import PriceBook
from data.prices.entries import Entry
from data.prices.own import entry, require_platform_admin, require_platform_reader
from data.prices.rate_rows import Affected, Model, RateChange, rate_rows
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.series import or_none
from data.query.windows import ALL_TIME
from data.repricing.log import Repricing, totals
from data.state.audit import Actor, record
from data.state.records import Records
from data.state.store import State
from data.state.tables import REPRICINGS

ORIGINS: Final[dict[Affected, tuple[str, ...]]] = {
    "unpriced": ("unpriced",),
    "history": ("list", "reported"),
}
FIELDS: Final = ("what", "price", "from", "to")
RECORDS: Final = Records(
    REPRICINGS, Repricing.of, "re-pricing", "repricing", "there is no such re-pricing"
)


@dataclass(frozen=True, slots=True)
class RepricingRequest:
    """What is to be re-priced: of one entry's models or of all, from `start` until `end`."""

    what: Affected
    price: int | None
    start: int
    end: int


def parse_request(raw: Mapping[str, Any]) -> RepricingRequest:
    """The re-pricing that was described; raises `Refused` naming the field that is wrong."""
    for name in raw:
        if name not in FIELDS:
            raise Refused(
                name[:40], f"a re-pricing has no {excerpt(name)}; use {', '.join(FIELDS)}"
            )
    what: Any = raw.get("what")
    if not isinstance(what, str) or what not in ORIGINS:
        raise Refused("what", "say what to re-price: either unpriced or history")
    price = raw.get("price")
    if price is not None and (not isinstance(price, int) or isinstance(price, bool)):
        raise Refused("price", "name the price by its number")
    if what == "history" and not raw.get("from"):
        raise Refused("from", "name the first day: history is re-priced from a day on")
    start, end = _day("from", raw.get("from")), _day("to", raw.get("to"))
    if start is not None and end is not None and end <= start:
        raise Refused("to", "the end lies before the start")
    first, last = micros(EARLIEST), micros(LATEST)
    return RepricingRequest(
        what, price, first if start is None else start, last if end is None else end
    )


def _day(field: str, value: Any) -> int | None:
    """The midnight UTC before a day, or after it where it is the last."""
    if value is None or value == "":
        return None
    try:
        day = date.fromisoformat(str(value).strip())
    except ValueError:
        raise Refused(field, f"{excerpt(value)} is no date like 2026-11-01") from None
    if not EARLIEST.year <= day.year < LATEST.year:
        raise Refused(field, "the day lies outside the years 2000 to 2099")
    midnight = datetime.combine(day, datetime.min.time(), UTC)
    return micros(midnight + timedelta(days=1 if field == "to" else 0))


def apply(state: State, actor: Actor, request: RepricingRequest, store: EventStore) -> Repricing:
    """Re-price, and record it; raises `Unknown` for a price that is not there."""
    require_platform_admin(actor.scope)
    own = None if request.price is None else entry(state, actor.scope, request.price)
    change = rate_change(request, own, store.book().shown, actor.scope, store)
    number = _begin(state, actor, request, own, change)
    try:
        changes = store.reprice(change, number)
    except Exception:
        with state.writing() as connection:
            connection.execute(REPRICINGS.delete().where(REPRICINGS.c.id == number))
        raise
    # Somebody may have undone it before it had changed anything: it stands now.
    in_force = {"reverted_at": None, "reverted_by": None}
    values = totals(changes) | {"projects": [one.as_dict() for one in changes]} | in_force
    with state.writing() as connection:
        connection.execute(REPRICINGS.update().where(REPRICINGS.c.id == number).values(values))
        made = RECORDS.get(connection, number)
        record(connection, actor, "create", RECORDS.name(made), None, _outline(made))
    return made


def undo(state: State, actor: Actor, number: int, store: EventStore) -> Repricing:
    """Put every event back as the re-pricing found it. Later ones of the same events go first."""
    require_platform_admin(actor.scope)
    with state.reading() as connection:
        _in_force(connection, number)
    store.restore(number)
    values = {"reverted_at": actor.now, "reverted_by": actor.name}
    with state.writing() as connection:
        old = _in_force(connection, number)
        connection.execute(REPRICINGS.update().where(REPRICINGS.c.id == number).values(values))
        record(connection, actor, "delete", RECORDS.name(old), _outline(old), None)
        return RECORDS.get(connection, number)


def list_repricings(state: State, scope: Scope, limit: int = 100) -> list[Repricing]:
    """The newest re-pricings first."""
    require_platform_reader(scope)
    newest = sa.select(REPRICINGS).order_by(REPRICINGS.c.id.desc()).limit(limit)
    with state.reading() as connection:
        return [Repricing.of(row) for row in connection.execute(newest)]


def rate_change(
    request: RepricingRequest, own: Entry | None, book: PriceBook, scope: Scope, store: EventStore
) -> RateChange:
    """The change that `book` makes, of the models that `own` covers (none: all)."""
    models = [
        (provider, model)
        for provider, model in _models(request.what, scope, store)
        if own is None or own.covers(provider, model)
    ]
    return RateChange(request.what, rate_rows(book, models), request.start, request.end)


def _models(what: Affected, scope: Scope, store: EventStore) -> list[Model]:
    """The models of stored calls whose cost is of this kind."""
    where = (("kind", ("llm",)), ("cost_origin", ORIGINS[what]))
    found = Query(("events",), ("provider", "model"), Filters(ALL_TIME), where=where)
    frame = run(found, scope, store)
    pairs = zip(frame["provider"], frame["model"], strict=True)
    return [(or_none(provider), model) for provider, model in pairs if or_none(model) is not None]


def _begin(
    state: State, actor: Actor, request: RepricingRequest, own: Entry | None, change: RateChange
) -> int:
    models = sorted({(row.provider, row.model) for row in change.rates if not row.reason})
    row = {
        "at": actor.now, "who": actor.person, "name": actor.name, "what": request.what,
        "price": request.price, "entry": own and own.as_dict(),
        "start": request.start, "end": request.end,
        "models": [list(model) for model in models],
    }  # fmt: skip
    with state.writing() as connection:
        insert = REPRICINGS.insert().values(row).returning(REPRICINGS.c.id)
        return int(connection.execute(insert).scalar_one())


def _in_force(connection: sa.Connection, number: int) -> Repricing:
    found = RECORDS.get(connection, number)
    if found.reverted_at is not None:
        raise Refused("repricing", f"re-pricing {number} was undone already")
    return found


def _outline(one: Repricing) -> dict[str, Any]:
    names = ("what", "price", "from", "to", "events", "list_costs", "before", "after")
    return {name: one.as_dict()[name] for name in names}
