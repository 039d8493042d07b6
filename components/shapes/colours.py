"""The one colour a value has in every chart, and the pattern where two of a chart share one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

# Told apart by readers with any common colour vision (tests/analytics/test_charts.py measures it).
PALETTE: Final = (
    "#5166cd", "#e3ce63", "#e363a3", "#86d9ea", "#bc8062", "#5e25d0", "#c1d49b", "#ad1f4e",
    "#9d90df", "#8b8b18", "#723172", "#8b3f18",
)  # fmt: skip
UNKNOWN: Final = "#6f7682"
GREY: Final = "#a6abb4"
# What tells a colour's second and later users apart: the fill of bars, the strokes of lines.
PATTERNS: Final = ("", "/", ".", "x")
DASHES: Final = ("solid", "dash", "dot", "dashdot")


class Style(NamedTuple):
    """A colour, and how many of the chart's values had it before."""

    colour: str
    repeat: int = 0


def styles(keys: Sequence[str | None], places: Mapping[str, int]) -> list[Style]:
    """The style of each value of a chart; `places` is everybody's order of first appearance.

    A value keeps its colour in every chart. Where two of a chart share one, the later known has
    a pattern.
    """
    used: Counter[str] = Counter()
    found: dict[str | None, Style] = {None: Style(UNKNOWN)}
    for key in sorted({key for key in keys if key in places}, key=lambda key: places[str(key)]):
        colour = PALETTE[places[str(key)] % len(PALETTE)]
        found[key] = Style(colour, used[colour] % len(PATTERNS))
        used[colour] += 1
    return [found.get(key, Style(GREY)) for key in keys]
