"""Budgets at their doors: the API and the callbacks of the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.settings.budgets import remaining
from tests import resources
from tests.resources import Parts, problems
from tests.serving import ADMIN, Claims, Served, serving, serving_with

LEADER: Claims = {"sub": "lena", "name": "Lena", "applications_admin": "web"}
ANA: Claims = {"sub": "ana"}
EVERYBODY = (ADMIN, LEADER, ANA)
RAW = {"kind": "everything", "hard": 100, "period": "monthly"}
MINE = {"kind": "user", "subject": "ana", "hard": 10, "soft": 5, "period": "weekly"}
WEB = {"kind": "project", "subject": "web", "hard": 8, "period": "daily"}
FIELDS = ("kind", "subject", "hard", "soft", "period", "days", "zone", "start")
DOLLAR = 10**9
EVENTS = [
    {"event_id": "1", "ts": "2026-11-18T09:00:00Z", "user": "ana", "project": "web",
     "user_name": "Ana <b>Lopes</b>", "cost_nano": 6 * DOLLAR},
    {"event_id": "2", "ts": "2026-11-20T09:00:00Z", "user": "bo", "project": "web",
     "cost_nano": 9 * DOLLAR},
    {"event_id": "3", "ts": "2026-11-20T10:00:00Z", "user": "ana", "project": "api",
     "cost_nano": 1 * DOLLAR},
]  # fmt: skip


served = serving_with(EVENTS)


def post(served: Served, raw: dict[str, Any], claims: Claims = ADMIN) -> int:
    answer = served.ask("post", "budgets", claims, json=raw)
    assert answer.status_code == 201, answer.text
    return int(answer.json["id"])


# --- the API


def test_a_budget_and_how_it_stands(served: Served) -> None:
    number = post(served, MINE | {"zone": "Europe/Berlin"})
    answer = served.json(f"budgets/{number}", ANA)
    assert answer["spent"] == 7
    assert (answer["share"], answer["level"], answer["soft"]) == (0.7, "good", 5)
    assert (answer["from"], answer["to"]) == (
        "2026-11-16T00:00:00+01:00",
        "2026-11-23T00:00:00+01:00",
    )
    # 4 days and 13 of 24 hours of 7 days are over.
    assert answer["projected"] == pytest.approx(7 * 7 / (4 + 13 / 24))
    assert answer["seconds_to_reset"] == (2 * 24 + 11) * 3_600


def test_when_a_limit_was_crossed_and_by_whom(served: Served) -> None:
    number = post(served, WEB)
    answer = served.json(f"budgets/{number}/crossings", LEADER)
    assert answer["row_count"] == 1
    assert answer["crossings"] == [{
        "limit": "hard", "at": "2026-11-20T09:00:00+00:00", "user": "bo", "over": 1,
        "from": "2026-11-20T00:00:00+00:00", "to": "2026-11-21T00:00:00+00:00",
    }]  # fmt: skip
    assert served.get(f"budgets/{number}/crossings", ADMIN, limit=0).status_code == 400


def test_everybody_lists_what_they_see_all_of(served: Served) -> None:
    all_, mine, web = post(served, RAW), post(served, MINE), post(served, WEB, LEADER)
    listed = [{one["id"] for one in served.json("budgets", who)["budgets"]} for who in EVERYBODY]
    assert listed == [{all_, mine, web}, {web}, {mine}]


def test_what_is_hidden_is_hidden_at_every_door(served: Served) -> None:
    number = post(served, RAW)
    for path in (f"/{number}", f"/{number}/crossings", "/999", f"/{10**30}"):
        assert served.ask("get", f"budgets{path}", ANA).status_code == 404
    for who in (LEADER, ANA):
        assert served.ask("patch", f"budgets/{number}", who, json={"hard": 1}).status_code == 404
        assert served.ask("delete", f"budgets/{number}", who).status_code == 404
    assert served.json(f"budgets/{number}")["hard"] == 100


def test_nobody_raises_their_own_limit(served: Served) -> None:
    number = post(served, MINE)
    for answer in (
        served.ask("patch", f"budgets/{number}", ANA, json={"hard": 999}),
        served.ask("delete", f"budgets/{number}", ANA),
        served.ask("post", "budgets", ANA, json=MINE | {"period": "daily"}),
        served.ask("post", "budgets", LEADER, json=WEB | {"subject": "ops"}),
    ):
        assert answer.status_code == 403
        assert answer.json["error"]["code"] == "forbidden"
    assert served.json("audit")["row_count"] == 1


def test_changing_and_deleting(served: Served) -> None:
    number = post(served, WEB, LEADER)
    answer = served.ask(
        "patch", f"budgets/{number}", LEADER, json={"hard": "20", "period": "weekly"}
    )
    assert (answer.json["hard"], answer.json["spent"], answer.json["period"]) == (20, 15, "weekly")
    assert served.ask("delete", f"budgets/{number}", LEADER).status_code == 204
    assert served.ask("delete", f"budgets/{number}", LEADER).status_code == 404
    assert served.json("budgets") == {"budgets": []}


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b'{"hard": NaN}', "body"),
        (b"{" * 50_000, "body"),
        (b'{"kind": "everything", "hard": 1e400, "period": "daily"}', "body"),
        (b"x" * 70_000, "body"),
        (b'{"kind": "everything", "hard": -1, "period": "daily"}', "hard"),
        (b'{"kind": "user", "subject": "<script>", "hard": 1, "period": "daily"}', "subject"),
        (b'{"kind": "everything", "hard": 1, "period": "daily", "id": 7}', "id"),
    ],
)
def test_a_bad_body_is_one_sentence(served: Served, body: bytes, parameter: str) -> None:
    answer = served.ask("post", "budgets", data=body)
    assert (answer.status_code, answer.json["error"]["parameter"]) == (400, parameter)
    assert served.json("budgets") == {"budgets": []}


def test_strangers_and_forged_forms_get_nothing(served: Served) -> None:
    assert served.client.get("/api/v1/budgets").status_code == 401
    assert served.client.post("/api/v1/budgets", json=RAW).status_code == 401


def test_a_session_needs_its_csrf_token(tmp_path: Path) -> None:
    with serving(tmp_path, SIGN_IN="local") as served:
        client = served.client
        token = served.headers(ADMIN)["Authorization"].removeprefix("Bearer ")
        page = client.get("/sign-in").text
        csrf = page.split('name="csrf_token" value="')[1].split('"')[0]
        client.post("/sign-in", data={"csrf_token": csrf, "token": token})
        client.get("/settings/profile", headers={"Accept": "text/html"})
        cookie = client.get_cookie("_csrf_token")
        assert cookie is not None
        assert client.get("/api/v1/budgets").status_code == 200
        assert client.post("/api/v1/budgets", json=RAW).status_code == 400
        sent = {"X-CSRFToken": cookie.value}
        assert client.post("/api/v1/budgets", json=RAW, headers=sent).status_code == 201
        assert client.delete("/api/v1/budgets/1").status_code == 400
        assert client.patch("/api/v1/budgets/1", json={"hard": 5}).status_code == 400
        assert client.delete("/api/v1/budgets/1", headers=sent).status_code == 204


# --- the callbacks


def save(served: Served, claims: Claims, number: Any = None, **typed: Any) -> Parts:
    values = {name: typed.get(name, "") for name in FIELDS}
    button = "budget-new" if number is None else "budget-edit"
    return resources.save(served, "budgets", values, {"button": button, "number": number}, claims)


TYPED = {"kind": "everything", "hard": "100", "period": "monthly", "zone": "UTC"}


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("hard", {"hard": "0"}),
        ("hard", {"hard": "-1"}),
        ("hard", {"hard": "🙂"}),
        ("soft", {"soft": "101"}),
        ("zone", {"zone": "Nowhere"}),
        ("days", {"period": "days", "days": "1000"}),
        ("kind", {"kind": "planet"}),
        ("subject", {"kind": "user", "subject": "x" * 10_000}),
        ("subject", {"kind": "project", "subject": "<script>alert(1)</script>"}),
        ("subject", {"kind": "project", "subject": '"quoted"'}),
        ("period", {}),
    ],
)
def test_a_refusal_stands_beside_its_field_and_takes_nothing_away(
    served: Served, field: str, typed: dict[str, str]
) -> None:
    post(served, RAW)
    said = save(served, ADMIN, **(TYPED | typed))
    told = problems(said)
    assert list(told) == [field]
    assert "drawer" not in said  # it stays open, and every field as it is
    assert not [key for key in said if key[0] in ("field", "choice")]
    assert len(served.json("budgets")["budgets"]) == 1


def test_a_project_one_does_not_administer(served: Served) -> None:
    said = save(served, LEADER, **(TYPED | {"kind": "project", "subject": "ops"}))
    assert problems(said) == {"subject": "you do not administer the project 'ops'"}


def test_saving_makes_and_changes(served: Served) -> None:
    said = save(served, LEADER, **(TYPED | {"kind": "project", "subject": "web"}))
    assert (problems(said), said["drawer"]) == ({}, {"is_open": False})
    (one,) = served.json("budgets", LEADER)["budgets"]
    typed = TYPED | {"kind": "project", "subject": "web", "hard": "7"}
    save(served, LEADER, one["id"], **typed)
    assert served.json(f"budgets/{one['id']}", LEADER)["hard"] == 7


def test_a_forged_number_changes_nothing(served: Served) -> None:
    post(served, RAW)
    for forged in (1, 99, "1", True, -1, 1.5, [1], {"id": 1}):
        assert problems(save(served, ANA, forged, **TYPED)) != {}
        assert problems(save(served, LEADER, forged, **TYPED)) != {}
    assert served.json("audit")["row_count"] == 1


def card(
    served: Served, key: str, claims: Claims, turned: str = "", data: Any = None, **find: Any
) -> Parts:
    """What a card of the tab shows, by part, perhaps after a turn of its page."""
    if turned:
        return resources.turn(served, key, turned, data, claims, **find)
    return resources.fill(served, key, claims, **find)


def test_the_tab_shows_each_reader_theirs(served: Served) -> None:
    post(served, RAW), post(served, MINE), post(served, WEB)
    shown = {}
    for who in EVERYBODY:
        parts = card(served, "budgets", who)
        rows = parts["table"]["rowData"]
        hidden = resources.choose(served, "budgets", [], who)["budget-new"]["hidden"]
        shown[who["sub"]] = ([(r["subject"], r["spent"], r["changes"]) for r in rows], hidden)
    web = ("Project: web", 9, True)
    ana = "User: Ana <b>Lopes</b>"
    assert shown["root"] == ([("Everything", 16, True), (ana, 7, True), web], False)
    assert shown["lena"] == ([web], False)
    assert shown["ana"] == ([(ana, 7, False)], True)


def test_the_history_names_whose_call_it_was(served: Served) -> None:
    post(served, WEB), post(served, MINE)
    (hit,) = card(served, "crossings", LEADER)["table"]["rowData"]
    assert (hit["user"], hit["over"], hit["limit"]) == ("bo", 1, "Limit")
    assert hit["at_zoned"] == f"{hit['at_text']} UTC" == "20 Nov 2026 09:00 UTC"
    (hit,) = card(served, "crossings", ANA)["table"]["rowData"]
    assert (hit["user"], hit["over"], hit["limit"]) == ("Ana <b>Lopes</b>", 2, "Soft limit")


def test_empty_tables_say_so(served: Served) -> None:
    parts = card(served, "budgets", ANA)
    assert parts["card"] == {"data-state": "empty"}
    assert "No budget is set" in parts["state"]["children"]
    parts = card(served, "crossings", ANA)
    assert parts["card"] == {"data-state": "empty"}
    assert [one["x"] for one in parts["chart"]["figure"]["data"]] == [[], []]
    assert "No limit was crossed" in parts["state"]["children"]


def test_the_form_opens_with_what_one_may_set(served: Served) -> None:
    for who, kinds in ((ADMIN, 4), (LEADER, 1)):
        parts = resources.begin(served, "budgets", "budget-new", claims=who, zone="Asia/Tokyo")
        assert len(parts["choice", "kind"]["options"]) == kinds
        assert parts["field", "zone"] == {"value": "Asia/Tokyo"}


def test_the_form_opens_with_what_was_set(served: Served) -> None:
    row = {"id": post(served, MINE | {"hard": 0.1, "soft": None})}
    parts = resources.begin(served, "budgets", "budget-edit", [row])
    assert parts["title"] == {"children": "Edit budget"}
    assert (parts["field", "hard"], parts["field", "days"]) == ({"value": "0.1"}, {"value": ""})
    assert parts["choice", "period"] == {"value": "weekly"}
    assert parts["edited"]["data"]["number"] == row["id"]
    resources.begin(served, "budgets", "budget-edit", [row], LEADER, status=404)


def test_the_form_has_the_fields_of_its_choices(served: Served) -> None:
    parts = resources.shape(served, "budgets", kind="everything", period="monthly")
    assert (parts["box", "subject"], parts["box", "days"]) == ({"hidden": True},) * 2
    parts = resources.shape(served, "budgets", kind="user", period="days")
    assert (parts["box", "subject"], parts["box", "days"]) == ({"hidden": False},) * 2
    assert parts["label", "subject"] == {"children": "User id"}
    offered = parts["offered", "subject"]["children"]
    assert {one["props"]["value"] for one in offered} == {"ana", "bo"}


def test_deleting_asks_first_and_respects_rights(served: Served) -> None:
    number = post(served, MINE)
    (row,) = card(served, "budgets", ADMIN)["table"]["rowData"]
    asked = resources.press(served, "budgets", "budget-delete", row)
    said = "Delete the budget “User: Ana <b>Lopes</b>” (Weekly)?"
    assert asked["confirm"] == {"displayed": True, "message": said}
    parts = resources.confirm(served, "budgets", "budget-delete", {"id": number}, ANA)
    assert "you may not set a budget" in parts["problem"]["children"]
    assert len(served.json("budgets")["budgets"]) == 1
    resources.confirm(served, "budgets", "budget-delete", {"id": number})
    assert served.json("budgets")["budgets"] == []


def spending(served: Served, claims: Claims) -> str:
    values = {"browser-zone.data": "Europe/Berlin"}
    return served.fire("your-spending.children", claims, values, "your-spending.id").text


def test_your_spending(served: Served) -> None:
    number = post(served, MINE | {"hard": 7.5})
    post(served, MINE | {"hard": 4, "soft": None, "period": "monthly"})
    post(served, RAW)
    parts = spending(served, ANA)
    # One number in two periods; Dash writes properties in any order.
    assert f'"data-testid":"spending-{number}"' in parts
    assert parts.count('"data-value":"7.0"') == 2
    assert parts.count("spending-card ") == 2
    assert "level-red" in parts
    assert "175.0%" in parts
    assert "in 2 days 12 h" in parts
    assert "over the limit" in parts


def test_no_budget_is_said(served: Served) -> None:
    post(served, RAW)
    parts = spending(served, ADMIN)
    assert "No budget is set for you" in parts
    assert "1 Nov 2026 00:00 Europe" in parts


@pytest.mark.parametrize(
    ("us", "told"),
    [(0, "0 min"), (-5, "0 min"), (59 * 60, "59 min"), (3_600, "1 h 0 min"),
     (86_400, "1 day 0 h"), (10 * 86_400 + 3_599, "10 days 0 h")],
)  # fmt: skip
def test_how_long_until_the_reset(us: int, told: str) -> None:
    assert remaining(us * 1_000_000) == told
