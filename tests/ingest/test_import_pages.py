"""Settings → Data and Settings → Ingest: for platform administrators, and what they show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.resources import body, choose, confirm, fill, link, press, problems, save
from tests.serving import ADMIN, KEY, Claims, Served, serving_with

OTHERS: tuple[Claims, ...] = ({"sub": "ana"}, {"sub": "lena", "applications_admin": "web"})
EVENTS: list[dict[str, Any]] = [
    {"event_id": "1", "ts": "2026-11-18T09:00:00Z", "model": "ours", "input_tokens": 40},
    {"event_id": "2", "ts": "2026-11-19T09:00:00Z", "model": "ours", "cost_nano": 7,
     "input_tokens": 2},
]  # fmt: skip


served = serving_with(EVENTS)


def post(served: Served, *events: dict[str, Any]) -> None:
    served.client.post(
        "/api/v1/events", json=list(events), headers={"Authorization": f"Bearer {KEY}"}
    )


def test_each_source_says_what_came_and_what_did_not(served: Served) -> None:
    post(served, EVENTS[0] | {"kind": "llm", "event_id": "9"}, {"event_id": "x", "kind": "llm"})
    found = {row["name"]: row for row in fill(served, "sources")["table"]["rowData"]}
    own, sent = found["test"], found["canonical"]
    assert (own["events"], own["last_event_text"], own["unpriced_text"]) == (
        2, "19 Nov 2026 09:00", "40",
    )  # fmt: skip
    assert (own["last_import_text"], own["rejected_text"]) == ("–", "–")
    assert (sent["events"], sent["last_import_text"], sent["rejected"]) == (
        1, "20 Nov 2026 12:00", 1,
    )  # fmt: skip


def test_an_import_tells_why_when_chosen(served: Served) -> None:
    post(served, {"event_id": "x", "kind": "llm"})
    [row] = fill(served, "imports")["table"]["rowData"]
    assert (row["way_text"], row["who"], row["read"], row["accepted"]) == (
        "received live", "SPENDSCOPE_INGEST_KEY", 1, 0,
    )  # fmt: skip
    parts = choose(served, "imports", [row])
    assert parts["detail"]["children"] == "body:1: ts is missing"


def chosen(served: Served, source: Any, claims: Claims = ADMIN) -> str:
    return str(choose(served, "sources", [{"name": source}], claims)["detail"]["children"])


def test_a_source_tells_its_models_without_a_price_and_its_rejections(served: Served) -> None:
    new = EVENTS[0] | {"kind": "llm", "event_id": "9", "model": "new"}
    post(served, new, {"event_id": "x", "kind": "llm"})
    post(served, {"event_id": "y", "kind": "llm"}, {"ts": "2026-11-20", "kind": "llm"})
    fill(served, "sources")
    assert chosen(served, "test").splitlines() == [
        "test: without a price are", "  ours: 40 tokens in 1 call", "No rejection is on record.",
    ]  # fmt: skip
    lines = chosen(served, "canonical").splitlines()
    assert lines[:3] == [
        "canonical: without a price are", "  new: 40 tokens in 1 call: unknown model",
        "Rejected last:",
    ]  # fmt: skip
    assert "body:2: ts is missing" in lines
    assert [chosen(served, "x", claims) for claims in OTHERS] == [
        "imports are for platform administrators"
    ] * 2


def test_empty_tables_say_so(served: Served) -> None:
    parts = fill(served, "imports")
    assert parts["card"]["data-state"] == "empty"
    assert parts["state"]["children"].startswith("Nothing was imported")


def test_refreshing_reads_both_tables_again(served: Served) -> None:
    assert press(served, "sources", "reload")["changed"]["data"]


def test_a_key_is_made_shown_once_and_revoked(served: Served) -> None:
    typed = {"name": "agent", "source": "ci", "project": "web"}
    parts = save(served, "keys", typed)
    secret = parts["secret"]["children"]
    assert secret.startswith("ssk_")
    assert [parts["field", name]["value"] for name in typed] == ["", "", ""]
    [row] = fill(served, "keys")["table"]["rowData"]
    assert (row["name"], row["source"], row["project"], row["revoked_text"]) == (
        "agent", "ci", "web", "active",
    )  # fmt: skip
    assert secret not in json.dumps(row)
    headers = {"Authorization": f"Bearer {secret}"}
    assert served.client.post("/api/v1/events", json=[], headers=headers).status_code == 200
    again = save(served, "keys", {"name": "agent"})
    assert problems(again)["source"].startswith("name the source")
    assert len(problems(again)) == 1
    assert again["secret"]["children"] == ""
    assert not [key for key in again if key[0] == "field"]
    again = save(served, "keys", typed)
    assert problems(again) == {"name": "there is a key named 'agent' already"}
    asked = press(served, "keys", "key-revoke", row)
    assert asked["confirm"]["displayed"] is True
    assert asked["confirm"]["message"].startswith("Revoke the key “agent”?")
    assert served.client.post("/api/v1/events", json=[], headers=headers).status_code == 200
    assert confirm(served, "keys", asked["pending"]["data"], row)["problem"]["children"] == ""
    assert served.client.post("/api/v1/events", json=[], headers=headers).status_code == 401
    [row] = fill(served, "keys")["table"]["rowData"]
    assert row["revoked_text"].startswith("revoked 20 Nov 2026")
    assert choose(served, "keys", [row])["key-revoke"]["disabled"] is True


def test_who_makes_keys_is_led_to_what_to_do_with_them(served: Served) -> None:
    page = body(served, "ingest", ADMIN).replace("\\u002f", "/")
    assert '"href":"/settings/data"' in page


@pytest.mark.parametrize("page", ["data", "ingest"])
def test_the_pages_are_for_platform_administrators(served: Served, page: str) -> None:
    place = {"url.pathname": f"/settings/{page}"}
    for claims, hidden in ((ADMIN, False), *((one, True) for one in OTHERS)):
        body = served.fire("page-body.children", claims, place, "url.pathname").text
        assert (f'"data-testid":"{page}"' in body) is not hidden
        assert ("There is no such page" in body) is hidden
        assert link(served, page, claims) is hidden


@pytest.mark.parametrize("claims", OTHERS)
def test_forged_questions_are_told_nothing(served: Served, claims: Claims) -> None:
    post(served, {"event_id": "x", "kind": "llm"})
    for key in ("sources", "imports", "keys"):
        assert fill(served, key)["card"]["data-state"] != "failed"
        parts = fill(served, key, claims)
        assert (parts["table"]["rowData"], parts["card"]["data-state"]) == ([], "failed")
    assert "administrators" in problems(save(served, "keys", {"name": "mine"}, claims=claims))[""]


@pytest.mark.parametrize("row", [{"id": "x"}, {"id": None}, {"id": True}, {"id": 10**30}, {}, 7])
def test_a_forged_row_revokes_nothing(served: Served, row: Any) -> None:
    save(served, "keys", {"name": "agent", "source": "ci"})
    for told in (press(served, "keys", "key-revoke", row),
                 confirm(served, "keys", "key-revoke", row)):  # fmt: skip
        assert "changed" not in told
        assert not told or told["problem"]["children"]
    assert choose(served, "keys", [row])["key-revoke"]["disabled"] is True
    assert confirm(served, "keys", "no such button", {"id": 1}) == {}
    [kept] = served.json("ingest-keys")["keys"]
    assert kept["revoked"] is None
