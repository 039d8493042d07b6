"""What `spendscope exchange-rate` does: list the rates, or state one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from data.access.scope import SYSTEM
from data.prices.exchange import ExchangeRate
from data.prices.stated_rates import list_rates, state_rate
from data.state.audit import Actor
from data.state.store import State

WHO: Final = "Command line"


def state(
    store: State, now: int, currency: str | None, dollars: str | None, start: str | None
) -> Iterator[str]:
    """The rates as lines; with a currency that rate, stated; raises `Refused` where it is none."""
    if currency is None:
        yield from map(_line, list_rates(store, SYSTEM))
        return
    raw = {"currency": currency, "dollars": dollars, "from": start}
    yield f"Stated: {_line(state_rate(store, Actor(SYSTEM, WHO, now), raw))}"


def _line(one: ExchangeRate) -> str:
    return f"1 {one.currency} is {one.dollars} USD from {one.start}"
