"""What is asked of everybody: cost of thirty days, by day, and the ten who cost most."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol

from data.events.table import micros

QUESTIONS: Final = {
    "day": "cost per day", "user": "per user, top 10", "model": "per model, top 10",
    "project": "per team, top 10",
}  # fmt: skip
TOP: Final = 10
LAST: Final = date(2026, 11, 20)  # of the sample, see tests/bench/crowd.py
FIRST: Final = LAST - timedelta(days=29)
# The same days in UTC: from the first moment until before the second.
START: Final = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)
END: Final = START + timedelta(days=30)
SPAN: Final = (micros(START), micros(END))
CENT: Final = 0.01
Answer = Mapping[str, float]
"""Dollars by day (ISO 8601), user, model or project."""


class Peer(Protocol):
    """Who answers."""

    def ask(self, question: str) -> Answer:
        """The answer to one of `QUESTIONS`."""


def difference(ours: Answer, theirs: Answer) -> str:
    """What differs by half a cent or more, in a sentence; empty where both say the same. Who is
    not named cost nothing."""
    for key in sorted({*ours, *theirs}):
        one, other = ours.get(key, 0.0), theirs.get(key, 0.0)
        if abs(one - other) >= CENT / 2:
            return f"{key}: {other:,.4f} $ where pandas has {one:,.4f} $"
    return ""
