"""The audit trail: every change with its author, once, in the same breath; and who reads it."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from components.settings.audit import CARD
from data.access.scope import Scope
from data.budgets.book import change, create, remove, visible_budgets
from data.engines.protocol import EventStore
from data.errors import Forbidden, SpendscopeError, StoreError
from data.events.table import micros
from data.state import audit
from data.state.audit import Actor, count, entries
from data.state.store import State
from tests.resources import body, fill, link, turn
from tests.serving import ADMIN, Served

NOW = micros(datetime(2026, 11, 20, 12, tzinfo=UTC))
ROOT = Scope.of({"sub": "root", "isAdmin": True})
LEADER = Scope.of({"sub": "lena", "applications_admin": "web"})
RAW = {"kind": "project", "subject": "web", "hard": "100", "period": "monthly"}


def test_create_edit_delete_each_leave_an_entry(state: State, store: EventStore) -> None:
    one = create(state, Actor(LEADER, "Lena", NOW), RAW, store)
    change(state, Actor(ROOT, "Root", NOW + 1), one.id, {"hard": 120, "soft": 60}, store)
    remove(state, Actor(LEADER, "Lena", NOW + 2), one.id)
    deleted, edited, created = entries(state, ROOT, 10)
    thing = f"budget {one.id}"
    assert [(e.who, e.name, e.at, e.action, e.thing) for e in (created, edited, deleted)] == [
        ("lena", "Lena", NOW, "create", thing),
        ("root", "Root", NOW + 1, "edit", thing),
        ("lena", "Lena", NOW + 2, "delete", thing),
    ]
    assert (created.before, created.after) == (None, one.as_dict())
    assert edited.changes() == [("soft", None, 60.0), ("hard", 100.0, 120.0)]
    assert (deleted.before, deleted.after) == (edited.after, None)


def test_what_is_refused_or_changes_nothing_leaves_none(state: State, store: EventStore) -> None:
    one = create(state, Actor(ROOT, "Root", NOW), RAW, store)
    change(state, Actor(ROOT, "Root", NOW), one.id, {"hard": "100.00"}, store)
    for raw in ({"hard": 0}, {"subject": "ops"}, {"kind": "everything"}):
        with pytest.raises(SpendscopeError):
            change(state, Actor(LEADER, "Lena", NOW), one.id, raw, store)
    assert count(state, ROOT) == 1


def test_a_change_that_cannot_be_recorded_is_not_made(
    state: State, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = create(state, Actor(ROOT, "Root", NOW), RAW, store)

    def full(*_: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr("data.state.records.record", full)
    for attempt in (
        lambda: create(state, Actor(ROOT, "Root", NOW), RAW | {"period": "daily"}, store),
        lambda: change(state, Actor(ROOT, "Root", NOW), one.id, {"hard": 7}, store),
        lambda: remove(state, Actor(ROOT, "Root", NOW), one.id),
    ):
        with pytest.raises(SpendscopeError, match="disk is full"):
            attempt()
    assert visible_budgets(state, ROOT) == [one]


@pytest.mark.parametrize("scope", [LEADER, Scope.of({"sub": "ana", "isAdmin": "no"})])
def test_it_is_read_by_platform_administrators(state: State, scope: Scope) -> None:
    for reading in (lambda: entries(state, scope, 5), lambda: count(state, scope)):
        with pytest.raises(Forbidden, match="platform administrators"):
            reading()


def test_only_the_retention_takes_an_entry_back() -> None:
    """One function of the module deletes, none changes; the table itself refuses the rest."""
    text = Path(audit.__file__).read_text()
    assert "AUDIT.insert" in text
    assert "AUDIT.update" not in text
    assert text.count("AUDIT.delete") == inspect.getsource(audit.trim).count("AUDIT.delete") == 1


def test_an_entry_reads_as_a_row(state: State, store: EventStore) -> None:
    one = create(state, Actor(ROOT, "root", NOW), RAW, store)
    change(state, Actor(LEADER, "Lena", NOW), one.id, {"hard": 1234.5}, store)
    edited, created = (CARD.row(entry, "Europe/Berlin") for entry in entries(state, ROOT, 2))
    assert (edited["who"], created["who"]) == ("Lena (lena)", "root")
    assert edited["at_text"] == "20 Nov 2026 13:00 Europe/Berlin"
    assert edited["changes"] == "hard: 100.00 → 1,234.50"
    assert created["changes"].startswith("kind: project · subject: web · period: monthly")


# --- the doors


def post(served: Served, raw: dict[str, Any]) -> int:
    headers = served.headers({"sub": "root", "isAdmin": True, "name": "Root"})
    answer = served.client.post("/api/v1/budgets", json=raw, headers=headers)
    assert answer.status_code == 201, answer.text
    return int(answer.json["id"])  # type: ignore[index]


def test_the_api_pages_through_it_newest_first(served: Served) -> None:
    numbers = [post(served, RAW | {"subject": f"p{n}"}) for n in range(5)]
    answer = served.json("audit", limit=2, offset=1)
    assert answer["row_count"] == 5
    assert [e["thing"] for e in answer["entries"]] == [f"budget {n}" for n in numbers[3:1:-1]]
    assert answer["entries"][0]["name"] == "Root"
    assert served.get("audit", limit=0).status_code == 400


@pytest.mark.parametrize("claims", [{"sub": "ana"}, {"sub": "lena", "applications_admin": "web"}])
def test_others_get_no_trail_at_any_door(served: Served, claims: dict[str, Any]) -> None:
    post(served, RAW)
    shown = fill(served, "audit", ADMIN)
    assert (len(shown["table"]["rowData"]), shown["card"]["data-state"]) == (1, "ready")
    assert served.get("audit", claims).status_code == 403
    parts = fill(served, "audit", claims)
    assert (parts["table"]["rowData"], parts["card"]["data-state"]) == ([], "failed")
    assert parts["state"]["children"] == "the audit trail is for platform administrators"
    assert "budget" not in str(parts)
    assert "There is no such page" in body(served, "audit", claims)
    assert link(served, "audit", claims) is True


def test_nobody_unknown_gets_it(served: Served) -> None:
    assert served.client.get("/api/v1/audit").status_code == 401


def test_the_page_turns_its_pages(served: Served) -> None:
    for n in range(30):
        post(served, RAW | {"subject": f"p{n}"})
    first = turn(served, "audit", "newer", 0)
    assert first["place"]["children"] == "1–25 of 30"
    assert (first["newer"]["disabled"], first["older"]["disabled"]) == (True, False)
    second = turn(served, "audit", "older", 0)
    assert second["place"]["children"] == "26–30 of 30"
    assert len(second["table"]["rowData"]) == 5
    assert second["older"]["disabled"] is True
    for far in (5_000, 10**9):
        assert turn(served, "audit", "older", far)["place"]["children"] == "26–30 of 30"
    for forged in (-7, 10**30, "x", None, [1]):
        assert turn(served, "audit", "newer", forged)["place"]["children"] == "1–25 of 30"


def test_the_page_is_there_for_administrators(served: Served) -> None:
    assert '"id":{"part":"table","resource":"audit"}' in body(served, "audit", ADMIN)
    assert link(served, "audit", ADMIN) is False
