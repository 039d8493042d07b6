"""API tokens: never more than their maker may do now, nor than they were made for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from data.access.scope import SYSTEM, Scope
from data.errors import Refused, Unknown
from data.state import account_changes, api_tokens
from data.state.api_tokens import DAY
from data.state.audit import Actor, entries
from data.state.store import State
from tests.accounts import AT, ROOT, add_account, sign_in
from tests.resources import fill
from tests.serving import Served

RAW: Final = {"name": "script", "scopes": "read", "days": 30}
ANA: Final = Actor(Scope("ana", subject="ana"), "Ana", AT)
EVENT: Final = {"event_id": "e1", "ts": "2026-11-20T10:00:00Z", "kind": "llm", "channel": "api",
                "source": "script", "status": "ok"}  # fmt: skip


@pytest.fixture
def make(served: Served, state: State) -> Callable[..., str]:
    """A token of ana's for these scopes, and a row of hers and one of eve's to read."""
    served.load([{"event_id": name, "ts": EVENT["ts"], "user": name} for name in ("ana", "eve")])

    def one(scopes: str = "read", **more: Any) -> str:
        return api_tokens.add(state, ANA, RAW | {"scopes": scopes} | more)[1]

    return one


def ask(served: Served, secret: str, path: str, method: str = "GET", **more: Any) -> TestResponse:
    headers = {"Authorization": f"Bearer {secret}"}
    client: FlaskClient = served.app.server.test_client()
    return client.open(path, method=method, headers=headers, **more)


def events(served: Served, secret: str) -> Any:
    answer = ask(served, secret, "/api/v1/query?metrics=events")
    if answer.status_code != 200:
        return answer.status_code
    return answer.get_json()["totals"]["events"]


def test_it_has_the_rights_of_now(served: Served, state: State, make: Callable[..., str]) -> None:
    secret = make()
    add_account(state, "root", "Root", is_admin=True)
    assert events(served, secret) == 1
    account_changes.change(state, ROOT, "ana", {"isAdmin": "true"})
    assert events(served, secret) == 2
    account_changes.change(state, ROOT, "ana", {"isAdmin": "false"})
    assert events(served, secret) == 1
    account_changes.disable(state, ROOT, "ana")
    assert events(served, secret) == 401
    account_changes.enable(state, ROOT, "ana")
    assert events(served, secret) == 1
    account_changes.remove(state, ROOT, "ana")
    assert events(served, secret) == 401
    add_account(state, "ana", "Another Ana", is_admin=True)
    assert events(served, secret) == 401


def test_it_ends_by_itself_and_when_it_is_revoked(
    served: Served, state: State, make: Callable[..., str]
) -> None:
    past = Actor(ANA.scope, "Ana", AT - 2 * DAY)
    old = api_tokens.add(state, past, RAW | {"days": 1})[1]
    assert events(served, old) == 401
    secret = make()
    newest = api_tokens.list_tokens(state, "ana")[0]
    with pytest.raises(Unknown):
        api_tokens.revoke(state, Actor(Scope("eve", subject="eve"), "Eve", AT), newest.id)
    assert events(served, secret) == 1
    assert api_tokens.list_tokens(state, "ana")[0].used is not None
    api_tokens.revoke(state, ANA, newest.id)
    assert events(served, secret) == 401


@pytest.mark.parametrize(("scopes", "reads", "exports", "sends"), [
    ("read", 200, 403, 403), ("export", 403, 200, 403), ("send", 403, 403, 200),
    ("read,export,send", 200, 200, 200),
])  # fmt: skip
def test_it_does_what_it_was_made_for(
    served: Served, make: Callable[..., str], scopes: str, reads: int, exports: int, sends: int
) -> None:
    secret = make(scopes)
    assert ask(served, secret, "/api/v1/query?metrics=cost").status_code == reads
    for path in ("sections/models.csv", "sections/models.xlsx", "events.csv", "budgets.csv"):
        assert ask(served, secret, f"/api/v1/{path}").status_code == exports, path
    assert ask(served, secret, "/api/v1/events", "POST", json=[EVENT]).status_code == sends


def test_it_changes_nothing_and_makes_no_other(
    served: Served, state: State, make: Callable[..., str]
) -> None:
    """Not even by who may do anything themselves."""
    secret = make("read,export,send")
    account_changes.change(state, ROOT, "ana", {"isAdmin": True})
    assert events(served, secret) == 2
    for method, path in (
        ("POST", "/api/v1/tokens"), ("PUT", "/api/v1/preferences"), ("POST", "/api/v1/budgets"),
        ("GET", "/settings/profile"), ("GET", "/_dash-layout"), ("GET", "/metrics"),
        ("POST", "/_dash-update-component"), ("DELETE", "/api/v1/tokens/1"),
        ("POST", "/api/v1/store/totals"), ("POST", "/sign-out"), ("POST", "/api/v1/accounts"),
        ("POST", "/api/v1/people/viewings"), ("DELETE", "/api/v1/people/tokens/1"),
        ("POST", "/api/v1/ingest-keys"), ("POST", "/api/v1/imports?name=x.csv"),
    ):  # fmt: skip
        assert ask(served, secret, path, method, json={}).status_code in (401, 403), path


def test_an_auditors_sends_nothing(served: Served, state: State, make: Callable[..., str]) -> None:
    secret = make("send")
    account_changes.change(state, ROOT, "ana", {"isAuditor": True})
    answer = ask(served, secret, "/api/v1/events", "POST", json=[EVENT])
    assert (answer.status_code, "changes nothing" in answer.text) == (403, True)
    account_changes.change(state, ROOT, "ana", {"isAuditor": False})
    assert ask(served, secret, "/api/v1/events", "POST", json=[EVENT]).status_code == 200


def test_what_it_sends_is_its_makers(served: Served, make: Callable[..., str]) -> None:
    secret = make("send")
    sent = [EVENT, EVENT | {"event_id": "e2", "user": "eve"}]
    report = ask(served, secret, "/api/v1/events", "POST", json=sent).json
    assert report
    assert (report["accepted"], report["rejected"]) == (1, 1)
    assert served.json("query", {"sub": "ana"}, metrics="events")["totals"]["events"] == 2


def test_its_secret_is_kept_nowhere(state: State, make: Callable[..., str]) -> None:
    secret = make()
    with state.reading() as connection:
        kept = str(connection.exec_driver_sql("SELECT * FROM api_tokens").all())
    assert secret not in kept
    said = entries(state, SYSTEM, 1)[0]
    assert secret not in str(said)
    assert said.thing == "API token 1"


@pytest.mark.parametrize(("raw", "field"), [
    ({"name": ""}, "name"), ({"scopes": "admin"}, "scopes"), ({"scopes": ""}, "scopes"),
    ({"days": 0}, "days"), ({"days": "9999"}, "days"), ({"days": "x"}, "days"),
    ({"user": "eve"}, "user"),
])  # fmt: skip
def test_what_cannot_be_is_refused(state: State, raw: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        api_tokens.add(state, ANA, RAW | raw)
    assert refused.value.parameter == field


def test_the_profile_shows_ones_own_alone(
    served: Served, state: State, make: Callable[..., str]
) -> None:
    make()
    clients: list[FlaskClient] = []
    for user in ("ana", "eve"):
        client: FlaskClient = served.app.server.test_client()
        sign_in(client, user)
        clients.append(client)
    listed = [client.get("/api/v1/tokens").get_json()["tokens"] for client in clients]
    assert [[one["name"] for one in each] for each in listed] == [["script"], []]
    assert fill(served, "tokens", {"sub": "ana"})["card"]["data-state"] == "failed"
