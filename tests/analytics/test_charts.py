"""What charts show: every value told apart, nothing lost, nothing taken for markup."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from typing import Any, Final

import pytest

from components.sections.declared import SECTIONS
from components.shapes.axes import vertical_layout
from components.shapes.colours import GREY, PALETTE, UNKNOWN, styles
from data.access.scope import Scope
from data.query.answers import Answer, answer
from data.query.catalog import METRICS
from data.query.filters import parse
from data.query.windows import ALL_TIME
from tests.serving import ADMIN, Served, serving

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
XYZ: Final = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750),
              (0.0193339, 0.1191920, 0.9503041))  # fmt: skip
D65: Final = (0.95047, 1.0, 1.08883)
APART: Final = 15.0
GROUNDS: Final = ("#ffffff", "#191d26")
# Bars lie on a card with lines around them: less than text needs, and never invisible.
CONTRAST: Final = 1.5
NAMES: Final = (*(f"m{n:02}" for n in range(11)), "<b>bold</b>", "a & b", '"><img src=x>')
Triple = tuple[float, float, float]


def linear(colour: str) -> Triple:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return red, green, blue


def times(matrix: Any, values: Triple) -> Triple:
    one, two, three = (sum(m * v for m, v in zip(row, values, strict=True)) for row in matrix)
    return one, two, three


def lab(colour: str, kind: str) -> Triple:
    seen = times(SEEN[kind], linear(colour))
    clipped = tuple(min(1.0, max(0.0, value)) for value in seen)
    x, y, z = (v / white for v, white in zip(times(XYZ, clipped), D65, strict=True))  # type: ignore[arg-type]
    x, y, z = (v ** (1 / 3) if v > 216 / 24389 else v * 841 / 108 + 4 / 29 for v in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(one: str, other: str, kind: str) -> float:
    pairs = zip(lab(one, kind), lab(other, kind), strict=True)
    return math.sqrt(sum((a - b) ** 2 for a, b in pairs))


def contrast(one: str, other: str) -> float:
    light = [sum(w * c for w, c in zip(XYZ[1], linear(each), strict=True)) for each in (one, other)]
    return (max(light) + 0.05) / (min(light) + 0.05)


@pytest.mark.parametrize("kind", SEEN)
def test_every_reader_can_tell_the_colours_apart(kind: str) -> None:
    nearest = min((distance(a, b, kind), a, b) for a, b in combinations(PALETTE, 2))
    assert nearest[0] >= APART, nearest


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("colour", [*PALETTE, GREY, UNKNOWN])
def test_every_colour_stands_out_from_the_page(colour: str, ground: str) -> None:
    assert contrast(colour, ground) >= CONTRAST


def test_the_measure_of_colours_is_right() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert distance("#ffffff", "#000000", "trichromacy") == pytest.approx(100, abs=0.1)
    assert distance("#d00000", "#707000", "deuteranopia") < distance(
        "#d00000", "#707000", "trichromacy"
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("charts")) as one:
        one.load(event(n) for n in range(140))
        yield one


def event(n: int) -> dict[str, Any]:
    """Calls of many models on four days of October; m00 is the smallest, others grow."""
    place = n % len(NAMES)
    return {
        "event_id": f"e{n}", "ts": f"2026-10-{24 + n % 4}T{n % 24:02}:10:00Z", "kind": "llm",
        "model": NAMES[place], "user": f"u{place}", "cost_nano": (place + 1) * 333_333_333 + n,
        "input_tokens": 7, "duration_ms": None if n % 4 == 2 else 100 + n,
    }  # fmt: skip


def drawn(
    served: Served, key: str, measure: str, days: tuple[int, int] = (20, 30), **choice: Any
) -> tuple[dict[str, Any], Answer]:
    span = {"from": f"2026-10-{days[0]}", "to": f"2026-10-{days[1]}"}
    told = {"preset": "custom", "tz": "Europe/Berlin"} | span | choice
    filters = parse(told, served.settings.now())
    said = answer(SECTIONS[key], filters, Scope.of(ADMIN), served.store, "model", measure)
    return SECTIONS[key].shape.draw(said), said


def colours(figure: dict[str, Any]) -> dict[str, Any]:
    """The colour of each name, in a ranking or over time."""
    made: dict[str, Any] = {}
    for trace in figure["data"]:
        marker = trace.get("line", trace["marker"])["color"]
        if "orientation" in trace:
            made |= dict(zip(trace["customdata"], marker, strict=True))
        else:
            made[trace["name"]] = marker if isinstance(marker, str) else marker[0]
    return made


def test_one_colour_an_entity_whatever_its_rank(served: Served) -> None:
    everything, _ = drawn(served, "models-over-time", "cost")
    ranked, _ = drawn(served, "top-models", "cost")
    lines, _ = drawn(served, "models-over-time", "duration_avg")
    few, _ = drawn(served, "top-models", "tokens", model=list(NAMES[5:9]))
    seen: dict[str, Any] = {}
    for figure in (everything, ranked, lines, few):
        for name, colour in colours(figure).items():
            if not name.startswith("Other"):
                assert seen.setdefault(name, colour) == colour
    assert len(seen) > 8


@pytest.mark.parametrize("key", ["models-over-time", "top-models"])
@pytest.mark.parametrize("measure", ["cost", "requests", "tokens"])
def test_the_parts_with_other_are_the_whole(served: Served, key: str, measure: str) -> None:
    figure, said = drawn(served, key, measure)
    values = [v for t in figure["data"] for v in t["x" if "orientation" in t else "y"]]
    total = said.totals[measure].iloc[0]
    assert round(sum(round(v * 10**9) for v in values) / 10**9, 9) == total
    assert any(name.startswith("Other") for name in colours(figure))


def test_a_ranking_of_averages_has_no_other(served: Served) -> None:
    figure, _ = drawn(served, "models", "duration_avg")
    assert not [name for name in colours(figure) if name.startswith("Other")]


@pytest.mark.parametrize(("measure", "empty"), [
    ("cost", 0), ("requests", 0), ("tokens", 0), ("errors", 0),
    ("duration_avg", None), ("duration_p95", None), ("error_rate", None), ("cached_share", None),
])  # fmt: skip
def test_an_empty_bucket_is_zero_or_a_gap(served: Served, measure: str, empty: Any) -> None:
    figure, _ = drawn(served, "models-over-time", measure)
    for trace in figure["data"]:
        assert trace["x"][0] == "20 Oct 2026"
        assert trace["y"][0] == empty
        assert len(trace["y"]) == 10


def test_no_name_is_markup(served: Served) -> None:
    for key in ("models-over-time", "top-models"):
        figure, _ = drawn(served, key, "cost")
        said = [*colours(figure), *figure["layout"]["yaxis"].get("ticktext", ())]
        assert any("&lt;b&gt;bold" in name for name in said)
        assert not any("<" in name or '">' in name for name in said)
        # The marks hold the value itself, for a click; nothing draws them.
        shown = [{k: v for k, v in trace.items() if k != "meta"} for trace in figure["data"]]
        assert "<b>" not in repr((shown, figure["layout"]))
        assert "<img" not in repr((shown, figure["layout"]))


def test_the_hour_that_comes_twice_has_two_labels(served: Served) -> None:
    figure, _ = drawn(served, "models-over-time", "cost", (25, 26))
    labels = figure["data"][0]["x"]
    assert len(labels) == len(set(labels)) == 25
    assert [label for label in labels if "02:00" in label] == [
        "25 Oct 02:00 +0200", "25 Oct 02:00 +0100",
    ]  # fmt: skip


def test_nothing_to_draw_is_an_empty_chart(served: Served) -> None:
    for one in SECTIONS.values():
        if one.shape.has_chart:
            filters = parse({"preset": "last_hour"}, served.settings.now())
            said = answer(one, filters, Scope.of({"sub": "nobody"}), served.store)
            assert set(one.shape.draw(said)) >= {"data", "layout"}


def test_two_of_a_chart_never_look_alike() -> None:
    """Forty-eight values later the same colour comes again: in one chart it gets a pattern."""
    places = {f"v{n}": n for n in range(100)}
    twins = ["v60", "v12", None, "v3", "", "v0"]
    seen = dict(zip(twins, styles(twins, places), strict=True))
    assert [seen[name] for name in ("v0", "v12", "v60")] == [(PALETTE[0], n) for n in range(3)]
    assert seen["v3"] == (PALETTE[3], 0) == styles(["v3"], places)[0]
    assert len({*map(str, seen.values())}) == len(twins)


def test_few_are_counted_in_whole_steps() -> None:
    assert vertical_layout(METRICS["active_users"], [], ALL_TIME, 3)["yaxis"]["dtick"] == 1
    assert "dtick" not in vertical_layout(METRICS["active_users"], [], ALL_TIME, 300)["yaxis"]
    assert "dtick" not in vertical_layout(METRICS["cost"], [], ALL_TIME, 3)["yaxis"]
