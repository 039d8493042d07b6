"""Sign-in by a real identity provider (oidc-provider, certified), and all that may become of it."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask_login import current_user

from callbacks.access.oidc import Logout
from callbacks.access.provider import Pending
from callbacks.access.tokens import LEEWAY_SECONDS
from callbacks.access.viewing import GLANCE
from data.access.scope import SYSTEM
from data.errors import Stranger
from data.state import sessions
from data.state.audit import NOWHERE, entries
from data.state.store import State
from tests.oidc import provider as providers
from tests.oidc.conftest import ACCOUNTS, Site
from tests.oidc.provider import OTHER, SECRET

FIVE_MINUTES: Final = 301.0
HTML: Final = "text/html"


def rights(site: Site, client: Any) -> tuple[str, bool, str]:
    """Who somebody is, whether they see all accounts, and how far they see."""
    [one] = [
        each for each in site.get(client, "/api/v1/sessions").json["sessions"] if each["current"]
    ]
    answer = site.get(client, "/api/v1/query?metrics=requests&preset=last_hour")
    sees_accounts = site.status(client, "/api/v1/accounts") == 200
    return one["user"], sees_accounts, answer.json["meta"]["scope"]


def door_of(site: Site) -> Any:
    return site.served.app.server.extensions["authenticator"].providers["oidc"]


def told(site: Site) -> list[tuple[str, str]]:
    found = entries(site.state, SYSTEM, 5, group="sign-ins")
    return [(one.action, one.who) for one in found]


# --- signing in


@pytest.mark.parametrize(("login", "seen"), [
    ("ana", ("ana", False, "own")), ("lena", ("lena", False, "projects")),
    ("root", ("root", True, "all")), ("vera", ("vera", True, "all")),
    ("eve", ("eve", False, "own")),  # what she calls herself is not what the settings name
])  # fmt: skip
def test_each_role_comes_in_with_its_rights(
    site: Site, login: str, seen: tuple[str, bool, str]
) -> None:
    client = site.enter(login)
    assert rights(site, client) == seen
    assert told(site)[0] == ("sign-in", login)
    cookie = client.get_cookie("spendscope", domain="127.0.0.1")
    assert cookie
    assert len(cookie.value) < 500


def test_it_is_asked_with_pkce_state_and_nonce(site: Site) -> None:
    client = site.client()
    url = site.begin(client, next="/settings/profile")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{site.address}/sign-in/oidc/callback"
    assert asked["scope"] == "openid profile email rights"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 32
    with providers.browser() as person:
        target = site.provider.came_back(url, "ana", person)
    answer = site.get(client, target.removeprefix(site.address))
    assert (answer.status_code, answer.location) == (303, "/settings/profile")


@pytest.mark.parametrize("there", ["https://evil.example", "//evil.example", "/" + "x" * 900])
def test_nobody_is_led_elsewhere_afterwards(site: Site, there: str) -> None:
    client = site.client()
    with providers.browser() as person:
        target = site.provider.came_back(site.begin(client, next=there), "ana", person)
    assert site.get(client, target.removeprefix(site.address)).location == "/"


def test_the_sign_in_page_leads_there(site: Site) -> None:
    page = site.get(site.client(), "/sign-in?next=/settings/profile", Accept=HTML).text
    assert 'href="/sign-in/oidc?next=%2Fsettings%2Fprofile"' in page
    away = site.get(site.client(), "/settings/profile", Accept=HTML)
    assert away.location.startswith("/sign-in?next=")


def test_no_token_of_the_provider_is_in_cookie_or_clear(site: Site) -> None:
    site.enter("ana")
    with site.state.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM sessions WHERE way = 'oidc'").all()
    # A token is parts between points: what is sealed has none, and any three letters by chance.
    for text in (str(rows), str(entries(site.state, SYSTEM, 50))):
        assert text
        assert re.search(r"eyJ[\w-]+\.", text) is None


# --- what comes back is used once, by whom it is for


def test_a_code_is_used_once(site: Site) -> None:
    client = site.client()
    back = site.back(client, "ana")
    assert site.get(client, back).status_code == 303
    for other in (client, site.client()):
        again = site.get(other, back)
        assert (again.status_code, "was not begun here" in again.text) == (401, True)
    assert told(site)[0] == ("sign-in-failed", "(unknown)")
    assert site.status(client) == 200


def test_a_code_that_was_redeemed_is_no_good_at_the_provider_either(site: Site) -> None:
    door = door_of(site)
    _, pending, url = door.begin()
    with providers.browser() as person:
        target = site.provider.came_back(url, "ana", person)
    [code] = parse_qs(urlsplit(target).query)["code"]
    assert door.provider.redeem(code, pending).subject == "ana"
    with pytest.raises(Stranger, match="the identity provider refused"):
        door.provider.redeem(code, pending)


@pytest.mark.parametrize("wrong", ["nonce", "verifier"])
def test_it_is_good_for_who_began_it_alone(site: Site, wrong: str) -> None:
    door = door_of(site)
    _, pending, url = door.begin()
    with providers.browser() as person:
        target = site.provider.came_back(url, "ana", person)
    [code] = parse_qs(urlsplit(target).query)["code"]
    with pytest.raises(Stranger):
        door.provider.redeem(code, Pending(**pending._asdict() | {wrong: "x" * 48}))


def test_a_stolen_code_does_not_enter_another_browser(site: Site) -> None:
    """Eve's browser, with a sign-in of its own begun, gets the code of Ana's."""
    stolen = dict(parse_qsl(urlsplit(site.back(site.client(), "ana")).query))
    eve = site.client()
    own = parse_qs(urlsplit(site.begin(eve)).query)["state"][0]
    mixed = urlencode(stolen | {"state": own})
    answer = site.get(eve, f"/sign-in/oidc/callback?{mixed}")
    assert (answer.status_code, site.status(eve)) == (401, 401)


@pytest.mark.parametrize(("change", "sentence"), [
    ({"state": "x"}, "was not begun here"), ({"state": None}, "was not begun here"),
    ({"code": None}, "sent no code"), ({"iss": "https://evil.example"}, "another identity"),
    ({"iss": None}, "another identity"), ({"code": "x" * 43}, "refused"),
    ({"error": "access_denied", "error_description": "<b>no</b>"}, "refused: &lt;b&gt;no"),
])  # fmt: skip
def test_an_answer_that_was_changed_is_refused(
    site: Site, change: dict[str, Any], sentence: str
) -> None:
    client = site.client()
    said = dict(parse_qsl(urlsplit(site.back(client, "ana")).query)) | change
    query = urlencode({name: value for name, value in said.items() if value is not None})
    answer = site.get(client, f"/sign-in/oidc/callback?{query}")
    assert answer.status_code == 401
    assert sentence in answer.text.replace("Another", "another")
    assert site.status(client) == 401


def test_a_refused_answer_uses_the_sign_in_up(site: Site) -> None:
    client = site.client()
    back = site.back(client, "ana")
    assert site.get(client, f"{back}&error=access_denied").status_code == 401
    again = site.get(client, back)
    assert (again.status_code, "was not begun here" in again.text) == (401, True)


def test_a_sign_in_is_waited_for_ten_minutes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    client = site.client()
    back = site.back(client, "ana")
    monkeypatch.setattr("callbacks.access.provider_pages.LONGEST_SECONDS", -1)
    assert "took too long" in site.get(client, back).text


# --- ID tokens that are not for us


def token_for(site: Site, client_id: str, redirect: str, nonce: str = "n" * 32) -> dict[str, Any]:
    """What the provider gives another application about Ana."""
    verifier = "v" * 48
    asked = {
        "client_id": client_id, "redirect_uri": redirect, "response_type": "code",
        "scope": "openid rights", "state": "s", "nonce": nonce, "code_challenge_method": "S256",
        "code_challenge": create_s256_code_challenge(verifier),
    }  # fmt: skip
    with providers.browser() as person:
        target = site.provider.came_back(
            f"{site.provider.issuer}/auth?{urlencode(asked)}", "ana", person
        )
    [code] = parse_qs(urlsplit(target).query)["code"]
    given = httpx.post(f"{site.provider.issuer}/token", auth=(client_id, SECRET), data={
        "grant_type": "authorization_code", "code": code, "redirect_uri": redirect,
        "code_verifier": verifier,
    })  # fmt: skip
    found: dict[str, Any] = given.json()
    return found


def test_a_token_for_another_application_is_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = token_for(site, OTHER, "http://127.0.0.1/back")
    door = door_of(site)
    monkeypatch.setattr(door.provider, "_asked", lambda *_, **__: other)
    with pytest.raises(Stranger, match="Audience doesn't match"):
        door.provider.redeem("code", Pending("n" * 32, "v"))


def test_an_expired_token_is_refused(site: Site) -> None:
    site.provider.tell(ttl={"IdToken": -120})
    client = site.client()
    answer = site.get(client, site.back(client, "ana"))
    assert (answer.status_code, site.status(client)) == (401, 401)
    assert "Signature has expired" in answer.text
    site.provider.tell(ttl={"IdToken": -10})  # the clock of a provider may be a little off
    assert site.status(site.enter("ana")) == 200


# --- rights that change, keys that change, a provider that is away


def test_a_right_that_was_taken_away_is_gone_after_five_minutes(site: Site) -> None:
    client = site.enter("root")
    site.provider.tell(
        accounts=ACCOUNTS | {"root": {"name": "Root", "realm_access": {"roles": []}}}
    )
    site.pass_by(200)
    assert rights(site, client) == ("root", True, "all")
    site.pass_by(101)
    assert rights(site, client) == ("root", False, "own")
    site.provider.tell(accounts=ACCOUNTS)
    assert rights(site, client) == ("root", False, "own")
    site.pass_by(FIVE_MINUTES)
    assert rights(site, client) == ("root", True, "all")


def test_who_is_gone_at_the_provider_is_out(site: Site) -> None:
    client = site.enter("ana")
    site.provider.tell(accounts={name: one for name, one in ACCOUNTS.items() if name != "ana"})
    site.pass_by(FIVE_MINUTES)
    assert site.status(client) == 401
    site.provider.tell(accounts=ACCOUNTS)
    assert site.status(client) == 401
    with site.state.reading() as connection:
        asked = "SELECT count(*) FROM sessions WHERE way = 'oidc' AND \"user\" = 'ana'"
        before = connection.exec_driver_sql(asked).scalar()
    site.enter("ana")
    with site.state.reading() as connection:
        assert connection.exec_driver_sql(asked).scalar() == (before or 0) + 1


def test_a_session_stays_when_the_provider_changes_its_key(site: Site) -> None:
    client, kid = site.enter("lena"), site.provider.tell()
    assert site.provider.tell(rotate=True) != kid
    site.pass_by(FIVE_MINUTES)
    assert rights(site, client) == ("lena", False, "projects")
    assert rights(site, site.enter("root")) == ("root", True, "all")


def test_many_requests_at_once_ask_again_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh token that is used twice ends everything at this provider."""
    alone: list[str] = []  # among servers: tests/state/test_postgresql.py
    record = lambda _, thing: nullcontext(alone.append(thing))  # noqa: E731
    monkeypatch.setattr(State, "one_at_a_time", record)
    client = site.enter("ana")
    cookie = client.get_cookie("spendscope", domain="127.0.0.1")
    assert cookie
    site.pass_by(FIVE_MINUTES)
    site.provider.tell()

    def one(_: int) -> int:
        each = site.client()
        each.set_cookie("spendscope", cookie.value, domain="127.0.0.1")
        return site.status(each)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(one, range(16))) == {200}
    site.provider.tell()
    assert site.provider.asked.count("POST /token") == 1
    [found] = {*alone}
    assert re.fullmatch(r"session \d+", found)
    site.pass_by(FIVE_MINUTES)
    assert site.status(client) == 200


