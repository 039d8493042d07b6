"""The cards of the Budgets tab: what charts draw, the pages of the history, files, the way to the
events of a budget."""

from __future__ import annotations

import csv
import io
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import plotly.graph_objects as go
import pytest

import callbacks.settings.budgets
from components import ids
from components.settings.budget_charts import (
    FARTHEST,
    MOST,
    crossings,
    crossings_summary,
    shares,
    shares_summary,
)
from components.settings.budgets import EVERY
from data.budgets.crossings import exactly
from tests.budgets.test_budget_pages import (
    ANA,
    DOLLAR,
    EVERYBODY,
    LEADER,
    MINE,
    RAW,
    WEB,
    card,
    post,
)
from tests.resources import choose
from tests.serving import ADMIN, Claims, Served, serving_with

FORMULA = "=1+1"
EVENTS = [
    *({"event_id": f"w{n}", "ts": f"2026-11-{n % 20 + 1:02}T0{n // 20}:30:00Z", "user": "bo",
       "project": "web", "model": "gpt-6-sol", "cost_nano": 9 * DOLLAR} for n in range(40)),
    {"event_id": "m", "ts": "2026-11-17T09:00:00Z", "user": "ana", "project": "web",
     "user_name": FORMULA, "model": "claude-5", "cost_nano": 6 * DOLLAR},
    {"event_id": "b", "ts": "2026-10-31T23:30:00Z", "user": "ana", "model": "claude-5",
     "cost_nano": 2 * DOLLAR},
]  # fmt: skip
DAILY = WEB | {"soft": 4, "start": "2026-11-01"}


served = serving_with(EVENTS)


# --- charts


def status_row(share: float, projected: float | None = None, level: str = "good") -> Any:
    told = {"spent_text": "$1", "hard_text": "$2", "share_text": f"{share:.1%}"}
    return told | {
        "id": 1, "subject": "User: <b>x</b>", "period": "Daily", "level": level, "share": share,
        "hard": 10.0, "projected": projected, "projected_text": "$3",
    }  # fmt: skip


def test_bars_are_shares_of_the_limit_beside_a_line_at_the_whole() -> None:
    rows = [status_row(0.5, 8.0), status_row(1.2, None, "red"), status_row(0.8, 9, "amber")]
    figure = shares(rows)
    good, amber, red, pace = figure["data"]
    drawn = [(one["x"], one["y"], one["name"]) for one in (red, amber, good)]
    assert drawn == [
        ([1.2], [0], "Over 90%"),
        ([0.8], [1], "Over 75%"),
        ([0.5], [2], "Up to 75%"),
    ]
    assert len({one["marker"]["color"] for one in (good, amber, red, pace)}) == 4
    assert (pace["x"], pace["y"], pace["mode"]) == ([0.9, 0.8], [1, 2], "markers")
    (line,) = figure["layout"]["shapes"]
    assert (line["x0"], line["x1"]) == (1, 1)
    assert [one["text"] for one in figure["layout"]["annotations"]] == [
        " 120.0%",
        " 80.0%",
        " 50.0%",
    ]
    assert len(go.Figure(figure).data) == 4


def test_a_chart_of_budgets_is_a_sentence_of_its_numbers() -> None:
    rows = [status_row(0.5, 12.0), status_row(1.2, None, "red"), status_row(0.8, 9, "amber")]
    assert shares_summary(rows) == (
        "3 budgets, 1 over the limit, 1 at this pace. Fullest: User: <b>x</b>, daily, with 120.0%"
        " of the limit: $1 of $2."
    )
    assert shares_summary([]) == crossings_summary([]) == ""


def test_no_name_is_taken_for_markup() -> None:
    ticks = shares([status_row(0.5)])["layout"]["yaxis"]["ticktext"]
    assert ticks == ["User: &lt;b&gt;x&lt;/b&gt; <br>Daily "]


def test_a_pace_out_of_all_bounds_stands_at_the_edge() -> None:
    figure = shares([status_row(0.5, 8_640_000.0), status_row(0.4, 12.0)])
    pace, end = figure["data"][-1], figure["layout"]["xaxis"]["range"][1]
    # The legend shows the look of the first.
    assert (pace["x"], pace["y"]) == ([1.2, end], [1, 0])
    assert pace["marker"]["symbol"] == ["diamond", "triangle-right"]
    assert figure["layout"]["xaxis"]["tickvals"] == [1, 3]
    assert end == pytest.approx(FARTHEST * 1.06)
    assert shares([status_row(25.0)])["layout"]["xaxis"]["range"][1] > 25


def test_a_chart_of_many_budgets_draws_the_fullest() -> None:
    figure = shares([status_row(n / 100) for n in range(99)])
    assert figure["data"][0]["x"][0] == 0.98
    assert len(figure["data"][0]["x"]) == MOST


