"""Settings → Data and Settings → Ingest: for platform administrators, and what they show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.ids import house
from tests.serving import ADMIN, KEY, Claims, Served, serving

OTHERS: tuple[Claims, ...] = ({"sub": "ana"}, {"sub": "lena", "applications_admin": "web"})
EVENTS: list[dict[str, Any]] = [
    {"event_id": "1", "ts": "2026-11-18T09:00:00Z", "model": "ours", "input_tokens": 40},
    {"event_id": "2", "ts": "2026-11-19T09:00:00Z", "model": "ours", "cost_nano": 7,
     "input_tokens": 2},
]  # fmt: skip


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as one:
        one.load(EVENTS)
        yield one


def fire(served: Served, output: str, changed: str, claims: Claims = ADMIN, **values: Any) -> Any:
    told = {f"{house(name.rpartition('__')[0].replace('_', '-'))}.{name.rpartition('__')[2]}": value
            for name, value in values.items()}  # fmt: skip
    answer = served.fire(output, claims, told, changed)
    if answer.status_code == 204:
        return None
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text)["response"]


def rows(served: Served, key: str, claims: Claims = ADMIN) -> Any:
    table = house(f"{key}-table")
    return fire(served, f"{table}.rowData", f"{table}.id", claims)


def post(served: Served, *events: dict[str, Any]) -> None:
    served.client.post(
        "/api/v1/events", json=list(events), headers={"Authorization": f"Bearer {KEY}"}
    )


def test_each_source_says_what_came_and_what_did_not(served: Served) -> None:
    post(served, EVENTS[0] | {"kind": "llm", "event_id": "9"}, {"event_id": "x", "kind": "llm"})
    found = {row["name"]: row for row in rows(served, "sources")[house("sources-table")]["rowData"]}
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
    [row] = rows(served, "imports")[house("imports-table")]["rowData"]
    assert (row["way_text"], row["who"], row["read"], row["accepted"]) == (
        "received live", "SPENDSCOPE_INGEST_KEY", 1, 0,
    )  # fmt: skip
    told = fire(served, f"{house('import-detail')}.children",
                f"{house('imports-table')}.selectedRows",
                imports_table__selectedRows=[row])  # fmt: skip
    assert told[house("import-detail")]["children"] == "body:1: ts is missing"


def chosen(served: Served, source: Any, claims: Claims = ADMIN) -> str:
    told = fire(served, f"{house('source-detail')}.children",
                f"{house('sources-table')}.selectedRows", claims,
                sources_table__selectedRows=[{"name": source}])  # fmt: skip
    return str(told[house("source-detail")]["children"])


def test_a_source_tells_its_models_without_a_price_and_its_rejections(served: Served) -> None:
    new = EVENTS[0] | {"kind": "llm", "event_id": "9", "model": "new"}
    post(served, new, {"event_id": "x", "kind": "llm"})
    post(served, {"event_id": "y", "kind": "llm"}, {"ts": "2026-11-20", "kind": "llm"})
    rows(served, "sources")
    assert chosen(served, "test").splitlines() == [
        "test: without a price are", "  ours: 40 tokens in 1 call", "No rejection is on record.",
    ]  # fmt: skip
    lines = chosen(served, "canonical").splitlines()
    assert lines[:3] == [
        "canonical: without a price are", "  new: 40 tokens in 1 call", "Rejected last:",
    ]  # fmt: skip
    assert "body:2: ts is missing" in lines
    assert [chosen(served, "x", claims) for claims in OTHERS] == [
        "imports are for platform administrators"
    ] * 2


def test_empty_tables_say_so(served: Served) -> None:
    told = rows(served, "imports")
    assert told[house("imports-card")]["data-state"] == "empty"
    assert told[house("imports-said")]["children"].startswith("Nothing was imported")


def test_a_key_is_made_shown_once_and_revoked(served: Served) -> None:
    make, changed = f"{house('key-secret')}.children", f"{house('key-make')}.n_clicks"
    told = fire(served, make, changed, key_make__n_clicks=1, key_name__value="agent",
                key_source__value="ci", key_project__value="web")  # fmt: skip
    secret = told[house("key-secret")]["children"]
    assert secret.startswith("ssk_")
    assert told[house("key-shown")]["hidden"] is False
    [row] = rows(served, "keys")[house("keys-table")]["rowData"]
    assert (row["name"], row["source"], row["project"], row["state"]) == (
        "agent", "ci", "web", "good",
    )  # fmt: skip
    assert secret not in json.dumps(row)
    headers = {"Authorization": f"Bearer {secret}"}
    assert served.client.post("/api/v1/events", json=[], headers=headers).status_code == 200
    again = fire(served, make, changed, key_make__n_clicks=1, key_name__value="agent")
    assert again[house("key-problem")]["children"].startswith("name the source")
    again = fire(served, make, changed, key_make__n_clicks=1, key_name__value="agent",
                 key_source__value="ci")  # fmt: skip
    assert again[house("key-problem")]["children"] == "there is a key named 'agent' already"
    fire(served, f"{house('keys-changed')}.data@", f"{house('revoke-confirm')}.submit_n_clicks",
         revoke_confirm__submit_n_clicks=1, keys_table__selectedRows=[row])  # fmt: skip
    assert served.client.post("/api/v1/events", json=[], headers=headers).status_code == 401
    [row] = rows(served, "keys")[house("keys-table")]["rowData"]
    assert row["good"] is False


def test_the_lines_for_an_exporter_name_this_server(served: Served) -> None:
    told = fire(served, f"{house('otel-lines')}.children", f"{house('otel-lines')}.id")
    lines = told[house("otel-lines")]["children"].splitlines()
    assert lines[0] == "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost"
    assert len(lines) == 3


@pytest.mark.parametrize("page", ["data", "ingest"])
def test_the_pages_are_for_platform_administrators(served: Served, page: str) -> None:
    place = {"url.pathname": f"/settings/{page}"}
    for claims, hidden in ((ADMIN, False), *((one, True) for one in OTHERS)):
        body = served.fire("page-body.children", claims, place, "url.pathname").text
        assert (f'"data-testid":"{page}"' in body) is not hidden
        assert ("There is no such page" in body) is hidden
        output = f"{house(page)}-link.hidden"
        told = json.loads(served.fire(output, claims, place, "url.pathname").text)["response"]
        assert told[f"{house(page)}-link"]["hidden"] is hidden


@pytest.mark.parametrize("claims", OTHERS)
def test_forged_questions_are_told_nothing(served: Served, claims: Claims) -> None:
    post(served, {"event_id": "x", "kind": "llm"})
    for key in ("sources", "imports", "keys"):
        told = rows(served, key, claims)
        assert told[house(f"{key}-table")]["rowData"] == []
        assert told[house(f"{key}-card")]["data-state"] == "failed"
    told = fire(served, f"{house('key-secret')}.children", f"{house('key-make')}.n_clicks", claims,
                key_make__n_clicks=1, key_name__value="mine")  # fmt: skip
    assert "administrators" in told[house("key-problem")]["children"]
