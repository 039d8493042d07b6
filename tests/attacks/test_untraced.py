"""Coming, guessing, leaving, taking data along without a trace; covering one up, burying it."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final

import pytest
from flask.testing import FlaskClient

from callbacks.access import trail
from callbacks.access.throttle import MOST_OF_ADDRESS, MOST_TRIES
from data.access.scope import SYSTEM, Scope
from data.errors import Forbidden, SettingsError, StoreError
from data.events.cleaning import clean
from data.settings import Settings
from data.state import account_changes, audit
from data.state.audit import DAY, Actor, Entry, count, entries, every_entry, trim
from data.state.retention import trim_while_serving
from data.state.store import State
from data.state.tables import ACCOUNTS
from tests.accounts import AT, PASSWORD, ROOT, csrf_of, sign_in
from tests.resources import body, fill
from tests.serving import ADMIN, LEAST, Served

GUESS: Final = "wrong horse"
EVE: Final = "203.0.113.66"
SAMPLE: Final = {"event_id": "s", "ts": "2026-11-20T10:00:00Z", "source": "sample", "user": "x"}


def browser(served: Served, address: str = EVE) -> FlaskClient:
    client: FlaskClient = served.app.server.test_client()
    client.environ_base |= {"REMOTE_ADDR": address, "HTTP_USER_AGENT": "Eve/1.0"}
    return client


def newest(state: State, group: str = "sign-ins") -> list[Entry]:
    return entries(state, SYSTEM, 500, group=group)


def told(state: State, group: str = "sign-ins") -> list[tuple[str, str, str]]:
    """`(action, who, address)` of visits, the oldest first."""
    found = reversed(newest(state, group))
    return [(one.action, one.who, one.address or "") for one in found]


# --- what leaves a trace


def test_coming_and_going_leave_an_entry_each(served: Served, state: State) -> None:
    client = browser(served)
    answer = sign_in(client, "ana")
    client.post("/sign-out", data={"csrf_token": csrf_of(client, "/sign-out")})
    assert told(state) == [("sign-in", "ana", EVE), ("sign-out", "ana", EVE)]
    came = newest(state)[1]
    assert came.request == answer.headers["X-Request-ID"]
    assert came.after
    assert (came.after["way"], came.after["agent"]) == ("account", "Eve/1.0")
    assert came.thing == newest(state)[0].thing


def test_so_does_a_token(served: Served, state: State) -> None:
    client = browser(served)
    token = served.headers({"sub": "tom"})["Authorization"].partition(" ")[2]
    form = {"csrf_token": csrf_of(client), "token": token}
    assert client.post("/sign-in", data=form).status_code == 303
    assert told(state) == [("sign-in", "tom", EVE)]
    assert token not in str(newest(state))


def test_guesses_and_the_pause_after_them_do(served: Served, state: State) -> None:
    client = browser(served)
    for _ in range(MOST_TRIES + 3):
        sign_in(client, "ana@x.org", GUESS)
    seen = told(state)
    assert seen == [("sign-in-failed", "ana", EVE)] * MOST_TRIES + [("lock-out", "ana", EVE)]
    assert newest(state)[1].after == {"why": "wrong password"}


def test_an_address_that_tries_many_names_is_named_once(served: Served, state: State) -> None:
    client = browser(served)
    for n in range(MOST_OF_ADDRESS + 2):
        sign_in(client, f"name-{n}", GUESS)
    seen = told(state)
    assert seen == (
        [("sign-in-failed", "(unknown)", EVE)] * MOST_OF_ADDRESS + [("lock-out", "(unknown)", EVE)]
    )
    assert newest(state)[0].thing == "passwords from this address"


def test_a_disabled_account_that_is_tried_does(served: Served, state: State) -> None:
    account_changes.disable(state, ROOT, "ana")
    assert sign_in(browser(served), "ana").status_code == 401
    assert told(state) == [("sign-in-failed", "ana", EVE)]


def test_links_that_open_nothing_do(served: Served, state: State) -> None:
    browser(served).get("/set-password?token=guessed-secret")
    [one] = newest(state)
    assert (one.action, one.thing, one.address) == ("sign-in-failed", "one-time link", EVE)
    assert "guessed-secret" not in str(one)


def test_a_link_that_is_used_says_from_where(served: Served, state: State) -> None:
    token, client = account_changes.make_link(state, ROOT, "ana"), browser(served)
    form = {"csrf_token": csrf_of(client, f"/set-password?token={token}"), "token": token}
    answer = client.post("/set-password", data=form | {"password": "another horse"})
    assert answer.status_code == 303
    change, visit = newest(state, "changes")[0], newest(state)[0]
    assert (change.thing, change.address, change.who) == ("account ana", EVE, "ana")
    assert change.request == visit.request == answer.headers["X-Request-ID"]


def test_a_session_that_is_ended_says_by_whom(served: Served, state: State) -> None:
    client = browser(served)
    sign_in(client, "ana")
    [one] = served.json("people/sessions")["sessions"]
    served.ask("delete", f"people/sessions/{one['id']}")
    ended = newest(state)[0]
    assert (ended.action, ended.who) == ("session-end", "root")
    assert ended.before
    assert (ended.before["user"], ended.before["address"]) == ("ana", EVE)


def test_changes_of_accounts_say_from_where(served: Served, state: State) -> None:
    answer = served.ask("post", "accounts/disable", json={"user": "eve"})
    one = newest(state, "changes")[0]
    assert (one.thing, one.who, one.address) == ("account eve", "root", "127.0.0.1")
    assert one.request == answer.headers["X-Request-ID"]


FILES: Final = {
    "sections/models.csv?preset=last_n_days&n=7": "models.csv",
    "sections/cost-by-user.xlsx": "cost-by-user.xlsx",
    "events.csv?user=ana": "events.csv",
    "budgets.csv": "budgets.csv",
    "audit.csv": "audit.csv",
    "audit.json?show=exports": "audit.json",
}


@pytest.mark.parametrize("path", FILES)
def test_a_file_that_is_taken_along_is_named(served: Served, state: State, path: str) -> None:
    answer = served.client.get(f"/api/v1/{path}", headers=served.headers(ADMIN))
    assert answer.status_code == 200
    [one] = newest(state, "exports")
    assert (one.action, one.thing, one.who) == ("export", FILES[path], "root")
    query = path.partition("?")[2]
    assert (one.after or {}).get("query", "") == query
    assert one.request == answer.headers["X-Request-ID"]


def test_what_is_refused_is_no_export(served: Served, state: State) -> None:
    for path in ("sections/nothing.csv", "audit.csv?x=1", "events.csv?preset=x"):
        assert served.get(path).status_code in (400, 404)
    assert served.get("audit.csv", {"sub": "ana"}).status_code == 403
    assert newest(state, "exports") == []


def test_a_file_that_cannot_be_noted_is_not_sent(
    served: Served, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(audit, "note", full)
    for path in ("sections/models.csv", "sections/models.xlsx", "events.csv"):
        assert served.get(path).status_code == 503


def test_reading_the_page_or_the_api_is_none(served: Served, state: State) -> None:
    before = count(state, SYSTEM)
    for path in (
        "query?metrics=cost&preset=last_hour",
        "sections/models",
        "events",
        "audit",
        "people/sessions",
    ):
        answer = served.client.get(f"/api/v1/{path}", headers=served.headers(ADMIN))
        assert answer.status_code == 200, path
    assert count(state, SYSTEM) == before


# --- covering up


@pytest.mark.parametrize("statement", [
    "UPDATE audit SET who = 'somebody else'",
    "UPDATE audit SET id = id + 1000",
    "DELETE FROM audit",
    "DELETE FROM audit WHERE who = 'root'",
    "INSERT OR REPLACE INTO audit (id, at, who, name, action, thing) SELECT id, at, 'x', 'x', 'x',"
    " 'x' FROM audit",
    "REPLACE INTO audit SELECT * FROM audit",
    "INSERT INTO audit (id, at, who, name, action, thing) SELECT id, 0, 'x', 'x', 'x', 'x' FROM"
    " audit WHERE true ON CONFLICT (id) DO UPDATE SET who = 'x'",
])  # fmt: skip
def test_no_statement_changes_or_deletes_an_entry(state: State, statement: str) -> None:
    before = newest(state, "")
    assert before
    with pytest.raises(StoreError, match="audit trail"), state.writing() as connection:
        connection.exec_driver_sql(statement)
    assert newest(state, "") == before


def test_nor_does_another_program_by_mistake(served: Served, state: State) -> None:
    path = served.settings.state_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as raw, pytest.raises(sqlite3.IntegrityError):
        raw.execute("DELETE FROM audit")


def at(state: State, *days: int) -> None:
    """Entries of so many days ago."""
    for one in days:
        audit.note(state, Actor(SYSTEM, "Root", AT - one * DAY), "export", f"{one}.csv")


def test_old_entries_go_by_their_age_alone(state: State) -> None:
    at(state, 400, 91, 90, 1)
    made = count(state, SYSTEM, "changes")
    assert trim(state, 90, AT) == 2
    assert [one.thing for one in newest(state, "exports")] == ["1.csv", "90.csv"]
    [gone, *_] = newest(state, "changes")
    assert (gone.action, gone.who, gone.before) == ("delete", "spendscope", {"entries": 2})
    assert count(state, SYSTEM, "changes") == made + 1
    assert trim(state, 90, AT) == 0
    with pytest.raises(StoreError), state.writing() as connection:
        connection.exec_driver_sql("DELETE FROM audit")


def test_the_newest_stays_however_old(state: State) -> None:
    number = newest(state, "")[0].id
    trim(state, 1, AT + 1_000 * DAY)
    assert newest(state, "")[-1].id >= number


def test_they_go_while_the_server_runs(state: State) -> None:
    at(state, 400, 1)
    with trim_while_serving(state, None, lambda: AT):
        assert len(newest(state, "exports")) == 2
    with trim_while_serving(state, 90, lambda: AT):
        pass  # it ends when it has done what it began
    assert [one.thing for one in newest(state, "exports")] == ["1.csv"]


@pytest.mark.parametrize("days", ["0", "-1", "x", "1.5", "36501", "²"])
def test_a_retention_is_a_number_of_days(tmp_path: Any, days: str) -> None:
    environ = {"SPENDSCOPE_DATA_DIR": str(tmp_path), "SPENDSCOPE_AUDIT_RETENTION": days}
    with pytest.raises(SettingsError, match="SPENDSCOPE_AUDIT_RETENTION must be whole days"):
        Settings.read(environ)


# --- burying one


def test_what_is_typed_is_in_no_entry(served: Served, state: State) -> None:
    client = browser(served)
    for name, password in (("my secret password", ""), ("ana", "my secret password")):
        sign_in(client, name, password)
    served.client.post("/sign-in", data={"csrf_token": csrf_of(served.client),
                                         "token": "my secret password"})  # fmt: skip
    assert len(newest(state)) == 3
    assert "my secret password" not in str(newest(state, ""))
    assert PASSWORD not in str(newest(state, ""))


def test_a_stranger_cannot_fill_the_trail_with_tokens(
    served: Served, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("callbacks.access.trail.time.monotonic", lambda: now[0])
    client = browser(served)
    form = {"csrf_token": csrf_of(client), "token": "x"}
    for _ in range(trail.MOST + 20):
        client.post("/sign-in", data=form)
    assert len(told(state)) == trail.MOST
    now[0] = trail.SPAN_SECONDS
    client.post("/sign-in", data=form)
    assert len(told(state)) == trail.MOST + 1


def test_visitors_of_the_demo_leave_none_and_see_no_addresses(served: Served, state: State) -> None:
    sign_in(browser(served), "ana")
    with state.writing() as connection:
        connection.execute(ACCOUNTS.delete())  # with one there would be no demo
    served.store.write([clean(LEAST | SAMPLE)])
    client = browser(served, "198.51.100.5")
    before = count(state, SYSTEM)
    form = {"csrf_token": csrf_of(client), "persona": "platform-admin"}
    assert client.post("/sign-in", data=form).status_code == 303
    texts = [client.get(f"/api/v1/{path}").text for path in ("audit", "audit.csv", "audit.json")]
    assert all("sign-in" in text for text in texts)
    assert not [text for text in texts if f'"address": "{EVE}"' in text or f",{EVE}," in text]
    client.post("/sign-out", data={"csrf_token": csrf_of(client, "/sign-out")})
    assert count(state, SYSTEM) == before


# --- who reads it


def test_all_of_it_can_be_taken_along(
    served: Served, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "AT_ONCE", 3)
    at(state, *range(10))
    listed = served.json("audit", limit=500)["entries"]
    as_json = served.get("audit.json")
    assert as_json.mimetype == "application/json"
    assert as_json.json
    assert as_json.json == listed
    rows = list(csv.DictReader(io.StringIO(served.get("audit.csv").text)))
    assert [row["thing"] for row in rows[1:]] == [one["thing"] for one in listed]
    assert rows[0]["action"] == "export"
    assert [one.id for one in every_entry(state, SYSTEM)][1:] == [int(row["id"]) for row in rows]


def test_it_is_narrowed(served: Served, state: State) -> None:
    at(state, 1)
    sign_in(browser(served), "ana", GUESS)
    things = {show: {one["action"] for one in served.json("audit", show=show)["entries"]}
              for show in ("all", "changes", "sign-ins", "exports")}  # fmt: skip
    assert things == {
        "all": {"create", "export", "sign-in-failed"}, "changes": {"create"},
        "sign-ins": {"sign-in-failed"}, "exports": {"export"},
    }  # fmt: skip
    for wrong in ("x", ""):
        assert served.get("audit", show=wrong).status_code == 400
    shown = fill(served, "audit", show="exports")
    assert [row["thing"] for row in shown["table"]["rowData"]] == ["1.csv"]
    assert shown["place"]["children"] == "1–1 of 1"
    assert (shown["csv"]["href"], shown["json"]["href"]) == (
        "/api/v1/audit.csv?show=exports", "/api/v1/audit.json?show=exports",
    )  # fmt: skip
    assert '"data-testid":"export-json"' in body(served, "audit", ADMIN)


@pytest.mark.parametrize("read", [entries, every_entry, count])
def test_it_is_for_platform_admins(state: State, read: Callable[..., Any]) -> None:
    with pytest.raises(Forbidden):
        read(state, Scope.of({"sub": "ana"}), *([1] if read is entries else []))


def test_the_last_change_is_found_by_an_index(state: State) -> None:
    with state.reading() as connection:
        asked = str(audit.LAST_CHANGE.compile(connection))
        [plan] = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}").all()
    assert "audit_changes" in plan[-1]
