"""When the sample organisation works: office hours in three zones, quiet weekends, slow growth."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from itertools import accumulate
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

HOUR: Final = 3_600_000_000
DAY: Final = 24 * HOUR
SECOND: Final = 1_000_000
# How busy an hour is, from midnight to 11 pm; a weekend's hours; the organisation at its start.
OFFICE: Final = (
    *(2, 1, 1, 1, 1, 2, 5, 16, 48, 88, 100, 94),
    *(62, 74, 96, 100, 92, 74, 46, 28, 20, 16, 10, 5),
)
WEEKEND: Final = 0.2
GROWTH: Final = 0.45
DAILY_NOISE: Final = 0.1  # no two days are alike


class Calendar:
    """Draws instants in `[start, until)`."""

    def __init__(self, rng: Random, days: int, until: int, zones: Collection[str]) -> None:
        self.start, self.until = until - days * DAY, until
        self._hours = range(self.start, until, HOUR)
        noise = [rng.lognormvariate(0, DAILY_NOISE) for _ in range(days + 1)]
        self._busy = {zone: list(accumulate(self._weights(zone, noise))) for zone in zones}

    def moment(self, rng: Random, zone: str) -> int:
        """An instant at which people of that zone would work."""
        hour = rng.choices(self._hours, cum_weights=self._busy[zone])[0]
        return hour + int(rng.random() * HOUR)

    def progress(self, ts: int) -> float:
        """0 at the start, 1 at the end."""
        return (ts - self.start) / (self.until - self.start)

    def _weights(self, zone: str, noise: list[float]) -> Iterator[float]:
        info = ZoneInfo(zone)
        for hour in self._hours:
            local = datetime.fromtimestamp(hour // SECOND, UTC).astimezone(info)
            weekend = WEEKEND if local.weekday() > 4 else 1
            growth = 1 + GROWTH * self.progress(hour)
            yield OFFICE[local.hour] * weekend * growth * noise[(hour - self.start) // DAY]
