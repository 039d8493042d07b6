"""A cookie that was copied: what its owner ends, it no longer opens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import jwt
import pytest
from flask.testing import FlaskClient

from data.state import account_changes as changes
from data.state import sessions
from data.state.store import State
from tests.accounts import ROOT, add_account, csrf_of, sign_in
from tests.resources import change_own
from tests.serving import ADMIN, SECRET, Served, serving
from tests.signing import PRIVATE, Provider, jwk, providing

OTHER: Final = "another horse"
Held = tuple[FlaskClient, FlaskClient]


def opens(client: FlaskClient) -> bool:
    return client.get("/api/v1/preferences").status_code == 200


def copy_of(served: Served, client: FlaskClient) -> FlaskClient:
    """A thief's browser with the cookie of another's."""
    cookie = client.get_cookie("spendscope")
    assert cookie
    thief: FlaskClient = served.app.server.test_client()
    thief.set_cookie("spendscope", cookie.value)
    assert opens(thief)
    return thief


@pytest.fixture
def held(served: Served, state: State) -> Held:
    """Ana's browser, and the thief's with a copy of its cookie."""
    client: FlaskClient = served.app.server.test_client()
    assert sign_in(client, "ana").status_code == 303
    return client, copy_of(served, client)


def sign_out(client: FlaskClient) -> None:
    form = {"csrf_token": csrf_of(client, "/sign-out")}
    assert client.post("/sign-out", data=form).status_code == 303


def test_signing_out_ends_the_copy(held: Held) -> None:
    sign_out(held[0])
    assert not opens(held[1])


def test_signing_in_anew_ends_it_and_gives_another_id(held: Held, served: Served) -> None:
    before = held[0].get_cookie("spendscope")
    assert sign_in(held[0], "ana").status_code == 303
    after = held[0].get_cookie("spendscope")
    assert before
    assert after
    assert before.value != after.value
    assert (opens(held[0]), opens(held[1])) == (True, False)


def test_a_planted_id_is_not_signed_in(served: Served, state: State) -> None:
    """Who knows the cookie from before signing in knows nothing afterwards."""
    victim = served.app.server.test_client()
    with victim.session_transaction() as session:
        session["_user_id"] = "planted"
    planted = victim.get_cookie("spendscope")
    assert planted
    assert sign_in(victim, "ana").status_code == 303
    eve = served.app.server.test_client()
    eve.set_cookie("spendscope", planted.value)
    assert (opens(victim), opens(eve)) == (True, False)


def test_changing_ones_password_ends_the_copy_alone(held: Held, served: Served) -> None:
    done = change_own(served, held[0], current="correct horse", password=OTHER, repeat=OTHER)
    assert done == {"saved": "Changed"}
    assert (opens(held[0]), opens(held[1])) == (True, False)


@pytest.mark.parametrize("change", [
    lambda state: changes.set_password(state, ROOT, "ana", OTHER),
    lambda state: changes.use_link(state, changes.make_link(state, ROOT, "ana"), OTHER, ROOT.now),
    lambda state: changes.disable(state, ROOT, "ana"),
    lambda state: changes.remove(state, ROOT, "ana"),
])  # fmt: skip
def test_what_happens_to_the_account_ends_both(held: Held, state: State, change: Any) -> None:
    change(state)
    assert (opens(held[0]), opens(held[1])) == (False, False)


def test_rights_that_were_taken_away_open_nothing_to_the_copy(held: Held, state: State) -> None:
    add_account(state, "root", "Root", is_admin=True)
    changes.change(state, ROOT, "ana", {"isAdmin": True})
    assert held[1].get("/api/v1/accounts").status_code == 200
    changes.change(state, ROOT, "ana", {"isAdmin": False})
    assert held[1].get("/api/v1/accounts").status_code == 403


def test_it_can_be_ended_in_the_list(held: Held, served: Served) -> None:
    [own] = held[0].get("/api/v1/sessions").get_json()["sessions"]
    path = f"people/sessions/{own['id']}"
    assert served.ask("delete", path).status_code == 204
    assert (opens(held[0]), opens(held[1])) == (False, False)


def test_it_is_over_after_twelve_hours(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = sessions.now()
    for hours, good in ((11.9, True), (12.1, False)):
        monkeypatch.setattr(sessions, "now", lambda at=begun + int(hours * sessions.HOUR): at)
        assert opens(held[1]) is good


# --- of sessions by token


def enter(served: Served, token: str) -> FlaskClient:
    client: FlaskClient = served.app.server.test_client()
    form = {"csrf_token": csrf_of(client), "token": token}
    assert client.post("/sign-in", data=form).status_code == 303
    assert opens(client)
    return client


def token_of(key: Any = SECRET, algorithm: str = "HS256", kid: str = "k1", **more: Any) -> str:
    claims = {"sub": "ana", "exp": int(time.time()) + 600, **more}
    return jwt.encode(claims, key, algorithm, headers={"kid": kid})


def test_another_secret_ends_what_the_old_one_opened(tmp_path: Path) -> None:
    with serving(tmp_path) as before:
        client = enter(before, token_of(isAdmin=True))
        cookie = client.get_cookie("spendscope")
        assert cookie
    with serving(tmp_path, JWT_SECRET=SECRET + " rotated") as after:
        after.client.set_cookie("spendscope", cookie.value)
        assert not opens(after.client)
    with serving(tmp_path) as again:
        again.client.set_cookie("spendscope", cookie.value)
        assert opens(again.client)


def test_no_session_outlives_its_token(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    end = int(time.time()) + 20
    client = enter(served, token_of(exp=end))
    for at, good in ((end - 1, True), (end, False)):
        monkeypatch.setattr(sessions, "now", lambda at=at: at * 1_000_000)
        assert opens(client) is good


def test_a_token_in_its_leeway_begins_no_session(served: Served) -> None:
    client = served.app.server.test_client()
    late = token_of(exp=int(time.time()) - 5)
    headers = {"Authorization": f"Bearer {late}"}
    assert served.client.get("/api/v1/preferences", headers=headers).status_code == 200
    answer = client.post("/sign-in", data={"csrf_token": csrf_of(client), "token": late})
    assert (answer.status_code, "has expired" in answer.text) == (401, True)
    assert not opens(client)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing({"keys": [jwk(PRIVATE, "k1")]}) as one:
        yield one


def test_a_key_that_left_the_key_set_takes_its_sessions_along(
    tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("callbacks.access.key_set.monotonic", lambda: now[0])
    with serving(
        tmp_path, JWT_SECRET="", JWKS_URL=provider.url,
        JWT_ISSUER="https://idp", JWT_AUDIENCE="us",
    ) as served:  # fmt: skip
        token = token_of(PRIVATE, "RS256", iss="https://idp", aud="us")
        client = enter(served, token)
        thief = copy_of(served, client)
        provider.answers({"keys": [jwk(provider.other, "k2")]})
        now[0] = 301.0
        assert (opens(client), opens(thief)) == (False, False)
        same_id = {"keys": [jwk(provider.other, "k1")]}
        provider.answers(same_id)
        now[0] = 700.0
        assert not opens(client)


def test_listed_are_those_that_open_something(served: Served, state: State, held: Held) -> None:
    enter(served, token_of(sub="zoe"))
    listed: Callable[[], list[str]] = lambda: sorted(  # noqa: E731
        one["user"] for one in served.json("people/sessions", ADMIN)["sessions"]
    )
    assert listed() == ["ana", "zoe"]
    changes.set_password(state, ROOT, "ana", OTHER)
    assert listed() == ["zoe"]
