"""Rows of LiteLLM that call no model: what only asks for an earlier answer or for lists, and what
only creates a batch, a file, a store or a job. Neither is counted.

A gateway logs each retrieval with the cost and tokens of what it asked for: a batch that is polled
five times once it has ended carries its whole cost five times. What is created costs nothing by
itself, mostly; where money stands in its row, the report says how much. A creation whose row has
tokens did call a model.
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
CREATION: Final = re.compile(
    r"^a?_?(create|upload|add|update|modify)_(batch|file|fine_tuning_job|assistants?|thread"
    r"|message|vector_store|container|sandbox|skill|eval|realtime_client_secret)(_file|_batch)?s?$"
    r"|^a?vector_store_(file_)?(create|update|search)$"
)
RETRIEVED: Final = "{} asks for what an earlier call made: no call, not counted"
CREATED: Final = "{} calls no model: no call, not counted"
RETRIEVED_COST: Final = (
    "{} asks for what an earlier call made: {:,} retrievals with ${:,.6f} in them, no calls; the"
    " money is not counted, since every poll tells it again"
)
CREATED_COST: Final = (
    "{} calls no model: {:,} rows with ${:,.6f} in them, no calls; the money is not counted"
)


def not_a_call(row: Mapping[str, Any]) -> Note | None:
    """A note where a row calls no model; None where it does."""
    kind = (text(row.get("call_type")) or "").lower()
    retrieved = RETRIEVAL.search(kind) is not None
    if not retrieved and (CREATION.search(kind) is None or _has_tokens(row)):
        return None
    name, spend = kind[:60], _number("spend", row)
    if spend:
        return TotalsNote("", SpendOfNoCalls(name, spend, retrieved))
    return Note((RETRIEVED if retrieved else CREATED).format(name))


def _has_tokens(row: Mapping[str, Any]) -> bool:
    return any(_number(name, row) for name in ("prompt_tokens", "completion_tokens"))


def _number(name: str, row: Mapping[str, Any]) -> Decimal:
    try:
        return decimal(name, row.get(name)) or Decimal(0)
    except EventError:  # none that could be counted
        return Decimal(0)


@dataclass(frozen=True, slots=True)
class SpendOfNoCalls:
    """What one row of a call type says it cost, in US dollars; `retrieved`: it is a retrieval."""

    kind: str
    spend: Decimal
    retrieved: bool

    @staticmethod
    def reconcile(totals: Sequence[SpendOfNoCalls], _: UsageCosts, /) -> Iterator[str]:
        """A sentence a call type."""
        kinds: dict[tuple[str, bool], list[Decimal]] = defaultdict(list)
        for one in totals:
            kinds[one.kind, one.retrieved].append(one.spend)
        for (kind, retrieved), spends in kinds.items():
            sentence = RETRIEVED_COST if retrieved else CREATED_COST
            yield sentence.format(kind, len(spends), sum(spends))
