"""The life of an account: who changes it, what holds from the next request on, who stays."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from flask.testing import FlaskClient

from data.access.scope import SYSTEM
from data.errors import Refused, SpendscopeError, Stranger
from data.events.cleaning import clean
from data.state import account_changes as changes
from data.state.audit import entries
from data.state.store import State
from tests.accounts import AT, PASSWORD, ROOT, add_account, csrf_of, sign_in
from tests.resources import (
    begin,
    body,
    change_own,
    confirm,
    fill,
    press,
    problems,
    save,
)
from tests.serving import ADMIN, LEAST, Claims, Served

OTHER: Final = "another horse"
OTHERS: Final[tuple[Claims, ...]] = ({"sub": "ana"}, {"sub": "lena", "applications_admin": "web"})
DAY: Final = 86_400_000_000
pytestmark = pytest.mark.usefixtures("fast_passwords")
FORM: Final = {"user": "eva", "name": "Eva", "email": "eva@x.org", "isAdmin": "false",
               "applications": "web, mobile", "applications_admin": ""}  # fmt: skip


@pytest.fixture
def state(served: Served) -> Iterator[State]:
    opened = State(served.settings.state_url)
    yield opened
    opened.close()


@pytest.fixture
def signed_in(served: Served, state: State) -> Callable[..., FlaskClient]:
    """A browser in which somebody of a new account has signed in."""

    def one(user: str, **rights: Any) -> FlaskClient:
        if state.account(user) is None:
            add_account(state, user, user.title(), **rights)
        client: FlaskClient = served.app.server.test_client()
        assert sign_in(client, user).status_code == 303
        assert status(client) == 200
        return client

    return one


def status(client: FlaskClient) -> int:
    return client.get("/api/v1/preferences").status_code


def why(client: FlaskClient) -> str:
    """Why a session is over."""
    answer = client.get("/api/v1/preferences")
    assert answer.status_code == 401
    assert answer.json
    return str(answer.json["error"]["message"])


def trail(state: State) -> list[tuple[str, str]]:
    """What the audit trail has of accounts, the oldest first."""
    found = entries(state, SYSTEM, 1_000)
    return [(one.action, one.thing) for one in reversed(found) if "account" in one.thing]


# --- what holds from the next request on


@pytest.mark.parametrize(("change", "sentence"), [
    (lambda state: changes.disable(state, ROOT, "ana"), "disabled"),
    (lambda state: changes.remove(state, ROOT, "ana"), "no longer there"),
    (lambda state: changes.set_password(state, ROOT, "ana", OTHER), "session was ended"),
])  # fmt: skip
def test_a_session_ends_at_its_next_request(
    state: State, signed_in: Callable[..., FlaskClient], change: Any, sentence: str
) -> None:
    ana, bob = signed_in("ana"), signed_in("bob")
    change(state)
    assert sentence in why(ana)
    assert status(bob) == 200


def test_who_is_enabled_again_signs_in_again(
    state: State, signed_in: Callable[..., FlaskClient]
) -> None:
    client = signed_in("ana")
    cookie = client.get_cookie("spendscope")
    assert cookie
    held = cookie.value
    changes.disable(state, ROOT, "ana")
    assert "This account is disabled" in sign_in(client, "ana").text
    assert "The name or the password is wrong" in sign_in(client, "ana", OTHER).text
    changes.enable(state, ROOT, "ana")
    client.set_cookie("spendscope", held)
    assert status(client) == 401
    assert sign_in(client, "ana").status_code == 303
    assert status(client) == 200


def test_rights_are_read_at_every_request(
    served: Served, state: State, signed_in: Callable[..., FlaskClient]
) -> None:
    served.load([{"event_id": "e", "ts": "2026-11-20T10:00:00Z", "user": "bob", "project": "web"}])
    client = signed_in("ana")
    signed_in("root", is_admin=True)

    def requests() -> int:
        answer = client.get("/api/v1/query?metrics=requests&preset=last_n_days")
        assert answer.json
        return int(answer.json["totals"]["requests"] or 0)

    assert requests() == 0
    for rights, seen in (({"applications_admin": "web"}, 1), ({"applications_admin": ""}, 0),
                         ({"isAdmin": True}, 1), ({"isAdmin": "false"}, 0)):  # fmt: skip
        changes.change(state, ROOT, "ana", rights)
        assert requests() == seen, rights


# --- one administrator stays


@pytest.mark.parametrize("change", [
    lambda state: changes.disable(state, ROOT, "root"),
    lambda state: changes.remove(state, ROOT, "root"),
    lambda state: changes.change(state, ROOT, "root", {"isAdmin": False}),
])  # fmt: skip
def test_the_last_administrator_stays(state: State, change: Any) -> None:
    add_account(state, "root", "Root", is_admin=True)
    add_account(state, "new", "New", None, is_admin=True)  # cannot sign in yet
    add_account(state, "off", "Off", is_admin=True)
    changes.disable(state, ROOT, "off")
    before, told = state.account("root"), trail(state)
    with pytest.raises(Refused, match="root is the last enabled administrator") as refused:
        change(state)
    assert refused.value.parameter == "isAdmin"
    assert (state.account("root"), trail(state)) == (before, told)
    changes.enable(state, ROOT, "off")
    change(state)
    assert trail(state)[-1][1] == "account root"


def test_anything_may_happen_and_the_rules_hold(state: State) -> None:
    """Random changes: somebody can administer, epochs only grow, one entry a change, no secret."""
    chance, people = random.Random(7), ("ana", "bob", "eva")
    add_account(state, "ana", "Ana", is_admin=True)
    secrets, epochs, refused = {PASSWORD, OTHER}, dict[tuple[str, int], int](), 0
    for _ in range(200):
        user, count = chance.choice(people), len(trail(state))
        try:
            secrets |= one_change(state, chance, user)
        except SpendscopeError:
            refused += 1
            assert len(trail(state)) == count
        else:
            assert len(trail(state)) - count in (0, 1)
        found = [one for name in people if (one := state.account(name))]
        assert [one for one in found if one.is_admin and not one.disabled and one.password_set]
        for one in found:
            assert one.epoch >= epochs.get((one.id, one.created), 1)
            epochs[one.id, one.created] = one.epoch
    assert 10 < refused < 150
    everything = json.dumps([(one.before, one.after) for one in entries(state, SYSTEM, 10_000)])
    assert not [secret for secret in secrets if secret in everything]
    assert "hash" not in everything


def one_change(state: State, chance: random.Random, user: str) -> set[str]:
    """What came out of it that is a secret."""
    what = chance.choice(["add", "disable", "enable", "remove", "rights", "password", "link"])
    if what == "add":
        add_account(
            state, user, user, chance.choice([PASSWORD, None]), is_admin=chance.random() < 0.5
        )
    elif what == "rights":
        changes.change(state, ROOT, user, {"isAdmin": chance.random() < 0.5})
    elif what == "password":
        changes.set_password(state, ROOT, user, OTHER)
    elif what == "link":
        return {changes.make_link(state, ROOT, user)}
    else:
        getattr(changes, what)(state, ROOT, user)
    return set()


# --- a link by which a password is set


def test_a_link_sets_a_password_once(
    served: Served, state: State, signed_in: Callable[..., FlaskClient]
) -> None:
    old = signed_in("ana")
    sent = served.ask("post", "accounts/password", json={"user": "ana"}).json["link"]
    path, client = sent.removeprefix("http://localhost"), served.app.server.test_client()
    form = {"csrf_token": csrf_of(client, path), "token": path.partition("token=")[2]}
    short = client.post("/set-password", data=form | {"password": "short"})
    assert (short.status_code, "at least 10 characters" in short.text) == (400, True)
    assert status(old) == 200  # until it is used
    done = client.post("/set-password", data=form | {"password": OTHER})
    assert (done.status_code, done.location, status(client)) == (303, "/", 200)
    assert (status(old), client.get(path).status_code) == (401, 401)
    assert state.verify("ana", OTHER)
    assert not state.verify("ana", PASSWORD)
    assert trail(state)[-2:] == [
        ("create", "set-password link of account ana"), ("edit", "account ana"),
    ]  # fmt: skip
    assert entries(state, SYSTEM, 1, group="changes")[0].who == "ana"


@pytest.mark.parametrize("spoil", [
    lambda state: changes.make_link(state, ROOT, "ana"),
    lambda state: changes.set_password(state, ROOT, "ana", PASSWORD),
    lambda state: changes.disable(state, ROOT, "ana"),
    lambda state: changes.remove(state, ROOT, "ana"),
])  # fmt: skip
def test_a_link_is_over_when_something_newer_happened(state: State, spoil: Any) -> None:
    add_account(state, "ana", "Ana")
    token = changes.make_link(state, ROOT, "ana")
    assert changes.of_link(state, token, AT).id == "ana"
    spoil(state)
    for once in (lambda: changes.of_link(state, token, AT),
                 lambda: changes.use_link(state, token, OTHER, AT)):  # fmt: skip
        with pytest.raises(Stranger, match="ask for another"):
            once()


def test_a_link_lasts_three_days(served: Served, state: State) -> None:
    add_account(state, "ana", "Ana", None)
    token = changes.make_link(state, ROOT, "ana")
    assert changes.of_link(state, token, AT + 3 * DAY - 1)
    with pytest.raises(Stranger):
        changes.use_link(state, token, OTHER, AT + 3 * DAY)
    for guess in ("", "x", token[:-1]):
        assert served.client.get("/set-password", query_string={"token": guess}).status_code == 401
    assert not state.verify("ana", "the password of nobody")


# --- over HTTP and in the page


def test_accounts_are_made_changed_and_removed(served: Served, state: State) -> None:
    add_account(state, "root", "Root", is_admin=True)
    made = served.ask("post", "accounts", json=FORM)
    assert made.status_code == 201
    assert made.json["applications"] == ["web", "mobile"]
    assert made.json["link"].startswith("http://localhost/set-password?token=")
    assert (made.json["password_set"], made.json["disabled"]) == (None, None)
    changed = served.ask("patch", "accounts?user=eva", json={"isAdmin": True})
    assert (changed.json["isAdmin"], changed.json["applications"]) == (True, ["web", "mobile"])
    assert served.ask("post", "accounts/disable", json={"user": "eva"}).status_code == 204
    listed = {one["user"]: one["disabled"] for one in served.json("accounts")["accounts"]}
    assert listed == {"root": None, "eva": "2026-11-20T12:00:00+00:00"}
    assert served.ask("post", "accounts/password", json={"user": "eva"}).status_code == 400
    assert served.ask("post", "accounts/enable", json={"user": "eva"}).status_code == 204
    assert served.ask("delete", "accounts?user=eva").status_code == 204
    assert served.ask("delete", "accounts?user=eva").status_code == 404
    assert [action for action, thing in trail(state) if thing == "account eva"] == [
        "create", "edit", "edit", "edit", "delete",
    ]  # fmt: skip


@pytest.mark.parametrize(("sent", "parameter"), [
    ({"user": "x"}, "name"), ({"name": "X"}, "user"), ({"user": "x", "name": "X", "password": "y"},
    "password"), ({"user": "me", "name": "X"}, "user"), ({"user": "root", "name": "X"}, "user"),
    ({"user": "x", "name": "X", "isAdmin": "yes"}, "isAdmin"),
    ({"user": "x", "name": "X", "isAdmin": 1}, "isAdmin"),
    ({"user": "x", "name": "X", "applications": {"a": 1}}, "applications"),
    ({"user": "x", "name": "X", "email": ["a@b"]}, "email"), ({"user": 7, "name": "X"}, "user"),
])  # fmt: skip
def test_what_is_no_account_is_refused(
    served: Served, state: State, sent: Any, parameter: str
) -> None:
    add_account(state, "root", "Root", is_admin=True)
    answer = served.ask("post", "accounts", json=sent)
    assert (answer.status_code, answer.json["error"]["parameter"]) == (400, parameter)
    assert len(served.json("accounts")["accounts"]) == 1


@pytest.mark.parametrize("claims", OTHERS)
def test_accounts_are_for_platform_admins_alone(
    served: Served, state: State, claims: Claims
) -> None:
    add_account(state, "secret.person", "Secret Person", email="secret@x.org")
    assert "secret.person" in served.get("accounts").text
    assert "secret.person" in json.dumps(fill(served, "accounts")["table"]["rowData"])
    row = {"user": "secret.person", "name": "Secret Person", "disabled": None}
    told = [fill(served, "accounts", claims),
            press(served, "accounts", "account-enable", row, claims),
            confirm(served, "accounts", "account-disable", row, claims),
            confirm(served, "accounts", "account-reset", row, claims),
            confirm(served, "accounts", "account-remove", row, claims),
            save(served, "accounts", FORM, claims=claims)]  # fmt: skip
    assert told[0]["card"]["data-state"] == "failed"
    assert problems(told[-1]) == {"": "accounts are for platform administrators"}
    begin(served, "accounts", "account-edit", [row], claims, status=403)
    texts = [json.dumps([str(key) + str(value) for part in told for key, value in part.items()]),
             body(served, "accounts", claims)]  # fmt: skip
    for method, path, sent in (
        ("get", "", None), ("post", "", FORM), ("patch", "?user=secret.person", {"isAdmin": True}),
        ("delete", "?user=secret.person", None), ("post", "/disable", {"user": "secret.person"}),
        ("post", "/enable", {"user": "secret.person"}),
        ("post", "/password", {"user": "secret.person"}),
    ):  # fmt: skip
        answer = served.ask(method, f"accounts{path}", claims, json=sent)
        assert answer.status_code == 403, path
        assert getattr(served.client, method)(f"/api/v1/accounts{path}").status_code == 401
        texts.append(answer.text)
    assert not [text for text in texts if "secret.person" in text.lower() or "token=" in text]
    assert len(trail(state)) == 1


def test_a_visitor_of_the_demo_makes_nothing_that_outlives_it(served: Served) -> None:
    served.store.write([clean(LEAST | {"event_id": "s", "ts": "2026-11-20T10:00:00Z",
                                       "source": "sample", "user": "x"})])  # fmt: skip
    client = served.app.server.test_client()
    form = {"csrf_token": csrf_of(client), "persona": "platform-admin"}
    assert client.post("/sign-in", data=form).status_code == 303
    assert client.get("/api/v1/imports").status_code == 200
    assert client.get("/api/v1/accounts").status_code == 403


def test_the_form_makes_an_account_and_shows_its_link_once(served: Served, state: State) -> None:
    add_account(state, "root", "Root", is_admin=True)
    opened = begin(served, "accounts", "account-new")
    assert opened["title"]["children"] == "New account"
    refused = save(served, "accounts", FORM | {"name": " "}, opened["edited"]["data"])
    assert problems(refused) == {"name": "a name cannot be empty"}
    done = save(served, "accounts", FORM, opened["edited"]["data"])
    assert "/set-password?token=" in done["secret"]["children"]
    rows = {row["user"]: row for row in fill(served, "accounts")["table"]["rowData"]}
    assert (rows["eva"]["password_set_text"], rows["eva"]["disabled_text"]) == (
        "not yet",
        "enabled",
    )
    opened = begin(served, "accounts", "account-edit", [rows["root"]])
    assert (opened["field", "user"]["value"], opened["choice", "isAdmin"]["value"]) == (
        "root",
        "true",
    )
    last = save(served, "accounts", FORM | {"user": "root", "email": ""}, opened["edited"]["data"])
    assert "the last enabled administrator" in problems(last)["isAdmin"]
    renamed = save(served, "accounts", FORM | {"user": "other"}, opened["edited"]["data"])
    assert problems(renamed) == {"user": "an account keeps its user id: make another account"}


def test_a_reset_shows_a_link_and_removing_the_last_says_why(served: Served, state: State) -> None:
    add_account(state, "root", "Root", is_admin=True)
    [row] = fill(served, "accounts")["table"]["rowData"]
    assert "displayed" in press(served, "accounts", "account-reset", row)["confirm"]
    done = confirm(served, "accounts", "account-reset", row)
    assert "/set-password?token=" in done["secret"]["children"]
    refused = confirm(served, "accounts", "account-remove", row)
    assert "the last enabled administrator" in refused["problem"]["children"]
    assert "changed" not in refused


# --- one's own password


def test_who_changes_their_password_stays_and_is_out_elsewhere(
    served: Served, state: State, signed_in: Callable[..., FlaskClient]
) -> None:
    here, elsewhere = signed_in("ana"), signed_in("ana")
    assert change_own(served, here, current=PASSWORD, password=OTHER, repeat="x") == {
        "repeat": "the two passwords differ"
    }
    assert change_own(served, here, current="wrong", password=OTHER, repeat=OTHER) == {
        "current": "that is not your current password"
    }
    short = change_own(served, here, current=PASSWORD, password="s", repeat="s")
    assert short == {"password": "a password needs at least 10 characters"}
    assert (status(here), status(elsewhere)) == (200, 200)
    done = change_own(served, here, current=PASSWORD, password=OTHER, repeat=OTHER)
    assert done == {"saved": "Changed"}
    assert (status(here), status(elsewhere)) == (200, 401)
    assert state.verify("ana", OTHER)
    assert trail(state)[-1] == ("edit", "account ana")


def test_who_has_no_account_has_no_password_here(
    served: Served, signed_in: Callable[..., FlaskClient]
) -> None:
    page = {"X-Page-Address": "/settings/profile"}
    assert "section-password" in signed_in("ana").get("/_dash-layout", headers=page).text
    assert "section-preferences" in served.layout("/settings/profile").text
    assert "section-password" not in served.layout("/settings/profile", ADMIN).text
