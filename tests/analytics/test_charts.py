"""What charts show: every value told apart, nothing lost, nothing taken for markup."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from components.sections.declared import SECTIONS
from components.shapes.axes import vertical_layout
from components.shapes.colours import ONE_HUE, PALETTE
from data.access.scope import Scope
from data.query.answers import Answer, answer
from data.query.catalog import METRICS
from data.query.filters import parse
from data.query.windows import ALL_TIME
from tests.serving import ADMIN, Served, serving

NAMES: Final = (*(f"m{n:02}" for n in range(11)), "<b>bold</b>", "a & b", '"><img src=x>')


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
    by = "model" if "model" in SECTIONS[key].by else None
    said = answer(SECTIONS[key], filters, Scope.of(ADMIN), served.store, by, measure)
    return SECTIONS[key].shape.draw(said), said


def colours(figure: dict[str, Any]) -> dict[str, Any]:
    """The colour of each name, in a ranking or over time."""
    made: dict[str, Any] = {}
    for trace in parts(figure):
        marker = trace.get("line", trace["marker"])["color"]
        if "orientation" in trace:
            made |= dict(zip(trace["customdata"], marker, strict=True))
        else:
            made[trace["name"]] = marker if isinstance(marker, str) else marker[0]
    return made


def parts(figure: dict[str, Any]) -> list[dict[str, Any]]:
    """The traces less the total that is only read on hover."""
    return [trace for trace in figure["data"] if trace["meta"]["values"]]


def is_rest(name: str) -> bool:
    return name == "Other" or name.endswith(" more")


def test_one_colour_an_entity_whatever_its_rank(served: Served) -> None:
    _, every = drawn(served, "models", "cost")
    some = [model for model, place in every.colours.items() if 1 < place < len(PALETTE)]
    everything, _ = drawn(served, "models-over-time", "cost", model=some)
    lines, _ = drawn(served, "models-over-time", "duration_avg", model=some)
    few, _ = drawn(served, "models-over-time", "tokens", model=some[2:4])
    seen: dict[str, Any] = {}
    for figure in (everything, lines, few):
        for name, colour in colours(figure).items():
            if not is_rest(name):
                assert seen.setdefault(name, colour) == colour
    assert len(seen) == len(some)


def test_a_ranking_has_one_hue_and_lengths_that_nothing_flattens(served: Served) -> None:
    """Each bar is a part of the longest; what has no name, and the remainder, have no bar."""
    figure, said = drawn(served, "top-models", "cost")
    (trace,) = figure["data"]
    rows, rest = trace["meta"]["rows"][:-1], trace["meta"]["rows"][-1]
    assert set(trace["marker"]["color"][:-1]) == {ONE_HUE}
    assert [row["part"] for row in rows] == [round(x / trace["x"][0], 4) for x in trace["x"][:-1]]
    assert (rest["name"], rest["part"]) == ("8 more", None)
    assert len(rows) == len(trace["meta"]["values"]) - 1 == 6
    assert [row["name"] for row in rows] == said.frame["model"].tolist()[:6]
    share = trace["x"][0] / said.totals["cost"].iloc[0]
    assert rows[0]["share"] == f"{share:.1%} of all"


@pytest.mark.parametrize("key", ["models-over-time", "top-models"])
@pytest.mark.parametrize("measure", ["cost", "requests", "tokens"])
def test_the_parts_with_other_are_the_whole(served: Served, key: str, measure: str) -> None:
    figure, said = drawn(served, key, measure)
    values = [v for t in parts(figure) for v in t["x" if "orientation" in t else "y"]]
    total = said.totals[measure].iloc[0]
    assert round(sum(round(v * 10**9) for v in values) / 10**9, 9) == total
    assert any(map(is_rest, colours(figure)))


def test_a_ranking_of_averages_has_no_other(served: Served) -> None:
    figure, _ = drawn(served, "models", "duration_avg")
    assert not any(map(is_rest, colours(figure)))


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


def test_on_hover_stand_the_total_and_each_share(served: Served) -> None:
    """The total is drawn by nothing, and a click does not mean it."""
    figure, _ = drawn(served, "models-over-time", "cost", (24, 28))
    total, *series = figure["data"]
    assert (total["mode"], total["meta"]["values"]) == ("none", [])
    assert total["y"][0] == pytest.approx(sum(trace["y"][0] for trace in series))
    assert total["customdata"][0] == f"${total['y'][0]:,.2f}"
    for trace in series:
        share = trace["y"][0] / total["y"][0]
        assert trace["customdata"][0] in (f"${trace['y'][0]:,.2f} · {share:.1%}", "$0.00")


def test_what_is_empty_is_left_out(served: Served) -> None:
    figure, _ = drawn(served, "token-mix", "input_tokens")
    assert [trace["name"] for trace in parts(figure)] == ["Input"]
    calls, _ = drawn(served, "runs-over-time", "runs_succeeded")
    assert parts(calls) == []


def test_numbers_of_another_size_have_a_panel_of_their_own(served: Served) -> None:
    """Over the same buckets: bars above, lines below them."""
    figure, _ = drawn(served, "activity-over-time", "requests")
    bars, lines = parts(figure)
    assert ("yaxis" in bars, lines["yaxis"]) == (False, "y2")
    upper, lower = (figure["layout"][axis]["domain"] for axis in ("yaxis", "yaxis2"))
    assert lower[0] == 0 < lower[1] < upper[0] < upper[1] == 1
    assert "overlaying" not in figure["layout"]["yaxis2"]


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


def test_few_are_counted_in_whole_steps() -> None:
    assert vertical_layout(METRICS["active_users"], [], ALL_TIME, 3)["yaxis"]["dtick"] == 1
    assert "dtick" not in vertical_layout(METRICS["active_users"], [], ALL_TIME, 300)["yaxis"]
    assert "dtick" not in vertical_layout(METRICS["cost"], [], ALL_TIME, 3)["yaxis"]
