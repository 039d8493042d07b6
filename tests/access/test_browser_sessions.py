"""Sessions as they are kept, listed and ended; what a request costs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from components.settings.sessions import browser
from data.access.scope import SYSTEM
from data.errors import StoreError
from data.events.cleaning import clean
from data.state import sessions
from data.state.audit import entries
from data.state.sessions import MINUTE, MOST_OF_USER, Begun, Client
from data.state.store import State
from tests.accounts import add_account, csrf_of, sign_in
from tests.resources import confirm, fill, press
from tests.serving import ADMIN, LEAST, Claims, Served

pytestmark = pytest.mark.usefixtures("fast_passwords")
FIREFOX: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAMPLE: Final = {"event_id": "s", "ts": "2026-11-20T10:00:00Z", "source": "sample", "user": "x"}


@pytest.fixture
def state(served: Served) -> Iterator[State]:
    opened = State(served.settings.state_url)
    add_account(opened, "ana", "Ana")
    add_account(opened, "bob", "Bob", is_admin=True)
    yield opened
    opened.close()


Enter = Callable[..., FlaskClient]


@pytest.fixture
def enter(served: Served, state: State) -> Enter:
    """A browser in which somebody signs in."""

    def one(user: str = "ana", address: str = "192.0.2.7", agent: str = FIREFOX) -> FlaskClient:
        client: FlaskClient = served.app.server.test_client()
        client.environ_base |= {"REMOTE_ADDR": address, "HTTP_USER_AGENT": agent}
        assert sign_in(client, user).status_code == 303
        return client

    return one


def listed(client: FlaskClient, path: str = "sessions") -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["sessions"]
    return found


def ask(client: FlaskClient, method: str, path: str, **sent: Any) -> int:
    """The status of a request of a page."""
    client.get("/settings/profile", headers={"Accept": "text/html"})
    token = client.get_cookie("_csrf_token")
    assert token
    headers = {"X-CSRFToken": token.value}
    return client.open(f"/api/v1/{path}", method=method, headers=headers, **sent).status_code


def status(client: FlaskClient) -> int:
    return client.get("/api/v1/preferences").status_code


# --- one's own


def test_everybody_sees_where_they_are_signed_in(enter: Enter) -> None:
    here, there = enter(), enter(address="192.0.2.8", agent="curl/8.1")
    enter("bob")
    found = {one["address"]: one for one in listed(here)}
    assert {at: (one["agent"], one["current"], one["way"]) for at, one in found.items()} == {
        "192.0.2.7": (FIREFOX, True, "account"), "192.0.2.8": ("curl/8.1", False, "account"),
    }  # fmt: skip
    assert ask(here, "DELETE", f"sessions/{found['192.0.2.8']['id']}") == 204
    assert (status(here), status(there)) == (200, 401)
    assert [one["address"] for one in listed(here)] == ["192.0.2.7"]


def test_nobody_ends_one_of_others(enter: Enter) -> None:
    ana, bob = enter(), enter("bob")
    [theirs] = listed(bob)
    for number in (theirs["id"], 0, 10**30):
        assert ask(ana, "DELETE", f"sessions/{number}") == 404
        assert ask(ana, "DELETE", f"people/sessions/{number}") == 403
    assert ask(ana, "POST", "people/sessions/end", json={"user": "bob"}) == 403
    assert ana.get("/api/v1/people/sessions").status_code == 403
    assert ask(ana, "POST", "sessions/end-others", json={}) == 204
    assert (status(ana), status(bob)) == (200, 200)


def test_all_others_end_together(enter: Enter, state: State) -> None:
    here, others = enter(), [enter() for _ in range(3)]
    assert ask(here, "POST", "sessions/end-others", json={}) == 204
    assert [status(one) for one in (here, *others)] == [200, 401, 401, 401]
    ended = [one for one in entries(state, SYSTEM, 10) if one.action == "session-end"]
    assert [(one.who, one.after) for one in ended] == [("ana", None)] * 3
    assert "hash" not in json.dumps([one.before for one in ended])


def test_a_token_of_the_same_person_sees_and_ends_them(served: Served, enter: Enter) -> None:
    client = enter()
    [one] = served.json("sessions", {"sub": "ana"})["sessions"]
    assert served.ask("delete", f"sessions/{one['id']}", {"sub": "ana"}).status_code == 204
    assert status(client) == 401
    assert served.json("sessions", {"sub": "ana"})["sessions"] == []


# --- everybody's


def test_an_administrator_ends_anybodys(enter: Enter) -> None:
    ana, again, bob = enter(), enter(), enter("bob")
    found = listed(bob, "people/sessions")
    assert sorted(one["user"] for one in found) == ["ana", "ana", "bob"]
    number = next(one["id"] for one in found if one["user"] == "ana")
    assert ask(bob, "DELETE", f"people/sessions/{number}") == 204
    assert sorted((status(ana), status(again))) == [200, 401]
    assert ask(bob, "POST", "people/sessions/end", json={"user": "ana"}) == 204
    assert [status(one) for one in (ana, again, bob)] == [401, 401, 200]
    for wrong in ({}, {"user": ""}, {"user": 7}, {"user": ["ana"]}):
        assert ask(bob, "POST", "people/sessions/end", json=wrong) == 400


@pytest.mark.parametrize("claims", [{"sub": "ana"}, {"sub": "lena", "applications_admin": "web"}])
def test_others_see_nobodys(served: Served, enter: Enter, claims: Claims) -> None:
    enter("bob", address="203.0.113.99")
    told = fill(served, "people-sessions", claims)
    assert (told["card"]["data-state"], told["table"]["rowData"]) == ("failed", [])
    row = {"id": 1, "user": "bob", "name": "Bob", "here": False}
    texts = [str(told), served.get("people/sessions", claims).text]
    for button in ("people-session-end", "people-session-end-all"):
        texts.append(str(confirm(served, "people-sessions", button, row, claims)))
    assert not [text for text in texts if "203.0.113.99" in text]
    assert len(served.json("people/sessions")["sessions"]) == 1


def test_visitors_of_the_demo_see_themselves_alone(served: Served) -> None:
    served.store.write([clean(LEAST | SAMPLE)])

    def visit(address: str) -> FlaskClient:
        client: FlaskClient = served.app.server.test_client()
        client.environ_base["REMOTE_ADDR"] = address
        form = {"csrf_token": csrf_of(client), "persona": "platform-admin"}
        assert client.post("/sign-in", data=form).status_code == 303
        return client

    one, other = visit("198.51.100.1"), visit("198.51.100.2")
    assert [each["address"] for each in listed(one)] == ["198.51.100.1"]
    assert one.get("/api/v1/people/sessions").status_code == 403
    [theirs] = listed(other)
    assert ask(one, "DELETE", f"sessions/{theirs['id']}") in (403, 404)
    assert ask(one, "POST", "sessions/end-others", json={}) in (204, 403)
    assert status(other) == 200


# --- in the page


def test_the_cards_show_and_end_them(served: Served, enter: Enter) -> None:
    client = enter(agent=FIREFOX)
    [row] = fill(served, "sessions", {"sub": "ana"})["table"]["rowData"]
    assert (row["browser"], row["address"], row["way"]) == (
        "Firefox on Linux", "192.0.2.7", "password",
    )  # fmt: skip
    assert row["browser_tip"] == FIREFOX
    [row] = fill(served, "people-sessions", ADMIN)["table"]["rowData"]
    assert (row["name"], row["user"], row["browser"]) == ("Ana", "ana", "Firefox on Linux")
    asked = press(served, "people-sessions", "people-session-end", row)
    assert "Ana" in asked["confirm"]["message"]
    assert "changed" in confirm(served, "people-sessions", "people-session-end", row)
    assert status(client) == 401
    client = enter()
    assert "changed" in confirm(served, "people-sessions", "people-session-end-all", row)
    assert status(client) == 401


@pytest.mark.parametrize(("agent", "name"), [
    (FIREFOX, "Firefox on Linux"), ("curl/8.1.2", "curl"), ("", ""), ("x" * 900, "x" * 40),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
     " Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0", "Edge on Windows"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 20_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML,"
     " like Gecko) Version/20.0 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
    ("python-requests/2.34", "python-requests"), ("<script>alert(1)</script>", "<script>alert(1)<"),
])  # fmt: skip
def test_a_browser_is_named(agent: str, name: str) -> None:
    assert browser(agent) == name


# --- what it costs


@pytest.fixture
def statements(served: Served) -> Iterator[list[str]]:
    """Every statement to a state store, from now on; the page is made at the first request."""
    served.client.get("/healthz")
    seen: list[str] = []

    def note(_c: Any, _u: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(sa.Engine, "before_cursor_execute", note)


def writes(seen: list[str]) -> list[str]:
    return [one for one in seen if one.startswith(("INSERT", "UPDATE", "DELETE"))]


def of_sessions(seen: list[str]) -> list[str]:
    return [one for one in seen if "sessions" in one]


def test_a_request_reads_its_session_once_and_writes_nothing(
    enter: Enter, statements: list[str]
) -> None:
    client = enter()
    statements.clear()
    for _ in range(5):
        assert status(client) == 200
    assert len(of_sessions(statements)) == 5
    assert writes(statements) == []


def test_the_read_goes_by_an_index(enter: Enter, state: State, statements: list[str]) -> None:
    client = enter()
    statements.clear()
    assert status(client) == 200
    [statement] = of_sessions(statements)
    with state.reading() as connection:
        plan = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {statement}", ("x", 1, "account")
        ).all()
    assert [row[-1] for row in plan if "SCAN" in row[-1]] == []
    assert "sqlite_autoindex_sessions_1" in str(plan)


def test_its_use_is_noted_once_a_minute(
    enter: Enter, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = sessions.now()
    monkeypatch.setattr(sessions, "now", lambda: begun)
    client = enter()
    client.environ_base["REMOTE_ADDR"] = "192.0.2.99"
    for passed, noted in ((0, 0), (MINUTE - 1, 0), (MINUTE + 1, 1), (MINUTE + 2, 0),
                          (2 * MINUTE, 0), (2 * MINUTE + 1, 1)):  # fmt: skip
        monkeypatch.setattr(sessions, "now", lambda at=begun + passed: at)
        statements.clear()
        assert status(client) == 200
        assert len(writes(statements)) == noted, passed
    [one] = listed(client)
    assert (one["address"], one["seen"] > one["created"]) == ("192.0.2.99", True)


def test_a_bearer_call_writes_nothing(served: Served, statements: list[str]) -> None:
    for _ in range(2):
        assert served.get("preferences", {"sub": "ana"}).status_code == 200
    assert writes(statements) == []
    assert of_sessions(statements) == []


def test_who_reads_goes_on_where_the_use_cannot_be_noted(
    enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = enter()

    def full(*_: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr("callbacks.access.browser_session.sessions.touch", full)
    assert status(client) == 200


# --- kept


def begun(user: str = "ana", until: int | None = None) -> Begun:
    return Begun("demo", user, user, "user", until=until)


def test_what_is_over_goes_and_too_many_lose_the_oldest(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = [sessions.now()]
    monkeypatch.setattr(sessions, "now", lambda: at[0])
    tokens = []
    for _ in range(MOST_OF_USER + 3):
        at[0] += 1
        tokens.append(sessions.begin(state, begun(), Client()))
    other = sessions.begin(state, begun("bob"), Client())
    found = [sessions.find(state, one) is not None for one in tokens]
    assert found == [False] * 3 + [True] * MOST_OF_USER
    at[0] += sessions.LONGEST
    assert sessions.find(state, other) is None
    sessions.begin(state, begun("eva"), Client())
    with state.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sessions").scalar() == 1


def test_an_id_is_kept_as_its_hash_alone(state: State, served: Served) -> None:
    token = sessions.begin(state, begun(), Client("192.0.2.1", "x" * 5_000))
    with state.reading() as connection:
        [row] = connection.exec_driver_sql("SELECT * FROM sessions").all()
    assert token not in str(row)
    assert len(token) >= 43
    assert max(len(one) for one in row if isinstance(one, str)) <= 300
    other = sessions.begin(state, begun(until=sessions.now() + 5 * sessions.HOUR), Client())
    found = sessions.find(state, other)
    assert found
    assert found.expires - found.created <= 5 * sessions.HOUR
