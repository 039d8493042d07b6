"""Who is whom on the page: the page of administrators, and how everybody reads a merged person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from components import ids
from tests.people.test_people import forget, post, question
from tests.resources import body, fill, link, press, problems, save, shape
from tests.serving import ADMIN, Claims, Served, serving

ANA: Final[Claims] = {"sub": "ana", "name": "Ana"}
MAIL: Final[Claims] = {"sub": "ana@example.com"}
LENA: Final[Claims] = {"sub": "lena", "applications_admin": "web"}
NOBODY: Final[Claims] = {"sub": "eve"}
DOLLAR: Final = 10**9
EVENTS: Final = [
    {"event_id": "1", "ts": "2026-11-18T09:00:00Z", "user": "ana", "user_name": "Ana Lopes",
     "project": "web", "cost_nano": 1 * DOLLAR, "model": "m"},
    {"event_id": "2", "ts": "2026-11-19T09:00:00Z", "user": "ana@example.com", "project": "etl",
     "user_name": "ana@example.com", "cost_nano": 2 * DOLLAR, "model": "m"},
    {"event_id": "3", "ts": "2026-11-19T10:00:00Z", "user": "ana-key", "project": "web",
     "cost_nano": 4 * DOLLAR, "model": "m"},
    {"event_id": "4", "ts": "2026-11-19T11:00:00Z", "user": "bob", "project": "etl",
     "user_name": "Bob", "cost_nano": 8 * DOLLAR, "model": "m"},
]  # fmt: skip
PAIR: Final = {"alias": "ana@example.com", "person": "ana"}
WEEK: Final = {"preset": "last_n_days", "n": "7"}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as one:
        one.load(EVENTS)
        for alias in ("ana@example.com", "ana-key"):
            assert post(one, PAIR | {"alias": alias}).status_code == 201
        yield one


def cost(served: Served, claims: Claims, **said: Any) -> float:
    answer = served.json("query", claims, metrics="cost", **WEEK, **said)["totals"]["cost"]
    return float(answer or 0)


# --- rights and filters, seen from outside


def test_every_id_of_a_person_opens_what_all_of_them_did(served: Served) -> None:
    assert [cost(served, who) for who in (ANA, MAIL, {"sub": "ana-key"})] == [7, 7, 7]
    assert [cost(served, who, user="me") for who in (ANA, MAIL)] == [7, 7]
    assert (cost(served, NOBODY), cost(served, {"sub": "bob"})) == (0, 8)


def test_a_claim_of_an_address_opens_nothing(served: Served) -> None:
    assert cost(served, MAIL) == 7
    assert cost(served, {**NOBODY, "email": "ana@example.com", "name": "Ana Lopes"}) == 0


def test_removing_an_alias_takes_it_back_at_once(served: Served) -> None:
    assert cost(served, MAIL) == 7
    assert forget(served, "ana@example.com").status_code == 204
    assert (cost(served, MAIL), cost(served, ANA)) == (2, 5)
    assert post(served, PAIR).status_code == 201
    assert (cost(served, MAIL), cost(served, ANA)) == (7, 7)


def test_a_project_admin_reads_the_person_and_only_of_their_project(served: Served) -> None:
    answer = served.get("query", LENA, metrics="cost,active_users", by="user", **WEEK)
    assert answer.json is not None
    assert [(r["user"], r["user_name"], r["cost"]) for r in answer.json["rows"]] == [
        ("ana", "Ana Lopes", 5)
    ]
    assert answer.json["totals"]["active_users"] == 1
    assert "ana-key" not in answer.text
    assert "ana@example.com" not in answer.text


def test_options_offer_the_person_once_and_find_them_by_any_id(served: Served) -> None:
    offered = served.json("options/users", ADMIN)
    assert offered == [
        {"value": "ana", "label": "Ana Lopes"}, {"value": "bob", "label": "Bob"},
    ]  # fmt: skip
    for text in ("example.com", "ANA-KEY", "lopes"):
        assert served.json("options/users", ADMIN, q=text) == offered[:1]


def test_a_person_seen_under_an_alias_alone_is_found_by_their_name(served: Served) -> None:
    claims = {"sub": "ed", "applications_admin": "etl"}
    for text in ("lopes", "example.com"):
        found = served.json("options/users", claims, q=text)
        assert found == [{"value": "ana", "label": "Ana Lopes"}]


def test_looking_for_an_id_finds_nobody_whose_rows_are_hidden(served: Served) -> None:
    assert [one["value"] for one in served.json("options/users", LENA)] == ["ana"]
    assert served.json("options/users", LENA, q="example.com") == []
    assert cost(served, ANA, user="ana-key") == 7
    answer = served.json("query", NOBODY, metrics="cost", user="ana-key", **WEEK)
    assert answer["meta"]["notice"] == "ana-key: unknown, or outside what you may see"


# --- the filter bar


def fire(served: Served, output: str, said: dict[str, Any], changed: str, **more: Any) -> Any:
    answer = served.fire(output, more.pop("claims", ADMIN), said, changed, **more)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text)["response"]


@pytest.mark.parametrize(("search", "users"), [
    ("?user=ana-key", ["ana"]),
    ("?user=ana-key&user=ana&user=bob&user=me", ["ana", "bob", "me"]),
    ("?user=%28none%29", ["(none)"]),
])  # fmt: skip
def test_an_address_that_names_an_alias_selects_the_person(
    served: Served, search: str, users: list[str]
) -> None:
    said = {f"{ids.URL}.search": search, f"{ids.ZONE}.data": "UTC"}
    told = fire(served, f"{ids.FILTER_STATE}.data", said, f"{ids.URL}.search")
    assert told[ids.FILTER_STATE]["data"]["choice"]["user"] == users


def test_an_address_tells_nobody_whose_alias_it_names(served: Served) -> None:
    said = {f"{ids.URL}.search": "?user=ana-key", f"{ids.ZONE}.data": "UTC"}
    told = fire(served, f"{ids.FILTER_STATE}.data", said, f"{ids.URL}.search", claims=NOBODY)
    assert told[ids.FILTER_STATE]["data"]["choice"]["user"] == ["ana-key"]


def test_a_chip_and_a_picker_of_an_alias_show_the_person(served: Served) -> None:
    said = {f"{ids.FILTER_STATE}.data": question({"user": ["ana-key", "cyd"]})}
    told = json.dumps(fire(served, f"{ids.CHIPS}.children", said, f"{ids.FILTER_STATE}.data"))
    assert "user: Ana Lopes" in told
    assert '"cyd: unknown"' in told
    picked = {"user.value": ["ana-key"], "user.search_value": ""}
    changed = json.dumps({"pick": "user"}, separators=(",", ":")) + ".search_value"
    wild = {"wild": {"pick": "user"}}
    offered = fire(served, '{"pick":["MATCH"]}.options', picked, changed, **wild)
    assert {"value": "ana-key", "label": "Ana Lopes"} in next(iter(offered.values()))["options"]


# --- hover


@pytest.mark.parametrize(("claims", "told"), [
    (ADMIN, "ana (also ana-key, ana@example.com)"), (MAIL, "ana (also ana-key, ana@example.com)"),
    (LENA, "ana"),
])  # fmt: skip
def test_other_ids_stand_on_hover_for_whom_they_are(
    served: Served, claims: Claims, told: str
) -> None:
    answer = served.redraw("top-users", claims, question(WEEK), "cost", "user")
    assert f'"user_tip":"{told}"' in answer.text
    asked = question(WEEK) | {"section": "top-users", "metric": "cost"}
    values = {f"{ids.EVENTS_REQUEST}.data": asked,
              f"{ids.EVENTS_GRID}.getRowsRequest": {"startRow": 0, "endRow": 50}}  # fmt: skip
    changed = f"{ids.EVENTS_GRID}.getRowsRequest"
    rows = fire(served, f"{ids.EVENTS_GRID}.getRowsResponse", values, changed, claims=claims)
    assert f'"user_tip": "{told}"' in json.dumps(rows)


# --- budgets and preferences


def test_a_budget_of_any_id_counts_the_person_and_is_theirs(served: Served) -> None:
    for subject, period in (("ana", "weekly"), ("ana-key", "monthly")):
        raw = {"kind": "user", "subject": subject, "hard": 100, "period": period}
        made = served.client.post("/api/v1/budgets", json=raw, headers=served.headers(ADMIN))
        assert (made.status_code, made.json and made.json["subject"]) == (201, "ana")
    assert [one["spent"] for one in served.json("budgets", MAIL)["budgets"]] == [7, 7]
    cards = fire(served, f"{ids.SPENDING}.children", {}, f"{ids.SPENDING}.id", claims=MAIL)
    assert "$7.00" in json.dumps(cards)
    assert served.json("budgets", NOBODY)["budgets"] == []


def test_a_budget_made_before_the_merger_counts_the_person_too(served: Served) -> None:
    forget(served, "ana-key")
    raw = {"kind": "user", "subject": "ana-key", "hard": 6, "period": "monthly"}
    served.client.post("/api/v1/budgets", json=raw, headers=served.headers(ADMIN))
    post(served, PAIR | {"alias": "ana-key"})
    (one,) = served.json("budgets", ANA)["budgets"]
    assert (one["subject"], one["spent"]) == ("ana-key", 7)
    (crossed,) = served.json(f"budgets/{one['id']}/crossings", ANA)["crossings"]
    assert (crossed["user"], crossed["at"]) == ("ana", "2026-11-19T10:00:00+00:00")


def test_the_trail_says_which_id_signed_in(served: Served) -> None:
    claims = {**MAIL, "isAdmin": True, "name": "Ana"}
    assert forget(served, "ana-key", claims).status_code == 204
    assert served.json("audit")["entries"][0]["who"] == "ana@example.com"


# --- the page of administrators


def test_the_page_is_for_administrators(served: Served) -> None:
    parts = fill(served, "people")
    assert [one["alias"] for one in parts["table"]["rowData"]] == ["ana-key", "ana@example.com"]
    assert '"resource":"people"' in body(served, "people", ADMIN)
    assert link(served, "people", ADMIN) is False
    for claims in (ANA, LENA):
        assert "There is no such page" in body(served, "people", claims)
        assert link(served, "people", claims) is True
        parts = fill(served, "people", claims)
        assert (parts["card"]["data-state"], parts["table"]["rowData"]) == ("failed", [])
        assert "platform administrators" in parts["state"]["children"]
        refused = save(served, "people", dict.fromkeys(PAIR, "x"), claims=claims)
        assert "platform administrators" in problems(refused)[""]
    assert len(served.json("aliases")["aliases"]) == 2


def test_the_tables_show_who_is_whom_and_what_looks_alike(served: Served) -> None:
    forget(served, "ana@example.com")
    told, hints = fill(served, "people", zone="Europe/Berlin"), fill(served, "hints")
    (one,) = told["table"]["rowData"]
    shown = {k: one[k] for k in ("name", "person", "alias", "events", "who", "at_text", "name_tip")}
    assert shown == {
        "name": "Ana Lopes", "person": "ana", "alias": "ana-key", "events": 1, "who": "root",
        "at_text": "20 Nov 2026 13:00 Europe/Berlin", "name_tip": "ana (also ana-key)",
    }  # fmt: skip
    (hint,) = hints["table"]["rowData"]
    assert (hint["alias"], hint["person"], hint["events"], hint["theirs"]) == (
        "ana@example.com", "ana", 1, 1,
    )  # fmt: skip
    assert (told["state"]["children"], hints["state"]["children"]) == ("", "")
    offered = shape(served, "people")[("offered", "alias")]["children"]
    assert sorted(one["props"]["value"] for one in offered) == [
        "ana", "ana-key", "ana@example.com", "bob",
    ]  # fmt: skip


def test_an_id_is_merged_by_the_form_and_a_refusal_stands_beside_it(served: Served) -> None:
    done = save(served, "people", {"alias": "bobby", "person": "bob"})
    assert problems(done) == {}
    assert [done[("field", name)]["value"] for name in PAIR] == ["", ""]
    refused = save(served, "people", {"alias": "bobby", "person": "ana"})
    assert problems(refused) == {"alias": "'bobby' is an alias of 'bob': remove that first"}
    assert "changed" not in refused


def test_rows_are_removed_accepted_and_dismissed(served: Served) -> None:
    assert press(served, "people", "people-remove", PAIR | {"name": "x"})["changed"]["data"]
    assert [one["alias"] for one in served.json("aliases")["aliases"]] == ["ana-key"]
    (hint,) = fill(served, "hints")["table"]["rowData"]
    press(served, "hints", "hint-accept", hint)
    assert len(served.json("aliases")["aliases"]) == 2
    forget(served, "ana@example.com")
    press(served, "hints", "hint-dismiss", hint)
    parts = fill(served, "hints")
    assert parts["table"]["rowData"] == []
    assert parts["state"]["children"].startswith("No other ids")


@pytest.mark.parametrize("row", [None, "x", 7, {}, {"alias": 7, "person": ["a"]}])
@pytest.mark.parametrize("button", ["people-remove", "hint-accept", "hint-dismiss"])
def test_a_forged_row_changes_nothing(served: Served, button: str, row: Any) -> None:
    key = "people" if button == "people-remove" else "hints"
    parts = press(served, key, button, row)
    assert "changed" not in parts
    assert bool(parts) == (isinstance(row, dict) and bool(row))  # nothing chosen, nothing happens
    assert len(served.json("aliases")["aliases"]) == 2