def test_while_the_provider_is_away_nobody_is_let_in_and_nobody_loses_a_session(
    site: Site,
) -> None:
    client = site.enter("ana")
    site.provider.tell(down=True)
    site.pass_by(200)
    assert site.status(client) == 200
    site.pass_by(101)
    assert site.status(client) == 503
    page = site.get(client, "/settings/profile", Accept=HTML)
    assert (page.status_code, "Try again in a minute" in page.text) == (503, True)
    site.provider.tell()
    for _ in range(5):
        assert site.status(client) == 503
    site.provider.tell(down=False)
    assert site.provider.asked == []
    site.pass_by(11)
    assert site.status(client) == 200


def test_a_request_that_is_only_looked_at_asks_nobody(site: Site) -> None:
    """How large a body may be is asked on the thread that serves everybody's sockets."""
    client = site.enter("root")
    cookie = client.get_cookie("spendscope", domain="127.0.0.1")
    assert cookie
    site.provider.tell(down=True)
    site.pass_by(FIVE_MINUTES)
    server, sent = site.served.app.server, {"Cookie": f"spendscope={cookie.value}"}
    for origin, known in (({GLANCE: True}, True), ({}, False)):
        with server.test_request_context("/", headers=sent, environ_base=origin):
            assert current_user.is_authenticated is known
    site.provider.tell(down=False)
    assert site.provider.asked == ["POST /token"]


