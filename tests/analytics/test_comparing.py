"""What a comparison looks like: changes in words, their colour, dashed lines, marks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from components.sections.declared import SECTIONS
from components.shapes import earlier
from components.shapes.axes import vertical_layout
from components.shapes.buckets import PART, SO_FAR, labels
from components.shapes.earlier import DASHED, MOST_LINES
from components.values import change, period_text
from data.access.scope import Scope
from data.events.table import micros
from data.local_time import buckets
from data.query.answers import Answer, answer
from data.query.catalog import METRICS
from data.query.filters import parse
from data.query.windows import Window
from tests.serving import ADMIN, Served, serving


@pytest.mark.parametrize(("metric", "now", "before", "text", "mood"), [
    ("cost", 109.4, 100.0, "+9.4%", "bad"), ("cost", 80.0, 100.0, "−20%", "good"),
    # Less than a twentieth is noise, and so is what chance makes of a few.
    ("cost", 104.9, 100.0, "+4.9%", "even"), ("cost", 100.0, 100.0, "0.0%", "even"),
    ("errors", 12, 9, "+33%", "even"), ("errors", 120, 60, "+100%", "bad"),
    ("errors", 60, 120, "−50%", "good"),
    # What is neither good nor bad has no colour.
    ("requests", 900, 100, "+800%", "even"), ("requests", 1_000, 100, "×10", "even"),
    # Shares change in points.
    ("error_rate", 0.016, 0.02, "−0.4 pt", "good"), ("cached_share", 0.4, 0.5, "−10.0 pt", "bad"),
    ("cached_share", 0.5, 0.5, "0.0 pt", "even"), ("priced_share", 0.99, 0.97, "+2.0 pt", "even"),
    ("cost", 1.0, 0.0, "new", "even"), ("cost", 0.0, 0.0, "0.0%", "even"),
    ("cost", 0.0, 5.0, "−100%", "good"), ("cost", 5.0, -0.1, "+5100%", "bad"),
    ("cost", 0.3, 100.0, "−99.7%", "good"), ("cost", 90.04, 100.0, "−10%", "good"),
    ("cost", None, 1.0, "–", "even"), ("duration_p95", 5.0, float("nan"), "–", "even"),
])  # fmt: skip
def test_a_change_is_told_and_coloured_where_it_says_something(
    metric: str, now: Any, before: Any, text: str, mood: str
) -> None:
    told = change(METRICS[metric], now, before)
    assert (told.text, told.mood) == (text, mood)


def window(start: str, end: str, preset: str = "custom") -> Window:
    since, until = (
        micros(datetime.fromisoformat(text).replace(tzinfo=UTC)) for text in (start, end)
    )
    return Window(since, until, "UTC", preset)


@pytest.mark.parametrize(("start", "end", "text"), [
    ("2026-09-01", "2026-10-01", "1–30 Sep"), ("2026-09-28", "2026-10-05", "28 Sep – 4 Oct"),
    ("2026-11-16", "2026-11-22T09:41", "16–22 Nov"), ("2026-11-28", "2026-11-29", "28 Nov"),
    ("2026-11-28", "2026-11-28T09:41", "28 Nov 00:00–09:41"),
    ("2026-11-28T23:41", "2026-11-29T04:41", "28 Nov 23:41 – 29 Nov 04:41"),
    ("2025-10-01", "2025-11-01", "1–31 Oct 2025"),
    ("2025-12-29", "2026-01-05", "29 Dec 2025 – 4 Jan"),
    ("2024-12-29", "2025-01-05", "29 Dec 2024 – 4 Jan 2025"),
])  # fmt: skip
def test_a_period_is_told_in_short(start: str, end: str, text: str) -> None:
    assert period_text(window(start, end), window("2026-11-01", "2026-12-01")) == text


@pytest.mark.parametrize(("start", "end", "preset", "first", "last"), [
    ("2026-11-16", "2026-11-22", "custom", "16 Nov 2026", "21 Nov 2026"),
    ("2026-11-16T08:00", "2026-11-22", "custom", f"16 Nov 2026{PART}", "21 Nov 2026"),
    ("2026-11-16", "2026-11-22T08:00", "custom", "16 Nov 2026", f"22 Nov 2026{PART}"),
    ("2026-11-16", "2026-11-22T08:00", "last_n_days", "16 Nov 2026", f"22 Nov 2026{SO_FAR}"),
])  # fmt: skip
def test_a_bucket_that_is_cut_says_so(
    start: str, end: str, preset: str, first: str, last: str
) -> None:
    one = window(start, end, preset)
    made = labels(buckets(one.start, one.end, "UTC", "day"), "day", one)
    assert (made[0], made[-1]) == (first, last)


def event(n: int) -> dict[str, Any]:
    """Calls of three models over a fortnight, the later week dearer; one is of the first alone."""
    return {
        "event_id": f"e{n}", "ts": f"2026-11-{1 + n % 14:02}T10:00:00Z", "kind": "llm",
        "model": f"m{n % 3}" if n % 14 > 6 or n % 3 else "gone", "user": f"u{n % 5}",
        "cost_nano": (n % 14 + 1) * 10**9, "duration_ms": 100 + n,
    }  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("comparing")) as one:
        one.load(event(n) for n in range(84))
        yield one


def drawn(
    served: Served, key: str, measure: str, by: str = "", compare: str = "previous"
) -> tuple[list[dict[str, Any]], dict[str, Any], Answer]:
    chosen = {"preset": "custom", "from": "2026-11-08", "to": "2026-11-15", "compare": compare}
    filters = parse(chosen, served.settings.now())
    told = answer(SECTIONS[key], filters, Scope.of(ADMIN), served.store, by, measure, True)
    figure = SECTIONS[key].shape.draw(told)
    return figure["data"], figure["layout"], told


def test_a_dashed_line_crosses_bars_where_they_ended_together(served: Served) -> None:
    traces, _, told = drawn(served, "models-over-time", "cost")
    *bars, before = traces
    assert (before["line"]["dash"], before["name"]) == (DASHED, "1–7 Nov")
    # Also of the model that is gone: no row of the table has it.
    assert before["y"] == [6.0 * day for day in range(1, 8)]
    assert sum(before["y"]) == told.totals["cost_before"].iloc[0]
    assert before["customdata"][2] == "$18.00 · 3 Nov 2026"
    assert all(one["x"] == before["x"] for one in bars)


@pytest.mark.parametrize(("buckets", "gap"), [(1, 0.85), (3, 0.55), (7, 0.25), (90, 0.25)])
def test_few_bars_are_no_slabs(buckets: int, gap: float) -> None:
    ticks = [f"{number}" for number in range(buckets)]
    layout = vertical_layout(METRICS["cost"], ticks, window("2026-11-01", "2026-11-08"), 1.0)
    assert layout["bargap"] == pytest.approx(gap)


def test_of_a_single_bar_a_stroke_crosses_it(served: Served) -> None:
    _, _, told = drawn(served, "models-over-time", "cost")
    of = [METRICS["cost"], METRICS["requests"]]
    (alone,) = earlier.total(told, of, [1.0] * 7, ["Nov"])
    assert (alone["mode"], alone["marker"]["symbol"]) == ("markers", "line-ew")
    assert "Total before" in alone["hovertemplate"]
    assert earlier.total(told, of, [0.0] * 7, ["Nov"]) == []


def test_a_line_has_a_dashed_one_beside_it(served: Served) -> None:
    traces, _, _ = drawn(served, "latency", "duration_p50")
    dashed = [one for one in traces if one["line"].get("dash") == DASHED]
    assert [one["line"]["color"] for one in dashed] == [one["line"]["color"] for one in traces[:2]]
    assert [one["showlegend"] for one in dashed] == [True, False]
    # A point without neighbours is all there is of its line.
    assert [one["marker"]["color"] for one in traces[:2]] == [
        one["line"]["color"] for one in traces[:2]
    ]
    before, _, _ = drawn(served, "latency", "duration_p50", compare="off")
    assert len(before) == len(traces) - len(dashed)


def test_more_lines_than_can_be_told_apart_have_none(served: Served) -> None:
    traces, _, told = drawn(served, "latency", "duration_p50")
    ticks = traces[0]["x"]
    one = (METRICS["duration_p50"], traces[0], [1.0] * len(ticks))
    assert len(earlier.lines(told, [one] * MOST_LINES, ticks)) == MOST_LINES
    assert earlier.lines(told, [one] * (MOST_LINES + 1), ticks) == []


def test_a_ranking_has_a_column_of_changes(served: Served) -> None:
    (trace,), _, told = drawn(served, "top-users", "cost")
    texts = [one["change"] for one in trace["meta"]["rows"]]
    both = zip(told.frame["cost"], told.frame["cost_before"], strict=True)
    assert [f"+{100 * (now / was - 1):.0f}%" == text for text, (now, was) in zip(
        texts, both, strict=True)] == [True] * 5  # fmt: skip
    (alone,), _, _ = drawn(served, "top-users", "cost", compare="year")
    assert "change" not in alone["meta"]["rows"][0], "nothing happened a year before"
