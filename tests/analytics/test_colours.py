"""Colours: told apart by every reader, and each value's own, in the order of first appearance."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import pytest

from components.sections.declared import section
from components.shapes import colours as names
from components.shapes.colours import NOBODY, OTHER, PALETTE, styles
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.query import answers
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.windows import ALL_TIME

# Machado, Oliveira and Fernandes 2009, severity 1: linear RGB as each kind of reader sees it.
SEEN: Final = {
    "trichromacy": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
                     (-0.011820, 0.042940, 0.968881)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
                   (-0.003882, -0.048116, 1.051998)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602),
                   (0.004733, 0.691367, 0.303900)),
}  # fmt: skip
# Ottosson 2020: from linear RGB to OKLab.
LMS: Final = ((0.4122214708, 0.5363325363, 0.0514459929),
              (0.2119034982, 0.6806995451, 0.1073969566),
              (0.0883024619, 0.2817188376, 0.6299787005))  # fmt: skip
OKLAB: Final = ((0.2104542553, 0.7936177850, -0.0040720468),
                (1.9779984951, -2.4285922050, 0.4505937099),
                (0.0259040371, 0.7827717662, -0.8086757660))  # fmt: skip
LUMINANCE: Final = (0.2126729, 0.7151522, 0.0721750)
APART: Final = 12.0  # of a hundred
CONTRAST: Final = 3.0  # WCAG 2.2, 1.4.11
CSS: Final = (Path(__file__).parents[2] / "assets" / "theme.css").read_text(encoding="utf-8")
THEMES: Final = ("light", "dark")
Triple = tuple[float, float, float]
EVERYBODY = Scope.of({"sub": "boss", "isAdmin": True})
EVERYTHING = Filters(ALL_TIME)


def theme(name: str) -> dict[str, str]:
    """The variables of a theme."""
    found = re.search(rf'\[data-bs-theme="{name}"\] {{(.*?)}}', CSS, re.DOTALL)
    assert found is not None
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", found[1]))


def colour(reference: str, variables: Mapping[str, str]) -> str:
    return variables[reference.removeprefix("var(--").removesuffix(")")]


def linear(value: str) -> Triple:
    parts = (int(value[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return red, green, blue


def times(matrix: Any, values: Triple) -> Triple:
    one, two, three = (sum(m * v for m, v in zip(row, values, strict=True)) for row in matrix)
    return one, two, three


def oklab(value: str, kind: str) -> Triple:
    seen = (min(1.0, max(0.0, part)) for part in times(SEEN[kind], linear(value)))
    long, medium, short = (
        part ** (1 / 3) for part in times(LMS, (next(seen), next(seen), next(seen)))
    )
    return times(OKLAB, (long, medium, short))


def distance(one: str, other: str, kind: str) -> float:
    return 100 * math.dist(oklab(one, kind), oklab(other, kind))


def contrast(one: str, other: str) -> float:
    light = [sum(w * c for w, c in zip(LUMINANCE, linear(e), strict=True)) for e in (one, other)]
    return (max(light) + 0.05) / (min(light) + 0.05)


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("kind", SEEN)
def test_every_reader_can_tell_the_colours_apart(kind: str, name: str) -> None:
    known = theme(name)
    found = [colour(one, known) for one in PALETTE]
    assert len(set(found)) == 8
    nearest = min((distance(a, b, kind), a, b) for a, b in combinations(found, 2))
    assert nearest[0] >= APART, nearest


@pytest.mark.parametrize("name", THEMES)
def test_every_colour_stands_out_from_the_page(name: str) -> None:
    known = theme(name)
    for reference in (*PALETTE, NOBODY):
        assert contrast(colour(reference, known), known["surface"]) >= CONTRAST, reference


@pytest.mark.parametrize("name", THEMES)
def test_a_theme_has_every_colour_that_charts_name(name: str) -> None:
    known = theme(name)
    more = (names.OTHER, names.LEAST, *names.STATUS.values())
    assert all(colour(one, known) for one in (*PALETTE, *more))


def test_the_measure_of_colours_is_right() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert distance("#ffffff", "#000000", "trichromacy") == pytest.approx(100, abs=0.1)
    assert distance("#d00000", "#707000", "deuteranopia") < distance(
        "#d00000", "#707000", "trichromacy"
    )


def test_two_of_a_chart_never_look_alike() -> None:
    """Who would share a colour with an earlier one has the next that is free."""
    places = {f"v{n}": n for n in range(100)}
    twins = ["v16", "v8", None, "v3", "", "v0"]
    seen = dict(zip(twins, styles(twins, places), strict=True))
    assert [seen[name].colour for name in ("v0", "v8", "v16")] == list(PALETTE[:3])
    assert seen["v3"] == (PALETTE[3], False) == styles(["v3"], places)[0]
    assert (seen[None], seen[""]) == ((NOBODY, True), (OTHER, False))
    assert len({*map(str, seen.values())}) == len(twins)


def colours(store: EventStore, scope: Scope = EVERYBODY) -> Mapping[str, int]:
    return answers.answer(section("top-models"), EVERYTHING, scope, store).colours


def test_a_new_value_comes_after_those_known_before(
    store: EventStore, event: Callable[..., Any]
) -> None:
    store.write([event(model="second", ts="2026-11-02"), event(model="first", ts="2026-11-01")])
    assert colours(store) == {"first": 0, "second": 1}
    store.write([event(model="third", ts="2026-11-03")])
    assert colours(store) == {"first": 0, "second": 1, "third": 2}


def test_events_that_bring_no_new_value_do_not_ask_all_of_time_again(
    store: EventStore, event: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write([event(model="known"), event(model=None)])
    monkeypatch.setattr(answers, "COLOURED_FOR", 10**9)
    asked: list[Query] = []
    monkeypatch.setattr(answers, "run", lambda q, *rest: asked.append(q) or run(q, *rest))
    for _ in range(3):
        colours(store)
        store.write([event(model="known")])
    assert sum(query.metrics == ("first_event",) for query in asked) == 1


def test_a_colour_does_not_depend_on_who_reads(
    store: EventStore, event: Callable[..., Any]
) -> None:
    store.write([event(model="hers", user="ana"), event(model="his", user="bob")])
    assert colours(store) == {"hers": 0, "his": 1}
    assert colours(store, Scope.of({"sub": "bob"})) == {"his": 1}