def test_crossings_are_points_on_the_line_of_their_budget() -> None:
    hour = 1_795_132_800_000_000  # 2026-11-20T00:00Z
    common = {"period": "Daily", "at_text": "then", "over_text": "$1"}
    points = [
        common | {"id": 7, "subject": "User: <i>", "limit": "hard", "hour": hour},
        common | {"id": 7, "subject": "User: <i>", "limit": "soft", "hour": hour},
        common | {"id": 3, "subject": "Everything", "limit": "soft", "hour": hour - 3_600_000_000},
    ]
    figure = crossings(points, hour, "Europe/Berlin")
    soft, hard = figure["data"]
    assert (soft["name"], hard["name"]) == ("Soft limit", "Limit")
    assert (hard["x"], hard["y"]) == (["2026-11-20T01:00"], [0])
    assert (soft["x"], soft["y"]) == (["2026-11-20T01:00", "2026-11-20T00:00"], [0, 1])
    assert soft["marker"]["symbol"] != hard["marker"]["symbol"]
    first, last = figure["layout"]["xaxis"]["range"]
    assert first < "2026-11-20T00:00" < "2026-11-20T01:00" < last
    assert "&lt;i&gt;" in figure["layout"]["yaxis"]["ticktext"][0]
    assert len(go.Figure(figure).data) == 2
    assert crossings_summary(points) == (
        "Limits were crossed 3 times, of 2 budgets. Latest: User: <i>, daily, limit on then, $1"
        " over at the end."
    )


def test_the_charts_draw_what_the_tables_say(served: Served) -> None:
    post(served, RAW), post(served, MINE), post(served, DAILY)
    for who in EVERYBODY:
        parts = card(served, "budgets", who)
        rows = parts["table"]["rowData"]
        bars = [one for one in parts["chart"]["figure"]["data"] if one["type"] == "bar"]
        drawn = {
            held[0]: x for bar in bars for held, x in zip(bar["customdata"], bar["x"], strict=True)
        }
        assert drawn == {row["id"]: row["share"] for row in rows}
        fullest = max(rows, key=lambda row: row["share"])
        assert fullest["share_text"] in parts["summary"]["children"]
        parts = card(served, "crossings", who)
        points = sum(len(one["x"]) for one in parts["chart"]["figure"]["data"])
        assert parts["place"]["children"].endswith(f" of {points}")


# --- the history


def pages(served: Served, who: Claims, of: str = EVERY) -> list[list[Any]]:
    """Every page of the history, turned to the end."""
    told, found = card(served, "crossings", who, budget=of), []
    while True:
        found.append(told["table"]["rowData"])
        if told["older"]["disabled"]:
            return found
        told = card(served, "crossings", who, "older", told["offset"]["data"], budget=of)


def test_the_history_is_complete_and_comes_in_pages(served: Served) -> None:
    number = post(served, DAILY)
    found = pages(served, LEADER)
    assert [len(page) for page in found] == [20, 20]
    answer = served.json(f"budgets/{number}/crossings", LEADER, limit=100)
    assert answer["row_count"] == 40
    shown = [(row["limit"], row["over"]) for page in found for row in page]
    limits = {"soft": "Soft limit", "hard": "Limit"}
    assert shown == [(limits[one["limit"]], one["over"]) for one in answer["crossings"]]
    assert all(a["at"] >= b["at"] for page in found for a, b in pairwise(page))


