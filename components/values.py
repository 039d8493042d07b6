"""How values read: names of dimensions' values, what stands on hover, and changes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import pandas as pd

from data.events.table import NONE
from data.local_time import WIDTHS, instant
from data.query.catalog import DIMENSIONS, OTHER, OTHER_LABEL, WEEKDAY, Metric
from data.query.event_time import TIME_PARTS
from data.query.series import or_none
from data.query.units import DASH
from data.query.windows import Window

SHORT: Final = 2 * WIDTHS["day"]  # a window that is told by its hours
NOISE: Final = 0.05
TIMES: Final = 9  # a change from here on is told as a multiple
WEEK: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def hover_text(value: Any, several: Mapping[str, tuple[str, ...]]) -> str | None:
    """What stands on hover of a name: the id, and the others of a user who has several."""
    if (known := or_none(value)) is None:
        return None
    others = several.get(str(known), ())[1:]
    return f"{known} (also {', '.join(others)})" if others else str(known)


def time_part_label(by: str, value: Any) -> str:
    """A weekday's or an hour's name."""
    return WEEK[int(value)] if by == WEEKDAY else f"{int(value):02d}:00"


def value_label(row: Mapping[Any, Any], by: str) -> str:
    """The name of a row's value of a dimension: `(none)`, `Other`, its name, or its id."""
    naming = DIMENSIONS[by].naming
    return _label(row[by], row.get(naming) if naming else None, by)


def value_labels(frame: pd.DataFrame, by: str) -> list[str]:
    """The same of each row of a frame."""
    naming = DIMENSIONS[by].naming
    names = frame[naming].tolist() if naming in frame.columns else [None] * len(frame)
    return [_label(value, name, by) for value, name in zip(frame[by].tolist(), names, strict=True)]


def _label(value: Any, name: Any, by: str) -> str:
    value = or_none(value)
    if value is None:
        return NONE
    if value == OTHER:
        return OTHER_LABEL
    if by in TIME_PARTS:
        return time_part_label(by, value)
    return DIMENSIONS[by].label_of(str(or_none(name) or value))


def period_text(window: Window, beside: Window) -> str:
    """The days of a window (`1–30 Sep`), or the hours of a short one; a year where it is not that
    of the window `beside`."""
    first, last = (instant(us, window.zone) for us in (window.start, window.end - 1))
    end, year = instant(window.end, window.zone), ""
    if last.year != instant(beside.end - 1, beside.zone).year:
        year = f" {last.year}"
    if window.end - window.start < SHORT and (first.minute or first.hour or end.hour or end.minute):
        start = f"{first.day} {first:%b %H:%M}"
        same = first.date() == end.date()
        return f"{start}–{end:%H:%M}{year}" if same else f"{start} – {end.day} {end:%b %H:%M}{year}"
    if first.date() == last.date():
        return f"{last.day} {last:%b}{year}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{last.day} {last:%b}{year}"
    since = "" if first.year == last.year else f" {first.year}"
    return f"{first.day} {first:%b}{since} – {last.day} {last:%b}{year}"


def is_nothing(value: Any) -> bool:
    """Whether a number is zero or unknown."""
    return not or_none(value)


class Change(NamedTuple):
    """How a number changed: as text, and whether that is `good` or `bad`; `even` where it is
    neither, or no more than noise."""

    text: str
    mood: str
    size: float | None  # relative, or of a share the difference


def change(metric: Metric, now: Any, before: Any) -> Change:
    """What became of a metric's earlier value."""
    now, before = or_none(now), or_none(before)
    if now is None or before is None:
        return Change(DASH, "even", None)
    mood, moved = _mood(metric, now, before), float(now) - float(before)
    if metric.unit.in_points:
        return Change(_signed(f"{100 * abs(moved):.1f}", moved, " pt"), mood, moved)
    if not before:
        return Change("new" if now else "0.0%", "even", None)
    size = moved / abs(float(before))
    if size >= TIMES and before > 0:
        return Change(f"×{now / before:,.0f}", mood, size)
    return Change(_signed(_percent(abs(size)), size, "%"), mood, size)


def _percent(size: float) -> str:
    """A tenth from 10 on says nothing; but what is all is gone, and what is nearly all is not."""
    exact, whole = f"{100 * size:.1f}", f"{100 * size:.0f}"
    return whole if float(exact) >= 10 and (size >= 1 or whole != "100") else exact


def _signed(digits: str, size: float, unit: str) -> str:
    """With a true minus, and no sign of what rounds to nothing."""
    sign = "" if not float(digits) else "+" if size > 0 else "−"
    return f"{sign}{digits}{unit}"


def _mood(metric: Metric, now: Any, before: Any) -> str:
    if metric.better == "neither" or is_noise(metric, float(now), float(before)):
        return "even"
    return "good" if (now > before) == (metric.better == "more") else "bad"


def is_noise(metric: Metric, now: float, before: float) -> bool:
    """Whether a change says nothing: under a twentieth of what was, or of a count less than twice
    what chance alone would make of it."""
    moved = abs(now - before)
    chance = 2 * math.sqrt(abs(now) + abs(before)) if metric.unit.by_chance else 0
    return not moved or moved < NOISE * abs(before) or moved < chance
