"""The buckets of an answer over time: what they are called, and from when to when they are."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from data.local_time import Grain, buckets, instant
from data.query.answers import Answer
from data.query.catalog import TIME
from data.query.windows import Window

SO_FAR: Final = " · so far"
PART: Final = " · part"
INCOMPLETE: Final = (SO_FAR, PART)


def bucket_labels(answer: Answer) -> list[str]:
    """What the answer's buckets are called, in order."""
    return labels(_starts(answer), answer.grain, answer.window)


def bucket_ranges(answer: Answer) -> dict[int, list[str]]:
    """`[from, to]` of each bucket within the window, by its start; none of an answer that is not
    over time."""
    if TIME not in answer.dimensions:
        return {}
    window, starts = answer.window, _starts(answer)
    ends = [*starts, window.end][1:]
    return {
        start: [
            instant(us, window.zone).isoformat()
            for us in (max(start, window.start), min(end, window.end))
        ]
        for start, end in zip(starts, ends, strict=True)
    }


def labels(starts: list[int], grain: Grain, window: Window) -> list[str]:
    """A label for each bucket, all different: the hour that repeats in autumn names its offset.

    A bucket that the window cuts is marked: as still running where the window ends now.
    """
    zone = window.zone
    made = [bucket_label(instant(us, zone), grain) for us in starts]
    twice = {label for label in made if made.count(label) > 1} if len(set(made)) < len(made) else ()
    made = [
        f"{label} {instant(us, zone):%z}" if label in twice else label
        for label, us in zip(made, starts, strict=True)
    ]
    return [f"{label}{cut}" for label, cut in zip(made, _cuts(starts, grain, window), strict=True)]


def _cuts(starts: list[int], grain: Grain, window: Window) -> list[str]:
    """The mark of each bucket, empty for a whole one."""
    cuts = ["" for _ in starts]
    if starts and starts[0] < window.start:
        cuts[0] = PART
    if starts and window.rolling:
        cuts[-1] = SO_FAR
    elif starts and buckets(window.end, window.end + 1, window.zone, grain)[0] < window.end:
        cuts[-1] = PART
    return cuts


def _starts(answer: Answer) -> list[int]:
    return [int(us) for us in answer.frame[TIME].drop_duplicates()]


def bucket_label(at: datetime, grain: Grain) -> str:
    """What a bucket that begins then is called."""
    day = f"{at.day} {at:%b}"
    if grain in ("minute", "hour"):
        return f"{day} {at:%H:%M}"
    return f"{at:%b %Y}" if grain == "month" else f"{day} {at:%Y}"
