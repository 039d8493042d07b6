"""Guessing passwords: every way round the limits that was found, and each is closed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Final

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from callbacks.access import throttle
from callbacks.access.throttle import MOST_TRIES, Throttle
from callbacks.access.tokens import sign
from data.errors import TooMany
from data.events.cleaning import clean
from data.state import account_changes
from data.state.store import State
from data.state.tries import SPAN_SECONDS, LocalTries
from tests.accounts import PASSWORD, ROOT, csrf_of, sign_in
from tests.resources import change_own
from tests.serving import LEAST, Served

GUESS: Final = "wrong horse"
SAMPLE: Final = {"event_id": "s", "ts": "2026-11-20T10:00:00Z", "source": "sample", "user": "x"}
pytestmark = pytest.mark.usefixtures("state")


def enter(served: Served, form: dict[str, str], address: str = "192.0.2.1") -> TestResponse:
    """What a browser that was never here sends from an address."""
    client: FlaskClient = served.app.server.test_client()
    client.environ_base["REMOTE_ADDR"] = address
    return client.post("/sign-in", data={"csrf_token": csrf_of(client)} | form)


def guess(served: Served, name: str = "ana", address: str = "192.0.2.1") -> int:
    return enter(served, {"name": name, "password": GUESS}, address).status_code


def guesses(served: Served, count: int, **more: Any) -> list[int]:
    return [guess(served, **more) for _ in range(count)]


def open_demo(served: Served) -> None:
    served.store.write([clean(LEAST | SAMPLE)])


def with_token(served: Served) -> dict[str, str]:
    return {"token": sign(served.settings, {"sub": "eve"}, 600)}


@pytest.mark.parametrize("own", [
    with_token,
    lambda _: {"name": "eve", "password": PASSWORD},
])  # fmt: skip
def test_no_other_sign_in_resets_the_count(
    served: Served, own: Callable[[Served], dict[str, str]]
) -> None:
    """With ana's name beside it, as the form of the page never sends it."""
    assert guesses(served, MOST_TRIES) == [401] * MOST_TRIES
    assert enter(served, {"name": "ana"} | own(served)).status_code == 303
    assert guess(served) == 429


@pytest.mark.parametrize("spelled", [" ana", "ana\t", "\u00a0ana ", "ana@x.org", " ANA@x.org "])
def test_no_spelling_of_a_name_opens_another_count(served: Served, spelled: str) -> None:
    assert guesses(served, MOST_TRIES, name=spelled) == [401] * MOST_TRIES
    assert [guess(served, one) for one in ("ana", " ana", "ana@x.org")] == [429] * 3


@pytest.mark.parametrize("name", ["ana", " " * 250 + "ana", "ana@x.org"])
def test_the_right_password_does_not_enter_while_locked(served: Served, name: str) -> None:
    guesses(served, MOST_TRIES)
    answer = enter(served, {"name": name, "password": PASSWORD}, "198.51.100.7")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= SPAN_SECONDS
    assert "Too many tries" in answer.text


def test_a_count_is_of_all_addresses_together(served: Served) -> None:
    tried = [guess(served, address=f"192.0.2.{n}") for n in range(MOST_TRIES + 1)]
    assert tried == [401] * MOST_TRIES + [429]


def test_one_address_does_not_try_every_name(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "MOST_OF_ADDRESS", 6)
    tried = [guess(served, f"user{n}", "2001:db8::1") for n in range(6)]
    assert tried == [401] * 6
    assert guess(served, "user7", "2001:db8::2") == 429  # the same network
    assert guess(served, "user7", "2001:db8:1::1") == 401


def test_ones_own_account_does_not_reset_the_count_of_an_address(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "MOST_OF_ADDRESS", 3)
    for number in range(3):
        assert guess(served, f"user{number}") == 401
        own = enter(served, {"name": "eve", "password": PASSWORD})
    assert (own.status_code, guess(served)) == (429, 429)


def test_all_addresses_together_have_a_limit(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "MOST_OF_ALL", 6)
    tried = [guess(served, f"user{n}", f"192.0.2.{n}") for n in range(7)]
    assert tried == [401] * 6 + [429]


def test_made_up_names_push_no_count_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are never more rows than tries that are allowed, however many names are made up."""
    monkeypatch.setattr(throttle, "MOST_OF_ALL", 50)
    tries = LocalTries()
    counted = Throttle(tries)
    for _ in range(MOST_TRIES):
        counted.check("account:ana", "192.0.2.1", lambda: None)
    for number in range(1_000):
        with pytest.raises(TooMany) if number >= 40 else nullcontext():
            counted.check(f"name:{number}", f"198.51.{number // 250}.{number % 250}", lambda: None)
    assert len(tries) == 50
    with pytest.raises(TooMany, match="this name"):
        counted.check("account:ana", "203.0.113.1", lambda: None)


def test_tokens_and_personas_are_no_tries(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MOST_OF_ADDRESS", 3)
    open_demo(served)
    sent = [{"token": "x"}, {"persona": "nobody"}, {"persona": "user"}, with_token(served)] * 2
    assert [enter(served, form).status_code for form in sent] == [401, 401, 401, 303] * 2
    assert guess(served) == 401


def test_the_current_password_is_counted_with_the_others(served: Served, state: State) -> None:
    """A session that somebody found open is no way to the password."""
    client = served.app.server.test_client()
    assert sign_in(client, "ana").status_code == 303
    typed = {"password": "another horse", "repeat": "another horse"}
    for _ in range(MOST_TRIES):
        wrong = change_own(served, client, current=GUESS, **typed)
        assert wrong == {"current": "that is not your current password"}
    locked = change_own(served, client, current=PASSWORD, **typed)
    assert locked["current"].startswith("too many tries with this name")
    assert guess(served) == 429
    assert state.verify("ana", PASSWORD)


@pytest.mark.parametrize("path", ["/set-password", "/setup"])
def test_guessed_links_are_counted(
    served: Served, state: State, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "MOST_OF_ADDRESS", 5)
    client = served.app.server.test_client()
    tried = [client.get(path, query_string={"token": f"t{n}"}).status_code for n in range(6)]
    assert tried == [401] * 5 + [429]
    token = account_changes.make_link(state, ROOT, "ana")
    assert client.get("/set-password", query_string={"token": token}).status_code == 429


def test_who_has_a_good_link_has_no_limit(
    served: Served, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "MOST_OF_ADDRESS", 2)
    token = account_changes.make_link(state, ROOT, "ana")
    client: FlaskClient = served.app.server.test_client()
    for _ in range(4):
        assert client.get("/set-password", query_string={"token": token}).status_code == 200
