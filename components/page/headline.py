"""A section without a chart: its numbers, large or in a band, which `assets/headline.js` draws."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final, NamedTuple

import pandas as pd

from components.page import tables
from components.page.cards import Card, Props, choice, named
from components.sections.declared import Section
from components.shapes.colours import PALETTE
from components.shapes.headline import Headline
from components.values import change, period_text
from data.query.catalog import METRICS, Metric
from data.query.comparison import before_name
from data.query.filters import Filters
from data.query.series import or_none

Numbered = dict[str, Any]


class Reader(NamedTuple):
    """Whom a page is made for: one who sees nobody else's activity, and the settings they have."""

    alone: bool = False
    settings: frozenset[str] = frozenset()


EVERYBODY: Final = Reader()


class Numbers(Card):
    """The card of a section without a chart."""

    _type: ClassVar[str] = "Numbers"


def band(one: Section, shape: Headline, reader: Reader, of: str = "") -> Numbers:
    """The numbers of a section, as this reader needs them."""
    large = shape.alone if reader.alone else shape.large
    placed = {*large, *shape.parts, shape.whole, shape.badge[0]}
    others = [name for name in one.metrics if name not in placed]
    # Large for others: of no use here, as to who sees only themselves that they are one.
    hidden = {*shape.large, *shape.alone} if large else set()
    declared = named(one) | {
        "className": f"{shape.css_class} large" if large else shape.css_class,
        "numbers": _called(large or one.metrics),
        "parts": [
            part | {"colour": colour}
            for part, colour in zip(_called(shape.parts), PALETTE, strict=False)
        ],
        "whole": _called([shape.whole] if large else []),
        "others": [part | {"hidden": part["value"] in hidden} for part in _called(others)],
        "badge": _called([shape.badge[0]] if large else []),
        "leadsTo": f"/settings/{shape.badge[1]}" if shape.badge[1] in reader.settings else "",
    }
    return Numbers(declared, "", "", of=of)


def _called(names: Iterable[str]) -> list[Props]:
    metrics = (METRICS[name] for name in names)
    return [choice(one.name, one.label) | {"help": one.help} for one in metrics]


def band_answer(
    names: tuple[str, ...], now: Numbered, filters: Filters, courses: pd.DataFrame | None = None
) -> Props:
    """The numbers, and beside each what it was in the window to compare with, if any; of those
    that have a column in `courses` how they went, bucket by bucket."""
    zone, window = filters.window.zone, filters.compared
    numbers = {name: _number(METRICS[name], now[name], zone) for name in names}
    if window:
        period = period_text(window, filters.window)
        for name in names:
            numbers[name] |= _before(METRICS[name], now[name], now[before_name(name)], period)
    if courses is not None:
        for name in set(names) & set(courses.columns):
            numbers[name]["course"] = _course(courses, name)
    return {"state": "ready", "numbers": numbers, "running": filters.window.rolling}


def _number(metric: Metric, now: Any, zone: str) -> Props:
    known = tables.raw(now)
    return {"text": metric.unit.brief(now, zone), "exact": "" if known is None else repr(known)}


def _before(metric: Metric, now: Any, before: Any, period: str) -> Props:
    """The change in sign and colour, and "was $2,135.12, 1–30 Sep"."""
    if or_none(before) is None:
        return {}
    if now == before:
        return {"change": "", "mood": "even", "was": ["unchanged since", period]}
    changed = change(metric, now, before)
    return {
        "change": changed.text, "mood": changed.mood,
        "was": [f"was {metric.unit.brief(before)},", period],
    }  # fmt: skip


def _course(courses: pd.DataFrame, name: str) -> list[list[float | None]]:
    """The values of now and, if they are compared, of before."""
    columns = [one for one in (name, before_name(name)) if one in courses.columns]
    return [[_float(value) for value in courses[one].tolist()] for one in columns]


def _float(value: Any) -> float | None:
    return None if or_none(value) is None else float(value)
