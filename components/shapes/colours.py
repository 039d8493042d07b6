"""The colours of charts, by name: `assets/theme.css` has them for light and dark, `assets/chart.js`
puts in those of the theme. No colour depends on who reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

# Told apart by readers with any common colour vision (tests/analytics/test_colours.py measures it).
PALETTE: Final = tuple(f"var(--chart-{number})" for number in range(1, 9))
ONE_HUE: Final = PALETTE[0]
OTHER: Final = "var(--chart-other)"
NOBODY: Final = "var(--chart-nobody)"
EARLIER: Final = "var(--chart-earlier)"
LEAST: Final = "var(--chart-least)"
STATUS: Final = {
    "ok": "var(--chart-ok)", "error": "var(--chart-failed)", "aborted": "var(--chart-aborted)",
}  # fmt: skip


class Style(NamedTuple):
    """A colour, and whether it is only the outline: of what has no value."""

    colour: str
    outlined: bool = False


def styles(keys: Sequence[str | None], places: Mapping[str, int]) -> list[Style]:
    """The style of each value of a chart; `places` is the order of their first appearance.

    A value keeps its colour from chart to chart. Where two of a chart would share one, the one
    that appeared later has the next that is free.
    """
    taken = list[str]()
    found: dict[str | None, Style] = {None: Style(NOBODY, outlined=True)}
    for key in sorted({key for key in keys if key in places}, key=lambda key: places[str(key)]):
        colour = _free(places[str(key)], taken)
        taken.append(colour)
        found[key] = Style(colour)
    return [found.get(key, Style(OTHER)) for key in keys]


def _free(place: int, taken: list[str]) -> str:
    """The colour of a place, or the next that is taken least often."""
    order = [PALETTE[(place + step) % len(PALETTE)] for step in range(len(PALETTE))]
    return min(order, key=taken.count)
