"""Rows of LiteLLM that only ask for what a call made, or for lists: no calls, and not counted.

A gateway logs each of them, and each time with the cost and tokens of what it asked for: a batch
that is polled five times once it has ended carries its whole cost five times.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from data.errors import EventError
from data.sources.fields import decimal, text
from data.sources.format import Note, TotalsNote, UsageCosts

RETRIEVAL: Final = re.compile(
    r"^a?(get|list|retrieve|cancel|delete)_"
    r"|^a?(file|video|container|vector_store\w*|skill)_(retrieve|list|content|delete|status)\b"
)
RETRIEVED: Final = "{} asks for what an earlier call made: no call, not counted"
WITH_COST: Final = (
    "{} asks for what an earlier call made: {:,} retrievals with ${:,.6f} in them, no calls; the"
    " money is not counted, since every poll tells it again"
)


def retrieval(row: Mapping[str, Any]) -> Note | None:
    """A note where a row only asks for what a call made, or for lists; None where it is a call."""
    kind = (text(row.get("call_type")) or "").lower()
    if not RETRIEVAL.search(kind):
        return None
    spend = _spend(row)
    return (
        TotalsNote("", Retrieved(kind[:60], spend)) if spend else Note(RETRIEVED.format(kind[:60]))
    )


def _spend(row: Mapping[str, Any]) -> Decimal:
    try:
        return decimal("spend", row.get("spend")) or Decimal(0)
    except EventError:  # no cost that could be counted
        return Decimal(0)


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What one retrieval of a kind says it cost, in US dollars."""

    kind: str
    spend: Decimal

    @staticmethod
    def reconcile(totals: Sequence[Retrieved], _: UsageCosts, /) -> Iterator[str]:
        """A sentence a kind."""
        kinds: dict[str, list[Decimal]] = defaultdict(list)
        for one in totals:
            kinds[one.kind].append(one.spend)
        for kind, spends in kinds.items():
            yield WITH_COST.format(kind, len(spends), sum(spends))
