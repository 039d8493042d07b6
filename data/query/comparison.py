"""A question and the same about an earlier window, side by side.

`<metric>_before` stands beside each metric: of the same value of a dimension, and of the bucket in
the same place. What has no row in the window has none here: its amount is in the earlier total.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.events.table import micros
from data.local_time import WIDTHS, buckets, instant
from data.query.catalog import METRICS, TIME
from data.query.event_time import SUB_DAILY
from data.query.query import Query
from data.query.run import largest, run, totals
from data.query.series import count_of_kind, fill_gaps, matching_rows, values_at
from data.query.windows import Window

Frame = pd.DataFrame
BEFORE: Final = "_before"
Stretches = Mapping[int, tuple[int, int]]  # start of a bucket → [from, to) of the one beside it


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer about the earlier `window`: `frame` has rows by the same dimensions, its time that
    of the bucket beside it; `totals` is one row. Both have the `metrics`, by their own names.
    `filled`: what counts no event of its kind is zero there, as where series fill their gaps."""

    window: Window
    metrics: tuple[str, ...]
    frame: Frame
    totals: Frame
    stretches: Stretches
    filled: bool = False


def before_name(metric: str) -> str:
    """The column with a metric's earlier value."""
    return f"{metric}{BEFORE}"


def run_compared(query: Query, scope: Scope, store: EventStore) -> Frame:
    """What `run` answers, with the earlier value beside each metric where there is a window to
    compare with."""
    frame = run(query, scope, store)
    if query.filters.compared is None:
        return frame
    return beside(frame, query.by, compare(query, query.metrics, scope, store))


def totals_compared(query: Query, scope: Scope, store: EventStore) -> dict[str, Any]:
    """What `totals` answers, with the earlier values where there is a window to compare with."""
    found = totals(query, scope, store)
    if query.filters.compared is None:
        return found
    before = totals(query.before(), scope, store)
    return found | {before_name(name): before[name] for name in query.metrics}


def compare(
    query: Query, metrics: tuple[str, ...], scope: Scope, store: EventStore, filled: bool = False
) -> Comparison:
    """These metrics of the same question about the earlier window; `filled` as `Comparison` has
    it."""
    kept = largest(query, scope, store) if query.top else query.kept
    before = replace(_before(query, metrics), kept=kept)
    totals = run(before.total(), scope, store)
    if TIME in query.by:
        return _over_time(query, before, totals, scope, store, filled)
    window = before.filters.window
    return Comparison(window, metrics, run(before, scope, store), totals, {}, filled)


def _before(query: Query, metrics: tuple[str, ...]) -> Query:
    return replace(
        query.before(), metrics=metrics, kept=None, top=None, order=(), limit=None, offset=0
    )


def questions_before(query: Query, metrics: tuple[str, ...]) -> Iterator[Query]:
    """What `compare` asks, but for rows by values that are yet to be found."""
    before = _before(query, metrics)
    yield before.total()
    if query.top is None and query.kept is None:
        yield _of_stretches(query, before) if TIME in query.by else before


def questions_of_trends(query: Query, metrics: tuple[str, ...]) -> Iterator[Query]:
    """What `trends` asks."""
    query = replace(query, metrics=metrics, by=(TIME,))
    yield query
    if query.filters.compared is not None:
        yield _of_stretches(query, query.before())


def trends(query: Query, metrics: tuple[str, ...], scope: Scope, store: EventStore) -> Frame:
    """A row a bucket with these metrics, and the earlier value beside each where there is a window
    to compare with; no totals are asked."""
    query = replace(query, metrics=metrics, by=(TIME,))
    frame = fill_gaps(run(query, scope, store), query)
    if query.filters.compared is None:
        return frame
    none = pd.DataFrame()
    return beside(frame, query.by, _over_time(query, query.before(), none, scope, store, True))


def _over_time(
    query: Query, before: Query, totals: Frame, scope: Scope, store: EventStore, filled: bool
) -> Comparison:
    """The rows of the earlier window, each in the time of the bucket it stands beside."""
    window, metrics = before.filters.window, before.metrics
    before = _of_stretches(query, before)
    frame, stretches = run(before, scope, store), _stretches(query, before)
    places = {start: bucket for bucket, (start, _) in stretches.items()}
    frame = frame[frame[TIME].isin(list(places))]
    frame = frame.assign(**{TIME: [places[start] for start in frame[TIME].tolist()]})
    clipped = {at: (max(start, window.start), end) for at, (start, end) in stretches.items()}
    return Comparison(window, metrics, frame, totals, clipped, filled)


def _of_stretches(query: Query, before: Query) -> Query:
    return replace(before, filters=replace(before.filters, window=_as_long(query)))


def beside(frame: Frame, by: Sequence[str], comparison: Comparison) -> Frame:
    """The frame with the earlier value beside each metric: zero of what adds up where nothing
    happened, null where there is no bucket to compare with."""
    if not by:
        totals = comparison.totals
        return frame.assign(**{before_name(n): totals[n].array for n in comparison.metrics})
    rows = matching_rows(frame, comparison.frame, by)
    known = np.ones(len(frame), dtype=bool)
    if TIME in by:
        known = frame[TIME].isin(list(comparison.stretches)).to_numpy()
    made = {before_name(n): _values(n, rows, known, comparison) for n in comparison.metrics}
    return frame.assign(**made)


def _values(name: str, rows: NDArray[np.int64], known: Any, comparison: Comparison) -> Any:
    """The earlier values of a metric, beside rows that have them in these of its own."""
    metric = METRICS[name]
    count = count_of_kind(metric, comparison.metrics) if comparison.filled else ""
    return values_at(rows, metric, comparison.frame, count, known)


def _as_long(query: Query) -> Window:
    """The part of the earlier window whose buckets can stand beside one of the query's."""
    window, earlier = query.filters.window, query.filters.before().window
    width = 31 * WIDTHS["day"] if query.bucket == "month" else WIDTHS[query.bucket]
    most = earlier.start + window.end - window.start + 2 * max(width, WIDTHS["hour"])
    return replace(earlier, end=min(earlier.end, most))


def _stretches(query: Query, before: Query) -> dict[int, tuple[int, int]]:
    """The earlier bucket beside each: at the same time of the clock since the start for hours and
    minutes, else the one with the same number."""
    here, there = (_places(one) for one in (query, before))
    window = before.filters.window
    ends = dict(zip(there.values(), [*there.values(), window.end][1:], strict=True))
    return {
        start: (there[place], min(ends[there[place]], window.end))
        for place, start in here.items()
        if place in there
    }


def _places(query: Query) -> dict[tuple[int, int], int]:
    """The start of each bucket, by its place: how far on, and which of those that are as far."""
    window, grain = query.filters.window, query.bucket
    starts = buckets(window.start, window.end, window.zone, grain)
    if grain not in SUB_DAILY:
        return {(number, 0): start for number, start in enumerate(starts)}
    made: dict[tuple[int, int], int] = {}
    clocks = [_clock(start, window.zone) // WIDTHS[grain] for start in starts]
    for clock, start in zip(clocks, starts, strict=True):
        passed = clock - clocks[0]
        made[passed, int((passed, 0) in made)] = start
    return made


def _clock(us: int, tz: str) -> int:
    """What a clock on the wall shows, in µs as if UTC."""
    return micros(instant(us, tz).replace(tzinfo=UTC))
