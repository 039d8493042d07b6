"""How a change and a bucket of time read; how a value does is its unit's matter."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import pandas as pd

from data.local_time import Grain, instant
from data.query.units import DASH
from data.query.windows import Window

SO_FAR: Final = " · so far"


def change(now: Any, before: Any) -> float | None:
    """The relative change, or None where there is nothing to compare with."""
    if pd.isna(now) or pd.isna(before) or not before:
        return None
    return float(now) / float(before) - 1


def change_text(value: float | None) -> str:
    """`+12.3 %` with a true minus; a dash where it cannot be said."""
    if value is None:
        return DASH
    if abs(value) >= 9.995:
        return f"{'+' if value > 0 else '−'}{abs(value) + (value > 0):,.0f}×"
    return f"{'+' if value >= 0 else '−'}{abs(value):.1%}"


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