def test_a_page_looks_for_its_own_calls_alone(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(served, DAILY)
    looked: list[Any] = []

    def counting(found: Any, *more: Any) -> Any:
        looked.append(found)
        return exactly(found, *more)

    monkeypatch.setattr(callbacks.settings.budgets, "exactly", counting)
    card(served, "crossings", ADMIN, budget=EVERY)
    assert len(looked) == 20


def test_pages_turn_forth_and_back_and_no_further(served: Served) -> None:
    post(served, DAILY)
    turned = [("", 0), ("older", 20), ("older", 20), ("newer", 0), ("newer", 0)]
    at = 0
    for button, wanted in turned:
        parts = card(served, "crossings", ADMIN, button, at, budget=EVERY)
        at = parts["offset"]["data"]
        assert at == wanted
        assert parts["place"]["children"] == f"{at + 1}–{at + 20} of 40"
        assert (parts["newer"]["disabled"], parts["older"]["disabled"]) == (at == 0, at == 20)
    for forged, start in ((-20, 20), ("20", 20), (None, 20), ([1], 20), (1.5, 20), (10**9, 20)):
        parts = card(served, "crossings", ADMIN, "older", forged, budget=EVERY)
        assert parts["offset"]["data"] == start


def test_a_daily_budget_hides_no_other(served: Served) -> None:
    daily, monthly = post(served, DAILY), post(served, RAW | {"start": "2026-10-01", "hard": 1})
    every = [row["subject"] for page in pages(served, ADMIN) for row in page]
    assert (every.count("Project: web"), every.count("Everything")) == (40, 2)
    (page,) = pages(served, ADMIN, str(monthly))
    assert [(row["subject"], row["period_text"]) for row in page] == [
        ("Everything", "1 Nov 2026"),
        ("Everything", "1 Oct 2026"),
    ]
    offered = selected(served, ADMIN, [])["find"]["options"]
    assert [one["value"] for one in offered] == [EVERY, str(daily), str(monthly)]
    assert offered[1]["label"] == "Project: web, daily"


def test_a_hidden_history_is_as_unknown_as_none(served: Served) -> None:
    hidden = post(served, RAW | {"hard": 1})
    shown = card(served, "crossings", ADMIN, budget=str(hidden))
    assert shown["card"] == {"data-state": "ready"}
    assert shown["table"]["rowData"]
    for of in (str(hidden), "999", str(10**30), "-1", "x", 7, [1]):
        parts = card(served, "crossings", ANA, budget=of)
        assert parts["card"] == {"data-state": "failed"}
        assert parts["table"]["rowData"] == []


def test_a_card_that_breaks_says_so_and_leaves_its_neighbour(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(served, DAILY)

    def broken(*_: Any) -> Any:
        raise RuntimeError("a secret")

    monkeypatch.setattr(callbacks.settings.budgets, "budget_status", broken)
    parts = card(served, "budgets", ADMIN)
    assert parts["card"] == {"data-state": "failed"}
    assert "Something broke here" in parts["state"]["children"]
    assert "secret" not in str(parts)
    assert card(served, "crossings", ADMIN)["card"] == {"data-state": "ready"}


# --- files


def read(served: Served, path: str, who: Claims = ADMIN, **said: Any) -> list[dict[str, str]]:
    answer = served.get(path, who, **said)
    assert (answer.status_code, answer.mimetype) == (200, "text/csv"), answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_the_file_of_budgets_holds_what_the_api_says(served: Served) -> None:
    post(served, RAW), post(served, MINE), post(served, DAILY)
    for who in EVERYBODY:
        answer = served.json("budgets", who)["budgets"]
        rows = read(served, "budgets.csv", who)
        for one, row in zip(answer, rows, strict=True):
            said = {name: "" if value is None else str(value) for name, value in one.items()}
            assert {name: row[name] for name in said} == said
    assert "attachment" in served.get("budgets.csv").headers["Content-Disposition"]


def test_the_file_of_crossings_holds_all_of_them(served: Served) -> None:
    numbers = [post(served, DAILY), post(served, MINE)]
    rows = read(served, "budgets/crossings.csv")
    answer = [
        {"budget": str(number), **{k: str(v) for k, v in one.items()}}
        for number in numbers
        for one in served.json(f"budgets/{number}/crossings", limit=100)["crossings"]
    ]
    held = [{name: row[name] for name in answer[0]} for row in rows]
    assert sorted(held, key=str) == sorted(answer, key=str)
    assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)
    assert {row["amount"] for row in rows if row["limit"] == "soft"} == {"4.0", "5.0"}
    one = read(served, "budgets/crossings.csv", budget=numbers[1])
    assert {row["budget"] for row in one} == {str(numbers[1])}


def test_no_cell_of_a_file_is_a_formula(served: Served) -> None:
    number = post(served, MINE)
    (row,) = read(served, "budgets.csv", ANA)
    assert row["name"] == f"'{FORMULA}"
    (row,) = read(served, "budgets/crossings.csv", ANA, budget=number)
    assert (row["name"], row["user_name"], row["user"]) == (f"'{FORMULA}", f"'{FORMULA}", "ana")


def test_files_have_the_rights_of_the_page(served: Served) -> None:
    every, mine, web = post(served, RAW), post(served, MINE), post(served, DAILY)
    ids = [{row["id"] for row in read(served, "budgets.csv", who)} for who in EVERYBODY]
    assert ids == [{str(every), str(mine), str(web)}, {str(web)}, {str(mine)}]
    held = [{r["budget"] for r in read(served, "budgets/crossings.csv", w)} for w in EVERYBODY]
    assert held == [{str(every), str(mine), str(web)}, {str(web)}, {str(mine)}]
    for who in (LEADER, ANA):
        assert served.get("budgets/crossings.csv", who, budget=every).status_code == 404
    assert served.client.get("/api/v1/budgets.csv").status_code == 401
    assert served.client.get("/api/v1/budgets/crossings.csv").status_code == 401
    for wrong in ("x", "-1", "0", "1.5", str(10**30)):
        answer = served.get("budgets/crossings.csv", budget=wrong)
        assert (answer.status_code, (answer.json or {})["error"]["parameter"]) == (400, "budget")
    assert served.get("budgets.csv", user="ana").status_code == 400


def test_files_without_rows_have_their_heads(served: Served) -> None:
    assert served.get("budgets.csv", ANA).text.startswith("id,kind,subject,name,period")
    assert served.get("budgets/crossings.csv", ANA).text.startswith("budget,kind,subject,name")


# --- the way to the events


@pytest.mark.parametrize(
    "raw",
    [
        RAW,
        MINE | {"zone": "Europe/Berlin"},
        MINE | {"period": "monthly", "zone": "Europe/Berlin"},
        WEB | {"zone": "Asia/Kolkata"},
        RAW
        | {"kind": "model", "subject": "gpt", "period": "days", "days": 3, "start": "2026-11-02"},
        RAW | {"kind": "model", "subject": "*-5", "zone": "Europe/Berlin"},
        # Nothing belongs to it: nothing is shown, and not everything.
        RAW | {"kind": "model", "subject": "llama*"},
        MINE | {"subject": "nobody.yet"},
    ],
)
def test_analytics_shows_what_a_budget_has_spent(served: Served, raw: dict[str, Any]) -> None:
    number = post(served, raw)
    (row,) = card(served, "budgets", ADMIN)["table"]["rowData"]
    address = urlsplit(row["link"])
    assert address.path == "/settings/analytics/spending"
    said = parse_qs(address.query)
    answer = served.json(f"budgets/{number}")
    totals = served.json("query", metrics="cost", **said)["totals"]
    assert (totals["cost"] or 0) == answer["spent"] == row["spent"]
    assert (said["from"], said["to"], said["tz"]) == (
        [answer["from"]],
        [answer["to"]],
        [answer["zone"]],
    )


def test_a_link_shows_each_reader_the_same(served: Served) -> None:
    post(served, MINE), post(served, WEB)
    for who in EVERYBODY:
        for row in card(served, "budgets", who)["table"]["rowData"]:
            said = parse_qs(urlsplit(row["link"]).query)
            assert (
                served.json("query", who, metrics="cost", **said)["totals"]["cost"] == row["spent"]
            )


def test_what_is_selected_can_be_shown_and_only_ones_own_changed(served: Served) -> None:
    post(served, MINE)
    for who, fixed in ((ADMIN, False), (ANA, True)):
        (row,) = card(served, "budgets", who)["table"]["rowData"]
        parts = selected(served, who, [row])
        assert parts[ids.BUDGET_CHOSEN] == {"children": f"User: {FORMULA}, weekly"}
        assert parts[ids.BUDGET_SHOW] == {"hidden": False}
        assert parts[ids.BUDGET_LINK] == {"href": row["link"]}
        assert parts["find"]["value"] == str(row["id"])
        buttons = choose(served, "budgets", [row], who)
        for button in ("budget-edit", "budget-delete"):
            assert buttons[button] == {"hidden": fixed, "disabled": fixed}
    assert choose(served, "budgets", [], ADMIN)["budget-edit"]["hidden"] is True
    parts = selected(served, ADMIN, [])
    assert (parts[ids.BUDGET_SHOW], parts["find"]["value"]) == ({"hidden": True}, EVERY)


def test_the_file_is_of_the_budget_that_is_chosen(served: Served) -> None:
    number, path = post(served, DAILY), "/api/v1/budgets/crossings.csv"
    for of, href in ((EVERY, path), (str(number), f"{path}?budget={number}")):
        assert card(served, "crossings", ADMIN, budget=of)["csv"] == {"href": href}


def selected(served: Served, who: Claims, rows: list[Any]) -> Any:
    """What follows the selection beside the buttons: by id, the choice of the history `find`."""
    held = card(served, "budgets", who)["table"]["rowData"]
    values = {"table.selectedRows": rows, "table.rowData": held}
    part = f"{ids.dom(ids.resource('table', 'budgets'))}.selectedRows"
    answer = served.fire(f"{ids.BUDGET_CHOSEN}.children", who, values, part)
    body = answer.json["response"]  # type: ignore[index]
    return {("find" if name.startswith("{") else name): props for name, props in body.items()}


def test_a_merged_person_is_shown_under_all_of_their_ids(served: Served) -> None:
    sent = {"alias": "bo", "person": "ana"}
    headers = served.headers(ADMIN)
    assert served.client.post("/api/v1/aliases", json=sent, headers=headers).status_code == 201
    number = post(served, MINE | {"subject": "bo", "hard": 1_000, "soft": None})
    body = served.json(f"budgets/{number}", ANA)
    assert (body["subject"], body["spent"]) == ("ana", 6 + 9 * 10)
    answer = served.ask("post", "budgets", json=MINE | {"subject": "bo"})
    assert (answer.status_code, answer.json["error"]["parameter"]) == (400, "period")
