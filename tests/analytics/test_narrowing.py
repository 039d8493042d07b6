"""Narrowing: a click and its way back, Me, what is quiet, and options of every field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pandas as pd
import pytest

from callbacks.analytics import choices
from components import ids
from components.page import filter_bar, tables
from components.sections.declared import SECTIONS
from components.shapes.axes import axis_value
from components.shapes.heatmap import Heatmap
from components.shapes.marks import KEY, marked_rows
from components.shapes.ranking import Ranking
from components.shapes.shape import Figure
from data.access.scope import Scope
from data.query.answers import Answer, answer, build_query
from data.query.catalog import DIMENSIONS, HOUR, METRICS, WEEKDAY
from data.query.filters import DRILL_FIELDS, LISTS, MORE_FIELDS, parse
from data.query.options import inactive_values
from data.query.run import run
from tests.serving import ADMIN, Claims, Served, serving

SPAN: Final = {"preset": "custom", "from": "2026-11-01T00:00Z", "to": "2026-11-12T06:30Z"}
NOW: Final = 1_795_000_000_000_000
ALL: Final = Scope("root", everything=True)
REGULAR: Final = {"sub": "u0"}
MANAGER: Final = {"sub": "boss", "applications_admin": "p1"}
BARE: Final = {"sub": "nobody"}


def raw(n: int) -> dict[str, Any]:
    return {
        "event_id": f"e{n}", "ts": f"2026-11-{n % 11 + 1:02}T{n % 24:02}:20:00Z",
        "user": f"u{n % 3}", "project": (None, "p1", "p2")[n % 3], "model": f"m{n % 12}",
        "provider": f"pr{n % 3}", "channel": ("cli", "api")[n % 2], "assistant": f"as{n % 3}",
        "workflow": f"wf{n % 3}", "status": ("ok", "error")[n % 2], "cost_nano": (n + 1) * 10**7,
        "input_tokens": n, "duration_ms": n + 1, "client": f"c{n % 2}", "operation": "chat",
    }  # fmt: skip


def use(n: int) -> dict[str, Any]:
    """A call of a tool or an integration, by somebody whom nobody but the admin sees."""
    kind = ("tool", "integration")[n % 2]
    return {
        "event_id": f"u{n}", "ts": f"2026-11-{n % 11 + 1:02}T10:00:00Z", "kind": kind,
        "channel": "api", "status": "ok", "duration_ms": n, "user": "maker", "project": "hidden",
        kind: f"x{n % 6}", f"{kind}_type": f"t{n % 4}",
    }  # fmt: skip


def finished(n: int) -> dict[str, Any]:
    """A run of a workflow, by the same."""
    return {
        "event_id": f"r{n}", "ts": f"2026-11-{n % 11 + 1:02}T11:00:00Z", "kind": "workflow",
        "channel": "api", "status": ("ok", "error", "aborted")[n % 3], "run_id": f"run{n}",
        "workflow": "flow", "user": "maker", "project": "hidden",
    }  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("narrowing")) as one:
        rows = [*map(raw, range(66)), *map(use, range(40)), *map(finished, range(30))]
        one.load(rows)
        yield one


@pytest.mark.parametrize("tz", ["UTC", "Asia/Kolkata", "America/New_York"])
def test_every_dimension_narrows_but_time_kind_and_source(served: Served, tz: str) -> None:
    """What a group of a breakdown holds is what its filter leaves; a zone moves only the clock."""
    fields = set(DIMENSIONS) - {"time", "kind", "source"}
    contains = {f"contains_{field}" for field in fields - {HOUR, WEEKDAY}}
    assert set(LISTS) == fields | {f"not_{field}" for field in fields} | contains
    everything = served.json("query", metrics="events", tz=tz, **SPAN)["totals"]["events"]
    for field in DRILL_FIELDS if tz == "Asia/Kolkata" else (WEEKDAY, HOUR):
        told = served.json("query", metrics="events", by=field, tz=tz, **SPAN)
        for place, row in enumerate(told["rows"]):
            value, held = "(none)" if row[field] is None else row[field], row["events"]
            assert counted(served, tz=tz, **{field: value}) == held
            if place % 4 == 0:
                assert counted(served, tz=tz, **{f"not_{field}": value}) == everything - held
            if place % 4 == 1 and field not in (HOUR, WEEKDAY) and row[field] is not None:
                assert counted(served, tz=tz, **{f"contains_{field}": row[field].upper()}) >= held
    assert served.get("query", metrics="events", source="test").status_code == 400


def counted(served: Served, **said: Any) -> int:
    return int(served.json("query", metrics="events", **SPAN, **said)["totals"]["events"])


@pytest.mark.parametrize(("field", "value"), [
    ("hour", "24"), ("hour", "-1"), ("hour", "9.5"), ("weekday", "7"), ("weekday", "Monday"),
    ("weekday", "(none)"), ("hour", "1;--"), ("not_hour", "24"), ("not_status", "fine"),
])  # fmt: skip
def test_a_clock_shows_no_other_hour(served: Served, field: str, value: str) -> None:
    answer = served.get("query", metrics="events", **SPAN, **{field: value})
    assert answer.status_code == 400
    assert field in (answer.json or {})["error"]["message"]


DRAWN: Final = [
    (key, by, measure)
    for key, one in SECTIONS.items() if one.shape.has_chart
    for by in one.by or ("",) for measure in one.measures[:3] if measure != "cost_share"
]  # fmt: skip


def ask(served: Served, key: str, by: str, measure: str, **more: Any) -> Any:
    filters = parse(SPAN | more, NOW)
    return answer(SECTIONS[key], filters, ALL, served.store, by, measure)


def draw(answered: Answer) -> Figure:
    return SECTIONS[answered.section.key].shape.draw(answered)


def total(served: Served, key: str, by: str, measure: str, **more: Any) -> Any:
    """The totals of the same section, narrowed."""
    asked = build_query(SECTIONS[key], parse(SPAN | more, NOW), by, measure)
    return run(asked.total(), ALL, served.store).iloc[0]


@pytest.mark.parametrize(("key", "by", "measure"), DRAWN)
def test_what_is_drawn_narrows_to_itself(served: Served, key: str, by: str, measure: str) -> None:
    """Each bar, point of a line, cell and row, asked alone, is the number it showed."""
    answered = ask(served, key, by, measure)
    figure = draw(answered)
    buckets, shape = figure["layout"]["meta"]["buckets"], SECTIONS[key].shape
    looked, alive = 0, False
    for trace in figure["data"]:
        values, shown = trace["meta"]["values"], trace["meta"]["measure"]
        along = trace["x"] if isinstance(shape, Ranking) else trace["y"]
        along = [one for row in trace["z"] for one in row] if isinstance(shape, Heatmap) else along
        some = [point for point, one in enumerate(along) if one]
        alive |= bool(some)
        for point in {*some[:1], *some[len(some) // 2 :][:1], *some[-1:]}:
            value = values[0] if len(values) == 1 else (values + [None] * 99)[point]
            if value is None:
                continue
            looked += 1
            told = {"values": value, **ends(buckets, point)}
            said = choices.drill_down(dict(SPAN), told)
            alone = total(served, key, by, measure, **said)[shown]
            assert axis_value(number(alone), METRICS[shown]) == pytest.approx(along[point])
    assert looked or not alive


def number(value: Any) -> float:
    """Nothing is known of nothing, and a chart over time draws it as zero."""
    return 0.0 if pd.isna(value) else float(value)


def ends(buckets: list[list[str]], point: int) -> dict[str, str]:
    return {"from": buckets[point][0], "to": buckets[point][1]} if buckets else {}


def test_other_of_other_is_what_both_leave(served: Served) -> None:
    first, other = named(ask(served, "models-over-time", "model", "cost"))
    choice = choices.drill_down(dict(SPAN), {"values": other})
    rest, nothing = named(ask(served, "models-over-time", "model", "cost", **choice))
    assert (len(first), len(rest), nothing) == (6, 6, None)
    assert not first & rest
    choice = choices.drill_down(choice, {"values": {"not_model": ["m0", "m1"]}})
    assert {*choice["not_model"]} == first | {"m0", "m1"}


def marked_values(answered: Answer) -> list[Any]:
    """What each trace of a chart over time stands for, but the total of all."""
    return [one["meta"]["values"][0] for one in draw(answered)["data"] if one["meta"]["values"]]


def named(answered: Answer) -> tuple[set[str], Any]:
    """The models that a chart draws, and what its remainder stands for."""
    told = marked_values(answered)
    models = {one["model"] for one in told if "model" in one}
    return models, next((one for one in told if "not_model" in one), None)


# Of the first measure: another one only orders the rows otherwise.
@pytest.mark.parametrize(
    ("key", "by", "measure"), [one for one in DRAWN if one[2] == SECTIONS[one[0]].measures[0]]
)
def test_each_row_narrows_to_itself(served: Served, key: str, by: str, measure: str) -> None:
    answered = ask(served, key, by, measure)
    made = marked_rows(tables.rows(answered, 40), answered)
    for row in made[:: max(len(made) // 4, 1)]:
        told = row[KEY]
        if told["values"] is None or row[measure] is None:
            continue
        start, end = told["bucket"] or (None, None)
        said = choices.drill_down(dict(SPAN), told | {"from": start, "to": end})
        alone = total(served, key, by, measure, **said)[measure]
        assert number(alone) == pytest.approx(number(row[measure]))


def test_a_section_without_any_rows_is_drawn(served: Served) -> None:
    for key in SECTIONS:
        if SECTIONS[key].shape.has_chart:
            by, filters = (*SECTIONS[key].by, "")[0], parse({"user": ["gone"]} | SPAN, NOW)
            answered = answer(SECTIONS[key], filters, ALL, served.store, by)
            assert draw(answered)["layout"]["meta"]
            assert marked_rows(tables.rows(answered, 40), answered) is not None


def test_other_is_all_but_what_stands_beside_it_and_none_is_none(served: Served) -> None:
    answered = ask(served, "models-over-time", "model", "cost")
    *values, other = marked_values(answered)
    assert other == {"not_model": [value["model"] for value in values]}
    rows = marked_rows(tables.rows(answered, 10_000), answered)
    assert {row["model"] for row in rows if row[KEY]["values"] == other} == {"Other"}
    told = draw(ask(served, "top-projects", "project", "cost"))
    assert {"project": "(none)"} in told["data"][0]["meta"]["values"]


def test_a_chip_of_other_undoes_it_whole(served: Served) -> None:
    before = {"project": ["a"], "not_model": ["m1"]}
    told = {"values": {"not_model": [f"m{n}" for n in range(20)]}}
    drilled = choices.drill_down(before, told)
    undo = choices.update_undo({}, before, drilled, True)
    [_, (field, value, sentence)] = filter_bar.chosen(drilled, {})
    assert sentence == "model: not m1, m0, m2, 17 more"
    assert choices.remove_chip(drilled, {"chip": field, "value": value}, undo) == before
    assert choices.remove_chip(drilled, {"chip": field, "value": value}) == {"project": ["a"]}


WEB: Final = {"values": {"project": "web"}, "from": None, "to": None}


def test_one_click_on_the_chip_undoes() -> None:
    before = {"preset": "last_n_days", "n": "30", "project": ["a", "b"], "user": ["me", "x"]}
    drilled = choices.drill_down(before, WEB | {"from": "2026-11-01", "to": "2026-11-02"})
    assert drilled["project"] == ["web"]
    undo = choices.update_undo({}, before, drilled, True)
    back = choices.remove_chip(drilled, {"chip": "project", "value": "web"}, undo)
    undo = choices.update_undo(undo, drilled, back, False)
    assert set(undo) == {"time"}
    assert choices.remove_chip(back, {"chip": "time", "value": "time"}, undo) == before


def test_what_changed_in_between_is_not_undone() -> None:
    drilled = choices.drill_down({"project": ["a"]}, WEB)
    undo = choices.update_undo({}, {"project": ["a"]}, drilled, True)
    more = choices.set_values(drilled, "project", ["web", "c"])
    undo = choices.update_undo(undo, drilled, more, False)
    assert undo == {}
    assert choices.remove_chip(more, {"chip": "project", "value": "web"}, undo) == {
        "project": ["c"]
    }


@pytest.mark.parametrize("undo", [[], "x", {"project": "x"}, {"project": [1, ["web"]]},
                                  {"project": [["a"]]}, {"nowhere": [[], ["web"]]}])  # fmt: skip
def test_a_forged_memory_undoes_nothing(undo: Any) -> None:
    choice = {"project": ["web"]}
    assert choices.remove_chip(choice, {"chip": "project", "value": "web"}, undo) == {}
    assert set(choices.update_undo(undo, choice, {}, False)) == set()


@pytest.mark.parametrize("drilled", [None, 7, [], {"values": {"kind": "llm"}}, {"values": "llm"},
    {"values": {"project": ["x"]}}, {"values": {"project": ""}}, {"from": "2026"},
    {"values": {"tags": "x"}, "to": "2027"}, {"values": {"not_model": "x"}},
    {"values": {"not_model": [1]}}, {"values": {"not_kind": ["llm"]}}])  # fmt: skip
def test_a_forged_click_changes_nothing(drilled: Any) -> None:
    assert choices.drill_down({"model": ["m"]}, drilled) == {"model": ["m"]}


def test_a_click_on_a_forged_choice_is_a_click() -> None:
    for forged in (5, "m", {"m": 1}, None):
        told = {"values": {"not_model": ["a"], "user": "ana"}}
        said = choices.drill_down({"not_model": forged, "user": forged}, told)
        assert said == {"not_model": ["a"], "user": ["ana"]}


def test_me_survives_every_change_but_its_own_and_clear_all() -> None:
    choice = {"user": [*(f"u{n}" for n in range(20)), "me"], "project": ["p"]}
    changes = [
        choices.remove_chip(choice, {"chip": "user", "value": ""}),
        choices.remove_chip(choice, {"chip": "user", "value": "u3"}),
        choices.remove_chip(choice, {"chip": "project", "value": "p"}),
        choices.remove_chip(choice, {"chip": "time", "value": "time"}),
        choices.drill_down(choice, {"values": {"user": "u4"}}),
        choices.set_values(choice, "model", ["m"]),
    ]
    assert all("me" in one["user"] for one in changes)
    assert "me" not in choices.remove_chip(choice, {"chip": "user", "value": "me"})["user"]
    assert "me" not in choices.toggle_me(choice)["user"]


def test_a_choice_that_the_others_empty_stays_and_is_inactive(served: Served) -> None:
    filters = parse(SPAN | {"user": ["u0", "u1"], "project": ["p1"], "model": ["m1", "gone"]}, NOW)
    assert inactive_values(filters, ALL, served.store) == {("user", "u0"), ("model", "gone")}
    clock = parse(SPAN | {"hour": ["4", "5"], "model": ["m4"]}, NOW)
    assert inactive_values(clock, ALL, served.store) == {("hour", "5")}
    said = {"model.search_value": "", "model.value": ["m1", "gone"]}
    wild, changed = {"pick": "model"}, '{"pick":"model"}.value'
    told = served.fire('{"pick":["MATCH"]}.options', ADMIN, said, changed, wild)
    assert "gone" in told.text
    chips = served.fire(f"{ids.CHIPS}.children", ADMIN,
                        {f"{ids.FILTER_STATE}.data": {"choice": SPAN | {"model": ["gone"]},
                                                  "zone": "UTC", "now": NOW}},
                        f"{ids.FILTER_STATE}.data", {"pick": ["model", "user"]})  # fmt: skip
    pairs = json.loads(chips.text)["response"][ids.CHIPS]["children"]
    made = [pair["props"]["children"][0] for pair in pairs]
    assert [one["props"]["className"] for one in made] == ["chip", "chip muted"]


NAMES: Final = ("models", "providers", "channels", "assistants", "workflows", "statuses")
PLURALS: Final = dict(zip(MORE_FIELDS, NAMES, strict=True))


@pytest.mark.parametrize("field", MORE_FIELDS)
@pytest.mark.parametrize("claims", [ADMIN, REGULAR, MANAGER, BARE])
def test_options_are_of_what_the_reader_sees(served: Served, field: str, claims: Claims) -> None:
    seen = [one for one in map(raw, range(66)) if sees(claims, one)]
    told = served.json(f"options/{PLURALS[field]}", claims)
    used = {"api", "ok", "aborted", "flow", None} if claims is ADMIN else set()
    found = {one[field] for one in seen}
    assert {one["value"] for one in told} - used == found - used
    picked = served.fire('{"pick":["MATCH"]}.options', claims, {}, "", {"pick": field})
    offered = next(iter(json.loads(picked.text)["response"].values()))["options"]
    assert {one["value"] for one in offered} == {one["value"] for one in told}


def sees(claims: Claims, one: dict[str, Any]) -> bool:
    reach = claims.get("applications_admin")
    return bool(claims.get("isAdmin")) or one["user"] == claims["sub"] or one["project"] == (
        reach or "nothing"
    )  # fmt: skip


@pytest.mark.parametrize("name", ["kinds", "sources", "tags", "users;", "event_ids", "model"])
def test_there_are_no_other_options(served: Served, name: str) -> None:
    assert served.get(f"options/{name}").status_code == 404
