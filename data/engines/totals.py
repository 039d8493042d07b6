"""What a store holds of one source, as backups and commands count it."""

from __future__ import annotations

from typing import NamedTuple

from data.events.money import NANO


class Totals(NamedTuple):
    """Events, tokens (all four kinds), and cost in nano-dollars."""

    events: int
    tokens: int
    cost_nano: int

    def __str__(self) -> str:
        dollars = self.cost_nano / NANO
        return f"{self.events:,} events, {self.tokens:,} tokens, {dollars:,.2f} USD"
