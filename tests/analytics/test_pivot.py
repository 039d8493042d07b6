"""A table over time as a pivot: every value in one cell, totals that are the question without a
dimension, and none of what does not add up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import pytest

from components.page import tables
from components.page.pivot import PLACE, pivot
from components.sections.declared import SECTIONS
from components.shapes.marks import KEY, marked_rows
from data.access.scope import Scope
from data.query.answers import answer
from data.query.catalog import METRICS, TIME
from data.query.filters import parse
from tests.serving import Served, serving

NOW: Final = 1_795_000_000_000_000
SPAN: Final = {"preset": "custom", "from": "2026-11-01T00:00Z", "to": "2026-11-09T06:30Z"}
ALL: Final = Scope("root", everything=True)
MODELS: Final = "models-over-time"
TIMED: Final = [
    (key, by, measure)
    for key, one in SECTIONS.items()
    if one.shape.has_chart and one.by and TIME in one.shape.dimensions(one.by[0])
    for by in one.by[:2] for measure in one.measures
]  # fmt: skip


def raw(n: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "event_id": f"e{n}", "ts": f"2026-11-{n % 8 + 1:02}T{n % 24:02}:20:00Z",
        "user": f"u.{n % 3}", "user_name": "Ana", "project": (None, "p_text", "p")[n % 3],
        "model": f"m-{n % 9}.5", "channel": ("cli", "api")[n % 2], "assistant": "a",
        "status": ("ok", "error")[n % 2], "cost_nano": (n + 1) * 10**7, "input_tokens": n,
        "duration_ms": n + 1, "client": "c",
    }  # fmt: skip
    used: dict[str, Any] = {
        "kind": ("tool", "integration", "session", "message")[n % 4], "tool": f"t{n % 3}",
        "integration": "i", "input_tokens": None, "cost_nano": None,
    }  # fmt: skip
    return made | (used if n % 5 == 0 else {})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("pivot")) as one:
        unknown = {"ts": "2026-11-09T05:00:00Z", "input_tokens": None, "user": "u.0"}
        one.load([*map(raw, range(120)), raw(121) | unknown, raw(122) | unknown])
        yield one


def asked(served: Served, key: str, by: str, measure: str, **said: Any) -> tuple[Any, Any]:
    """The rows of the long form, and the pivot."""
    found = answer(SECTIONS[key], parse(SPAN | said, NOW), ALL, served.store, by, measure)
    rows = marked_rows(tables.rows(found, 10_000), found)
    return rows, pivot(found, rows)


@pytest.mark.parametrize(("key", "by", "measure"), TIMED)
def test_every_value_has_a_cell_of_its_own(served: Served, key: str, by: str, measure: str) -> None:
    rows, made = asked(served, key, by, measure)
    cells = {(row[TIME], row[PLACE]): row[measure] for row in rows if row[PLACE] is not None}
    assert len(cells) == len([row for row in rows if row[PLACE] is not None])
    assert len({row[by] for row in rows if row[PLACE] is not None}) <= len(made["fields"]) <= 7
    for row in rows:
        if row[PLACE] is None:
            assert not row[measure]
        else:
            assert row[KEY]["values"] == made["marks"][made["fields"][row[PLACE]]]
    names = [one["field"] for one in made["columns"]]
    assert names == [TIME, *(["total"] if METRICS[measure].additive else []), *made["fields"]]
    # The grid reads a dot as a path, and a text beside each of them.
    assert not [name for name in names if "." in name]
    assert not {*names} & {f"{name}{tables.TEXT}" for name in names}


@pytest.mark.parametrize("measure", SECTIONS[MODELS].measures)
def test_totals_are_the_question_asked_with_one_dimension_less(
    served: Served, measure: str
) -> None:
    rows, made = asked(served, MODELS, "model", measure)
    if not METRICS[measure].additive:
        assert (made["totals"], made["total"]) == ({}, None)
        return
    told = served.json("query", metrics=measure, by="time", grain="day", **SPAN)
    wanted = {start(row["time"]): row[measure] for row in told["rows"]}
    held = {int(us): one["total"] for us, one in made["totals"].items()}
    assert {us: value for us, value in held.items() if us in wanted} == pytest.approx(wanted)
    assert not any(value for us, value in held.items() if us not in wanted)
    assert {*held} == {row[TIME] for row in rows}
    total = made["total"]
    assert total["total"] == pytest.approx(told["totals"][measure])
    by_model = served.json("query", metrics=measure, by="model", **SPAN)["rows"]
    values = {row["model"]: row[measure] for row in by_model}
    for field, mark in made["marks"].items():
        if "model" in mark:
            assert total[field] == pytest.approx(values[mark["model"]])
    parts = [total[field] for field in made["fields"]]
    assert (sum(parts) if parts else None) == pytest.approx(total["total"])


def start(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


def test_people_of_one_name_have_columns_of_their_own(served: Served) -> None:
    _, made = asked(served, "cost-over-time", "user", "cost")
    assert [one["headerName"] for one in made["columns"]] == ["Time", "Total", "Ana", "Ana", "Ana"]
    assert len({*made["fields"]}) == 3


def test_a_column_is_called_the_same_in_every_answer(served: Served) -> None:
    _, every = asked(served, MODELS, "model", "cost")
    _, some = asked(served, MODELS, "model", "cost", model=["m-5.5"])
    assert some["fields"] == ["model=m-5%2E5:"]
    assert {*some["fields"]} < {*every["fields"]}
    assert every["fields"][-1] == "model=:"  # all others together
    assert every["columns"][-1]["headerName"] == "Other"


@pytest.mark.parametrize(("key", "by"), [("models", "model"), ("token-mix", "")])
def test_what_is_no_breakdown_over_time_is_no_pivot(served: Served, key: str, by: str) -> None:
    rows, made = asked(served, key, by, SECTIONS[key].measures[0])
    assert made is None
    assert not [row for row in rows if PLACE in row]


def test_of_nothing_the_pivot_is_empty(served: Served) -> None:
    rows, made = asked(served, MODELS, "model", "cost", user=["gone"])
    assert (rows, made["fields"], made["totals"]) == ([], [], {})
    assert made["total"]["total"] is None


def test_a_total_is_unknown_where_nothing_is_known(served: Served) -> None:
    """Not zero for the others, who did nothing."""
    rows, made = asked(served, MODELS, "model", "input_tokens")
    last = max(int(us) for us in made["totals"])
    assert {row["input_tokens"] for row in rows if row[TIME] == last} == {0, None}
    assert made["totals"][str(last)] == {"total": None, "total_text": "–"}
    _, made = asked(served, MODELS, "model", "input_tokens", user=["u.1"])
    assert made["totals"][str(last)] == {"total": 0, "total_text": "0"}


@pytest.mark.parametrize("measure", ["cost", "requests", "error_rate"])
def test_what_is_compared_stands_beside_the_total(served: Served, measure: str) -> None:
    """The same that the API says of each day, and of all."""
    late = SPAN | {"from": "2026-11-05T00:00Z", "compare": "previous"}
    _, made = asked(served, MODELS, "model", measure, **late)
    columns = [one["field"] for one in made["columns"]]
    if measure == "error_rate":
        assert "total_change" not in columns
        return
    assert columns[:3] == [TIME, "total", "total_change"]
    told = served.json("query", metrics=measure, by="time", grain="day", **late)
    assert len(told["rows"]) > 3
    for row in told["rows"]:
        cells = made["totals"][str(start(row["time"]))]
        assert cells["total"] == pytest.approx(row[measure])
        assert cells["total_before"] == pytest.approx(row[f"{measure}_before"])
        assert (
            cells["total_change_tip"] == f"was {METRICS[measure].unit.text(cells['total_before'])}"
        )
    assert made["total"]["total_before"] == pytest.approx(told["totals"][f"{measure}_before"])
    _, alone = asked(served, MODELS, "model", measure)
    assert "total_change" not in [one["field"] for one in alone["columns"]]
    found = answer(SECTIONS[MODELS], parse(SPAN | late, NOW), ALL, served.store, "model", measure)
    long = {one["field"] for one in tables.columns(found)}
    assert long & {*columns} == {TIME}
