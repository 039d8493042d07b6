"""LiteLLM's own daily sums beside its rows: never added, but where they differ the report says so.

LiteLLM keeps a row only if its request_id is new, while its daily sums count every call: where
an upstream repeats its ids, rows are lost. Days are UTC, by startTime, in both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from data.errors import EventError
from data.sources.fields import count, decimal, exact_count, plain_count
from data.sources.format import Note, UsageCosts

DUST: Final = Decimal("1e-8")  # both sides are sums of binary fractions
MOST_DAYS: Final = 3
LOST: Final = "LiteLLM's daily sums hold more than its spend logs on {}: it lost the rows of {}"
UNSUMMED: Final = "LiteLLM's spend logs hold more than its daily sums on {}: they do not have {}"


@dataclass(slots=True)
class DayTotal:
    """Requests, dollars and tokens (prompt and completion) of a day."""

    requests: int = 0
    spend: Decimal = Decimal(0)
    tokens: int = 0

    def add(self, row: Mapping[str, Any], requests: int) -> None:
        """One more row, of the logs or of the daily table."""
        self.requests += requests
        with suppress(EventError):  # a cost that cannot be is unknown
            self.spend += decimal("spend", row.get("spend")) or 0
        for name in ("prompt_tokens", "completion_tokens"):
            if (plain := plain_count(row.get(name))) is not None:  # as mostly
                self.tokens += plain
                continue
            with suppress(EventError):  # noted where the row is read
                self.tokens += exact_count(name, row.get(name)) or 0

    def exceeds(self, other: DayTotal) -> bool:
        """Whether it holds more; where the requests agree, whether it holds more of them."""
        if self.requests != other.requests:
            return self.requests > other.requests
        if abs(self.spend - other.spend) > DUST:
            return self.spend > other.spend
        return self.tokens > other.tokens


class DailyTotals:
    """The sums of both, and what they say together."""

    def __init__(self) -> None:
        self._logged: dict[str, DayTotal] = defaultdict(DayTotal)
        self._summed: dict[str, DayTotal] = defaultdict(DayTotal)

    @staticmethod
    def reconcile(files: Sequence[DailyTotals], _: UsageCosts, /) -> Iterator[str]:
        """One file of rows beside one of daily sums; of several it is not known which overlap.

        Sums of days before the first row or after the last may belong to rows of another file.
        """
        rows = [each._logged for each in files if each._logged]
        sums = [each._summed for each in files if each._summed]
        if len(rows) == len(sums) == 1:
            dated = [day for day in rows[0] if day[:1].isdigit()]
            both, first, last = DailyTotals(), min(dated, default=""), max(dated, default="")
            both._logged |= rows[0]
            both._summed |= {day: one for day, one in sums[0].items() if first <= day <= last}
            yield from (note.text for note in both.notes())

    def add_row(self, row: Mapping[str, Any]) -> None:
        """A row of the spend logs."""
        self._logged[str(row.get("startTime"))[:10]].add(row, 1)

    def add_total(self, row: Mapping[str, Any]) -> None:
        """A row of LiteLLM_DailyUserSpend; several make a day."""
        self._summed[str(row.get("date"))[:10]].add(
            row, count("api_requests", row.get("api_requests")) or 0
        )

    def notes(self) -> Iterator[Note]:
        """A sentence for each direction in which they differ; none without daily sums."""
        if self._summed:
            yield from _difference(LOST, self._summed, self._logged)
            yield from _difference(UNSUMMED, self._logged, self._summed)


def _difference(
    sentence: str, these: Mapping[str, DayTotal], those: Mapping[str, DayTotal]
) -> Iterator[Note]:
    pairs = {day: (one, those.get(day, DayTotal())) for day, one in sorted(these.items())}
    days = [day for day, (one, other) in pairs.items() if one.exceeds(other)]
    if not days:
        return
    more = [pairs[day] for day in days]
    requests = sum(one.requests - other.requests for one, other in more)
    spend = sum(one.spend - other.spend for one, other in more)
    tokens = sum(one.tokens - other.tokens for one, other in more)
    listed_days = ", ".join(days[:MOST_DAYS]) + (" …" if len(days) > MOST_DAYS else "")
    which = f"{len(days)} day{'s' if len(days) > 1 else ''} ({listed_days})"
    what = f"{requests:,} requests with ${spend:,.6f} and {tokens:,} tokens"
    yield Note(sentence.format(which, what))