def test_a_provider_that_is_away_at_sign_in_is_said(site: Site) -> None:
    client = site.client()
    back = site.back(client, "ana")
    site.provider.tell(down=True)
    answer = site.get(client, back)
    assert (answer.status_code, "does not answer" in answer.text) == (503, True)


def test_without_a_refresh_token_the_access_token_asks(site: Site) -> None:
    site.provider.tell(refresh=False)
    client = site.enter("root")
    site.provider.tell(accounts=ACCOUNTS | {"root": {"name": "Root"}})
    site.pass_by(FIVE_MINUTES)
    site.provider.tell()
    assert rights(site, client) == ("root", False, "own")
    site.provider.tell(ttl={"AccessToken": 1}, accounts=ACCOUNTS)
    assert "POST /token" not in site.provider.asked
    assert "GET /me" in site.provider.asked


# --- signing out, from either side


def test_signing_out_here_leads_on_to_the_provider(site: Site) -> None:
    client = site.client()
    person = providers.browser()
    target = site.provider.came_back(site.begin(client), "ana", person)
    assert site.get(client, target.removeprefix(site.address)).status_code == 303
    asked = site.get(client, "/sign-out", Accept=HTML).text
    form = {"csrf_token": re.findall(r'name="csrf_token" value="([^"]+)"', asked)[0]}
    site.provider.tell()
    answer = client.post("/sign-out", data=form, base_url=site.address)
    assert (answer.status_code, site.status(client)) == (200, 401)
    site.provider.tell()
    assert site.provider.asked == ["POST /token/revocation"]
    found = re.search(r'content="0;url=([^"]+)"', answer.text)
    assert found
    url = found[1].replace("&amp;", "&")
    assert url.startswith(f"{site.provider.issuer}/session/end?")
    assert site.provider.signs_out(url, person) == f"{site.address}/sign-in"
    page = person.get(site.begin(site.client()), follow_redirects=True).text
    assert 'name="prompt" value="login"' in page  # the provider does not know them any more
    assert told(site)[0] == ("sign-out", "ana")
    person.close()


