"""Whoever reads the log reads no secret in it: a walk by every way in, right and wrong, as the log
says the most that it can."""

from __future__ import annotations

import logging
from typing import Any, Final

import pytest
from flask.testing import FlaskClient

from callbacks.access.tokens import sign
from data.access.scope import Scope
from data.ingest import keys
from data.state import account_changes, api_tokens
from data.state.audit import Actor
from data.state.store import State
from tests.accounts import PASSWORD, ROOT, csrf_of
from tests.serving import Served

EVENT: Final = {"event_id": "e", "ts": "2026-11-20T10:00:00Z", "kind": "llm", "channel": "api",
                "source": "s", "status": "ok", "user": "somebody@hidden.example"}  # fmt: skip
CHOSEN: Final = "four plain words here"


def enter(client: FlaskClient, **typed: str) -> int:
    return client.post("/sign-in", data={"csrf_token": csrf_of(client)} | typed).status_code


def by_link(client: FlaskClient, state: State) -> str:
    """The secret of a link by which ana has set a password, and tried to set two others."""
    link = account_changes.make_link(state, ROOT, "ana")
    page = f"/set-password?token={link}"
    for password, status in (("password12345", 400), (CHOSEN, 303), (CHOSEN, 401)):
        form = {"csrf_token": csrf_of(client), "token": link, "password": password}
        assert client.post(page, data=form).status_code == status
    return link


def test_no_secret_and_no_row_is_in_the_log(
    served: Served, state: State, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    client: FlaskClient = served.app.server.test_client()
    token = sign(served.settings, {"sub": "zoe"}, 600)
    ana = Actor(Scope("ana", subject="ana"), "Ana", ROOT.now)
    secrets = {
        "link": by_link(client, state), "password": CHOSEN, "token": token, "old": PASSWORD,
        "key": keys.add(state, ROOT, {"name": "k", "source": "s"})[1],
        "api": api_tokens.add(state, ana, {"name": "t", "scopes": "send", "days": 1})[1],
    }  # fmt: skip
    typed: list[dict[str, str]] = [
        {"name": "ana", "password": "wrong guess"}, {"name": "a secret in a name"},
        {"token": token[:-4]}, {"token": token}, {"name": "ana", "password": CHOSEN},
    ]  # fmt: skip
    assert [enter(client, **one) for one in typed] == [401, 401, 401, 303, 303]
    cookie = client.get_cookie("spendscope")
    assert cookie
    secrets |= {"cookie": cookie.value, "guess": "wrong guess", "name": "a secret in a name"}
    for secret in (token, secrets["api"], secrets["key"], "not a key at all"):
        headers = {"Authorization": f"Bearer {secret}"}
        client.post("/api/v1/events", json=[EVENT], headers=headers)
        client.get("/api/v1/query?metrics=cost&user=somebody@hidden.example", headers=headers)
    monkeypatch.setattr("callbacks.api.analytics.run_compared", broken)
    assert client.get("/api/v1/query?metrics=cost").status_code == 500
    assert "ZeroDivisionError" in caplog.text
    secrets["person"] = "hidden.example"
    assert not [name for name, secret in secrets.items() if secret in caplog.text]


def broken(*_: Any) -> None:
    raise ZeroDivisionError
