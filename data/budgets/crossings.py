"""When a limit was crossed: the first call after which more was spent than allowed.

Hours find the period and the hour, minutes the minute, halving the instant; each is a `Query`,
so ten million events cost a few dozen small questions and are never loaded.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import Any, Final

from data.access.scope import Scope
from data.budgets.budget import LIMITS, Budget
from data.budgets.periods import past
from data.budgets.spending import COST, nano
from data.budgets.subjects import counted
from data.engines.protocol import EventStore
from data.events.money import in_dollars
from data.local_time import WIDTHS, Grain, iso
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.series import or_none
from data.query.windows import Window

HARDER_FIRST: Final = tuple(reversed(LIMITS))


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent in each bucket that has any, in order; nano-dollars."""

    starts: tuple[int, ...]
    money: tuple[int, ...]

    def between(self, start: int, end: int) -> Spent:
        """The buckets that begin in `[start, end)`, µs UTC."""
        part = slice(bisect_left(self.starts, start), bisect_left(self.starts, end))
        return Spent(self.starts[part], self.money[part])

    def crossing(self, most: int) -> tuple[int, int]:
        """Where (µs UTC) the bucket begins in which more than `most` is spent, and what is left."""
        spent = 0
        for start, money in zip(self.starts, self.money, strict=True):
            if spent + money > most:
                return start, most - spent
            spent += money
        raise AssertionError("the buckets hold less than what they are of")


@dataclass(frozen=True, slots=True)
class Crossed:
    """A limit (`soft` or `hard`) that a period went over: in which hour, how far at its end.

    `whole` are the filters over the whole period, `rest` is what was left when the hour began;
    money is in nano-dollars.
    """

    budget: Budget
    limit: str
    period: Window
    whole: Filters
    hour: int
    rest: int
    over: int


@dataclass(frozen=True, slots=True)
class Crossing:
    """The instant of it (µs UTC), and whose call it was; None where the event names nobody."""

    crossed: Crossed
    at: int
    user: str | None

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON says it: money in US dollars, instants with their offset."""
        found, zone = self.crossed, self.crossed.budget.zone
        return {
            "limit": found.limit, "at": iso(self.at, zone), "user": self.user,
            "over": in_dollars(found.over), "from": iso(found.period.start, zone),
            "to": iso(found.period.end, zone),
        }  # fmt: skip


def crossed(budget: Budget, now: int, scope: Scope, store: EventStore) -> list[Crossed]:
    """Every crossing of a budget's limits in the periods that are remembered, newest first."""
    periods = list(past(budget, now))
    filters = counted(budget, replace(periods[0], start=periods[-1].start), scope, store)
    hours = _spent(filters, "hour", scope, store)
    limits = [(limit, most) for limit in HARDER_FIRST if (most := getattr(budget, limit))]
    found = []
    for period in periods:
        mine = hours.between(period.start, period.end)
        whole = replace(filters, window=period)
        for limit, most in limits:
            if (over := sum(mine.money) - most) > 0:
                found.append(Crossed(budget, limit, period, whole, *mine.crossing(most), over))
    return found


def exactly(found: Crossed, scope: Scope, store: EventStore) -> Crossing:
    """The call that crossed a limit."""
    end = min(found.period.end, found.hour + WIDTHS["hour"])
    minutes = _spent(_between(found.whole, found.hour, end), "minute", scope, store)
    minute, rest = minutes.crossing(found.rest)
    last = _between(found.whole, minute, min(end, minute + WIDTHS["minute"]))
    at = _halve(last, rest, scope, store)
    return Crossing(found, at, _top_user(_between(found.whole, at, at + 1), scope, store))


def _between(filters: Filters, start: int, end: int) -> Filters:
    return replace(filters, window=replace(filters.window, start=start, end=end))


def _spent(filters: Filters, grain: Grain, scope: Scope, store: EventStore) -> Spent:
    query = Query(COST, ("time",), filters, grain=grain, order=(("time", False),))
    frame = run(query, scope, store)
    return Spent(tuple(map(int, frame["time"])), tuple(map(nano, frame["cost"])))


def _halve(filters: Filters, rest: int, scope: Scope, store: EventStore) -> int:
    """The instant within a window after which more than `rest` is spent."""
    _, low, high = _ends(filters, scope, store)
    while low < high:
        middle = (low + high) // 2
        spent, first, last = _ends(_between(filters, low, middle + 1), scope, store)
        if spent > rest:
            low, high = first, last
        else:
            rest -= spent
            _, low, high = _ends(_between(filters, middle + 1, high + 1), scope, store)
    return low


def _ends(filters: Filters, scope: Scope, store: EventStore) -> tuple[int, int, int]:
    """What a window's events cost, and the instants of the first and the last of them."""
    query = Query(("cost", "first_event", "last_event"), (), filters)
    spent, first, last = run(query, scope, store).iloc[0]
    return nano(spent), int(first), int(last)


def _top_user(filters: Filters, scope: Scope, store: EventStore) -> str | None:
    """The user of a call: of several at the very same instant, the one who spent most."""
    query = Query(COST, ("user",), filters, order=(("cost", True),))
    user: str | None = or_none(run(query, scope, store)["user"].iloc[0])
    return user