def test_a_refresh_token_is_of_no_use_after_signing_out(site: Site) -> None:
    """Wherever it was copied to: the provider has revoked it."""
    site.enter("ana")
    door, [found, *_] = door_of(site), sessions.of_users(site.state, ["ana"])
    site.provider.tell(down=True)
    door.give_back(found)  # nobody is held up by that
    site.provider.tell(down=False)
    door.give_back(found)
    with pytest.raises(Stranger, match="refused"):
        door.provider.ask_again(door.tokens(found), "ana")


def test_signing_out_at_the_provider_ends_the_session_here(site: Site) -> None:
    client, person = site.client(), providers.browser()
    target = site.provider.came_back(site.begin(client), "lena", person)
    assert site.get(client, target.removeprefix(site.address)).status_code == 303
    elsewhere = site.enter("lena")  # another browser, another session there
    assert site.provider.signs_out(f"{site.provider.issuer}/session/end", person)
    assert (site.status(client), site.status(elsewhere)) == (401, 200)
    [ended, *_] = entries(site.state, SYSTEM, 5, group="sign-ins")
    assert (ended.action, ended.name) == ("session-end", "Identity provider")
    assert ended.before
    assert ended.before["user"] == "lena"
    person.close()


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ID token"])
def test_what_is_no_logout_token_ends_nothing(site: Site, token: str) -> None:
    client = site.enter("ana")
    if token == "ID token":
        token = token_for(site, OTHER, "http://127.0.0.1/back")["id_token"]
    answer = site.client().post(
        "/sign-in/oidc/back-channel-logout", data={"logout_token": token}, base_url=site.address
    )
    assert answer.status_code == 400
    assert site.status(client) == 200


def test_a_logout_token_that_is_shown_again_ends_nothing_new(site: Site) -> None:
    """It ends what had begun when the provider wrote it, and is good for five minutes."""
    written, door = int(time.time()) + LEEWAY_SECONDS, door_of(site)
    client = site.enter("ana")
    assert door.end_by(Logout("ana", "", written), NOWHERE) >= 1
    assert site.status(client) == 401
    site.pass_by(60)
    later = site.enter("ana")
    assert door.end_by(Logout("ana", "", written), NOWHERE) == 0
    assert site.status(later) == 200
    assert door.end_by(Logout("", "another session", written + 600), NOWHERE) == 0
    assert site.status(later) == 200


# --- bearer tokens of the same provider


def test_its_tokens_are_no_bearers_unless_that_is_set(site: Site) -> None:
    token = token_for(site, OTHER, "http://127.0.0.1/back")["id_token"]
    answer = site.get(site.client(), "/api/v1/preferences", Authorization=f"Bearer {token}")
    assert answer.status_code == 401
