"""What a store holds of one source, as backups and commands count it."""

from __future__ import annotations

from typing import Final, NamedTuple

from data.events.money import NANO

# Of a store, in any engine's SQL.
COUNTED: Final = """
    SELECT coalesce(source, ''), count(*)::BIGINT,
        coalesce(sum(coalesce(input_tokens, 0) + coalesce(cached_input_tokens, 0)
            + coalesce(cache_write_tokens, 0) + coalesce(output_tokens, 0)), 0)::BIGINT,
        coalesce(sum(cost_nano), 0)::BIGINT
    FROM events GROUP BY source
"""


class Totals(NamedTuple):
    """Events, tokens (all four kinds), and cost in nano-dollars."""

    events: int
    tokens: int
    cost_nano: int

    def __str__(self) -> str:
        dollars = self.cost_nano / NANO
        return f"{self.events:,} events, {self.tokens:,} tokens, {dollars:,.2f} USD"
