"""How a value reads: one place for money, counts, shares, durations and instants."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from data.local_time import Grain, instant
from data.query.windows import Window

DASH: Final = "–"
SO_FAR: Final = " · so far"
SCALES: Final = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def text(value: Any, unit: str, zone: str = "UTC") -> str:
    """The value in full, as in a table; unknown is a dash, never a zero."""
    if _missing(value):
        return DASH
    if unit == "instant":
        return moment(int(value), zone)
    return FULL[unit](value) if unit in FULL else str(value)


def brief(value: Any, unit: str, zone: str = "UTC") -> str:
    """The value in at most about six characters, as in a headline."""
    if _missing(value) or unit not in ("usd", "count", "tokens"):
        return text(value, unit, zone)
    sign = "$" if unit == "usd" else ""
    for scale, letter in SCALES:
        # 999,950 reads 1.00M, not 1000k.
        if abs(value) >= scale * 0.99995 and abs(value) >= 10_000:
            return f"{sign}{_three(value / scale)}{letter}"
    return text(value, unit)


def _three(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 99.95 else f"{value:#.3g}"


def change(now: Any, before: Any) -> float | None:
    """The relative change, or None where there is nothing to compare with."""
    if _missing(now) or _missing(before) or not before:
        return None
    return float(now) / float(before) - 1


def change_text(value: float | None) -> str:
    """`+12.3 %` with a true minus; a dash where it cannot be said."""
    if value is None:
        return DASH
    if abs(value) >= 9.995:
        return f"{'+' if value > 0 else '−'}{abs(value) + (value > 0):,.0f}×"
    return f"{'+' if value >= 0 else '−'}{abs(value):.1%}"


def _missing(value: Any) -> bool:
    # pandas' NA is not comparable, not even with itself.
    return value is None or type(value).__name__ == "NAType" or value != value


def _money(value: float) -> str:
    if value and abs(value) < 0.01:
        return "<$0.01"
    return f"−${-value:,.2f}" if value < 0 else f"${value:,.2f}"


def _unit_cost(value: float) -> str:
    if not value:
        return "$0.00"
    if value >= 1:
        return _money(value)
    digits = min(9, 2 - math.floor(math.log10(value)))
    return f"${value:.{digits}f}" if value >= 1e-8 else "<$0.00000001"


def _share(value: float) -> str:
    if 0 < value < 0.0005:
        return "<0.1%"
    # 99.97 % is not all of it: round down short of the whole.
    return "99.9%" if 0.9995 <= value < 1 else f"{value:.1%}"


def _duration(value: float) -> str:
    if value < 1_000:
        return f"{value:.0f} ms"
    if value < 59_995:
        return f"{value / 1_000:.2f} s"
    minutes, seconds = divmod(round(value / 1_000), 60)
    return (
        f"{minutes // 60} h {minutes % 60:02d} m"
        if minutes >= 60
        else f"{minutes} m {seconds:02d} s"
    )


def _whole(value: float) -> str:
    return f"{int(value):,}"


FULL: Final[dict[str, Callable[[Any], str]]] = {
    "usd": _money,
    "usd_each": _unit_cost,
    "count": _whole,
    "tokens": _whole,
    "share": _share,
    "ms": _duration,
    "number": lambda value: f"{value:,.1f}".removesuffix(".0"),
}


def moment(us: int, zone: str) -> str:
    """`16 Nov 2026 14:05` in a zone."""
    return f"{_day(instant(us, zone))} {instant(us, zone):%Y %H:%M}"


def _day(at: datetime) -> str:
    return f"{at.day} {at:%b}"


def labels(starts: list[int], grain: Grain, window: Window) -> list[str]:
    """A label for each bucket, all different: the hour that repeats in autumn names its offset.

    The last bucket of a window that ends now is marked as still running.
    """
    zone = window.zone
    made = [_label(instant(us, zone), grain) for us in starts]
    twice = {label for label in made if made.count(label) > 1} if len(set(made)) < len(made) else ()
    made = [
        f"{label} {instant(us, zone):%z}" if label in twice else label
        for label, us in zip(made, starts, strict=True)
    ]
    return [*made[:-1], made[-1] + SO_FAR] if made and window.rolling else made


def _label(at: datetime, grain: Grain) -> str:
    if grain in ("minute", "hour"):
        return f"{_day(at)} {at:%H:%M}"
    return f"{at:%b %Y}" if grain == "month" else f"{_day(at)} {at:%Y}"
