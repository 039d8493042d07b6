"""Sign-in by GitHub: who comes in with which rights, what takes them away, and what GitHub does not
say. It is a small server that answers as GitHub documents (`github_server.py`)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect

from callbacks.access.provider_sessions import MOST_AT_ONCE
from data.errors import SettingsError
from data.identity.claims import mapped
from data.identity.github import as_claims, read_github
from data.state import sessions
from data.state.store import State
from tests.accounts import add_account
from tests.listening import listens
from tests.oidc.github_server import CLIENT, SECRET, GitHubServer, Member, github
from tests.oidc.recorded import GITHUB_EMAIL, GITHUB_MEMBERSHIP, GITHUB_TEAM, GITHUB_USER
from tests.oidc.test_claims import preset
from tests.ports import free_port
from tests.serving import Served, serving

FIVE_MINUTES: Final = 301.0
MEMBER: Final = {"acme": ("active", "member")}
PEOPLE: Final = {
    "ana": Member(1, MEMBER),
    "lena": Member(2, MEMBER, ("acme/spendscope-web-admins", "evil/spendscope-etl-admins")),
    "root": Member(3, MEMBER, ("acme/platform",)),
    "owner": Member(4, {"acme": ("active", "admin")}),
    "pia": Member(7, MEMBER, ("acme/spendscope-etl-admins",)),
    "vera": Member(5, MEMBER, ("acme/Auditors",)),
    "guest": Member(6, {"acme": ("pending", "admin"), "evil": ("active", "admin")}),
}
SETTINGS: Final = {
    "SIGN_IN": "github", "GITHUB_CLIENT_ID": CLIENT, "GITHUB_CLIENT_SECRET": SECRET,
    "GITHUB_ORGANIZATIONS": "Acme", "GITHUB_ADMINS": "acme/platform, acme:admin",
    "GITHUB_AUDITORS": "acme/auditors",
    "GITHUB_APPLICATIONS_ADMIN_PATTERN": ".+/spendscope-(.+)-admins",
}  # fmt: skip


@dataclass
class Site:
    address: str
    served: Served
    github: GitHubServer
    clock: list[int]
    monotonic: list[float]

    def pass_by(self, seconds: float) -> None:
        self.clock[0] += int(seconds * 1_000_000)
        self.monotonic[0] += seconds

    def client(self) -> FlaskClient:
        made: FlaskClient = self.served.app.server.test_client()
        made.environ_base["HTTP_HOST"] = self.address.removeprefix("http://")
        return made

    def get(self, client: FlaskClient, path: str) -> Any:
        return client.get(path, base_url=self.address)

    def status(self, client: FlaskClient, path: str) -> int:
        return int(self.get(client, path).status_code)

    def back(self, client: FlaskClient, login: str) -> str:
        """What GitHub sends a browser back with."""
        url = self.get(client, "/sign-in/github?next=/settings/profile").location
        return self.github.authorize(url, login).removeprefix(self.address)

    def enter(self, login: str) -> FlaskClient:
        client = self.client()
        answer = self.get(client, self.back(client, login))
        assert (answer.status_code, answer.location) == (303, "/settings/profile"), answer.text
        return client

    def rights(self, client: FlaskClient) -> Any:
        """How far somebody sees; else the status."""
        answer = self.get(client, "/api/v1/query?metrics=requests&preset=last_hour")
        if answer.status_code != 200:
            return answer.status_code
        return answer.json["meta"]["scope"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    clock, passed, port = [0], [0.0], free_port()
    address = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        real, real_monotonic = sessions.now, time.monotonic
        patch.setattr(sessions, "now", lambda: real() + clock[0])
        patch.setattr("callbacks.access.provider_sessions.monotonic",
                      lambda: real_monotonic() + passed[0])  # fmt: skip
        known = stack.enter_context(github())
        settings = SETTINGS | {"PUBLIC_URL": address, "GITHUB_URL": known.url}
        folder = tmp_path_factory.mktemp("github")
        served = stack.enter_context(serving(folder, **settings))  # type: ignore[arg-type]
        stack.enter_context(listens(served, port))
        yield Site(address, served, known, clock, passed)


@pytest.fixture
def site(running: Site) -> Site:
    """The same, knowing the same people at the beginning of each test."""
    running.github.people, running.github.answers = dict(PEOPLE), {}
    running.github.scope, running.clock[0] = "read:org,user:email", 0
    return running


@pytest.mark.parametrize(("login", "scope"), [
    ("ana", "own"), ("lena", "projects"), ("root", "all"), ("owner", "all"), ("vera", "all"),
])  # fmt: skip
def test_each_role_comes_in_with_its_rights(site: Site, login: str, scope: str) -> None:
    client = site.enter(login)
    assert site.rights(client) == scope
    [one] = site.get(client, "/api/v1/sessions").json["sessions"][:1]
    assert (one["user"], one["way"]) == (login, "github")


def test_teams_of_another_organisation_mean_nothing(site: Site) -> None:
    page = site.get(site.enter("lena"), "/_dash-layout")
    assert page.status_code == 200
    with State(site.served.settings.state_url).reading() as connection:
        asked = "SELECT claims FROM sessions WHERE \"user\" = 'lena' ORDER BY id DESC"
        claims = connection.exec_driver_sql(asked).scalar()
    assert '"applications_admin": ["web"]' in str(claims)


def test_who_is_no_member_does_not_come_in(site: Site) -> None:
    client = site.client()
    answer = site.get(client, site.back(client, "guest"))
    assert (answer.status_code, "no member of an organisation" in answer.text) == (401, True)
    assert site.rights(client) == 401


def test_it_is_asked_with_pkce_state_and_for_little(site: Site) -> None:
    url = site.get(site.client(), "/sign-in/github").location
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert url.startswith(f"{site.github.url}/login/oauth/authorize?")
    assert asked["scope"] == "user:email read:org"
    assert (asked["code_challenge_method"], len(asked["code_challenge"])) == ("S256", 43)
    assert len(asked["state"]) >= 32
    assert asked["redirect_uri"] == f"{site.address}/sign-in/github/callback"


@pytest.mark.parametrize("change", [{"state": "x"}, {"state": None}, {"code": None},
                                    {"code": "x"}, {"error": "access_denied"}])  # fmt: skip
def test_an_answer_that_was_changed_is_refused(site: Site, change: dict[str, Any]) -> None:
    client = site.client()
    said = dict(parse_qsl(urlsplit(site.back(client, "ana")).query)) | change
    query = urlencode({name: value for name, value in said.items() if value is not None})
    assert site.get(client, f"/sign-in/github/callback?{query}").status_code == 401
    assert site.rights(client) == 401


def test_a_code_enters_once_and_the_browser_that_began_it(site: Site) -> None:
    client = site.client()
    back = site.back(client, "ana")
    assert site.get(site.client(), back).status_code == 401
    assert site.get(client, back).status_code == 303
    for other in (client, site.client()):
        assert site.get(other, back).status_code == 401
    stolen, eve = dict(parse_qsl(urlsplit(site.back(site.client(), "ana")).query)), site.client()
    own = parse_qs(urlsplit(site.get(eve, "/sign-in/github").location).query)["state"][0]
    answer = site.get(eve, f"/sign-in/github/callback?{urlencode(stolen | {'state': own})}")
    assert (answer.status_code, site.rights(eve)) == (401, 401)  # PKCE: the code is another's


def test_what_began_with_another_provider_does_not_end_here(site: Site) -> None:
    """Nor is the code of one shown to another, whose server could use it."""
    client = site.client()
    back = site.back(client, "ana")
    with client.session_transaction(base_url=site.address) as cookie:
        cookie["oidc"] = cookie.pop("github")
    site.github.asked.clear()
    assert site.status(client, back) == 401
    assert site.github.asked == []


def test_what_was_taken_away_is_gone_after_five_minutes(site: Site) -> None:
    client = site.enter("root")
    site.github.people["root"] = Member(3, MEMBER)
    site.pass_by(200)
    assert site.rights(client) == "all"
    site.pass_by(101)
    assert site.rights(client) == "own"
    site.github.people["root"] = Member(3, {})
    site.pass_by(FIVE_MINUTES)
    assert site.rights(client) == 401
    site.github.people["root"] = PEOPLE["root"]
    assert site.rights(client) == 401


def test_a_token_that_was_revoked_ends_the_session(site: Site) -> None:
    client = site.enter("ana")
    site.github.tokens.clear()
    site.pass_by(FIVE_MINUTES)
    assert site.rights(client) == 401


def test_a_name_that_went_to_somebody_else_is_somebody_else(site: Site) -> None:
    client = site.enter("ana")
    site.github.people["ana"] = Member(77, MEMBER)
    site.pass_by(FIVE_MINUTES)
    assert site.rights(client) == 401


@pytest.mark.parametrize(("path", "answer", "status"), [
    ("/user", (503, {}), 503), ("/user/teams", (429, {}), 503),
    ("/user/teams", (403, {"X-RateLimit-Remaining": "0"}), 503),
    ("/user/teams", (403, {"Retry-After": "60"}), 503), ("/user", (302, {"Location": "/x"}), 503),
    ("/user/teams", (403, {"X-GitHub-SSO": "required; url=https://github.com/orgs/x"}), 401),
    ("/user/teams", (200, {"X-GitHub-SSO": "partial-results; organizations=21955855"}), 401),
    ("/user/memberships/orgs/acme", (403, {}), 401), ("/user", (200, {}), 503),
])  # fmt: skip
def test_what_is_not_said_is_no_lack_of_teams(
    site: Site, path: str, answer: tuple[int, dict[str, str]], status: int
) -> None:
    """Away: the session waits. Hidden: it ends, with a sentence."""
    client = site.enter("root")
    site.github.answers[path] = answer
    site.pass_by(FIVE_MINUTES)
    assert site.rights(client) == status
    site.github.answers.clear()
    site.pass_by(11)
    assert site.rights(client) == ("all" if status == 503 else 401)


def test_a_scope_that_was_not_granted_is_said(site: Site) -> None:
    site.github.scope = "user:email"
    client = site.client()
    answer = site.get(client, site.back(client, "root"))
    assert (answer.status_code, "read your organisations" in answer.text) == (401, True)


def test_many_teams_are_read_to_the_last(site: Site) -> None:
    many = tuple(f"acme/team-{number}" for number in range(100))
    site.github.people["lena"] = Member(2, MEMBER, (*many, "acme/spendscope-web-admins"))
    assert site.rights(site.enter("lena")) == "projects"
    site.github.people["lena"] = Member(2, MEMBER, many * 20)
    client = site.client()
    answer = site.get(client, site.back(client, "lena"))
    assert (answer.status_code, "more teams" in answer.text) == (401, True)


def test_no_token_of_github_is_in_cookie_or_clear(site: Site) -> None:
    client = site.enter("ana")
    cookie = client.get_cookie("spendscope", domain="127.0.0.1")
    assert cookie
    assert "gho_" not in cookie.value
    kept = Path(site.served.settings.state_url.removeprefix("sqlite:///")).read_bytes()
    assert b"gho_" not in kept


@pytest.mark.parametrize("answer", [None, (404, {}), (500, {}), (302, {})])
def test_signing_out_gives_the_token_back(site: Site, answer: Any) -> None:
    """The session is over, whatever GitHub says to that."""
    path = f"/applications/{CLIENT}/token"
    if answer:
        site.github.answers[path] = answer
    other, client = site.enter("ana"), site.enter("ana")
    known = len(site.github.tokens)
    site.github.asked.clear()
    page = client.get("/sign-out", base_url=site.address, headers={"Accept": "text/html"})
    form = {"csrf_token": page.text.partition('name="csrf_token" value="')[2].partition('"')[0]}
    assert client.post("/sign-out", data=form, base_url=site.address).status_code == 303
    assert site.github.asked == [f"DELETE {path}"]
    assert len(site.github.tokens) == known - (answer is None)
    site.github.answers.clear()
    site.pass_by(FIVE_MINUTES)
    assert (site.rights(client), site.rights(other)) == (401, "own")


def test_made_up_answers_hold_few_threads(site: Site) -> None:
    """While the provider is slow, strangers have a few of our threads wait for it, not all."""
    door = site.served.app.server.extensions["authenticator"].providers["github"]
    client = site.client()
    back = site.back(client, "ana")
    with ExitStack() as stack:
        for _ in range(MOST_AT_ONCE):
            stack.enter_context(door.turn())
        for path in ("/sign-in/github", back):
            answer = site.get(client, path)
            assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
    assert site.status(client, "/sign-in/github") == 302


# --- API tokens, which are used without a browser


def ask(site: Site, client: FlaskClient, method: str, path: str, **body: Any) -> Any:
    """Something that a page of this browser does."""
    client.get("/settings/profile", base_url=site.address, headers={"Accept": "text/html"})
    cookie = client.get_cookie("_csrf_token", domain="127.0.0.1")
    assert cookie
    headers = {"X-CSRFToken": cookie.value}
    return client.open(path, method=method, json=body, base_url=site.address, headers=headers)


def made(site: Site, client: FlaskClient, scopes: str = "read") -> str:
    answer = ask(site, client, "POST", "/api/v1/tokens", name="script", scopes=scopes, days=90)
    assert answer.status_code == 201, answer.text
    return str(answer.json["token"])


def used(site: Site, token: str) -> str:
    """How far a token sees, or why it does not."""
    answer = site.client().get(
        "/api/v1/query?metrics=requests&preset=last_hour", base_url=site.address,
        headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip
    if answer.status_code == 401:
        return str(answer.get_json()["error"]["message"])
    return str(answer.get_json()["meta"]["scope"])


def test_an_api_token_has_the_rights_that_were_confirmed_last(site: Site) -> None:
    client = site.enter("root")
    token = made(site, client)
    assert used(site, token) == "all"
    site.github.people["root"] = Member(3, MEMBER)
    site.pass_by(FIVE_MINUTES)
    assert site.rights(client) == "own"
    assert used(site, token) == "own"
    site.github.people["root"] = Member(3, {})
    site.pass_by(FIVE_MINUTES)
    assert site.rights(client) == 401
    assert "let the maker of this token in no more" in used(site, token)
    site.github.people["root"] = PEOPLE["root"]
    site.enter("root")
    assert used(site, token) == "all"


def test_an_api_token_stops_where_nobody_confirmed_its_maker_for_a_day(site: Site) -> None:
    token = made(site, site.enter("ana"))
    site.pass_by(86_000)
    assert used(site, token) == "own"
    site.pass_by(500)
    assert "has not confirmed the maker of this token for 24 hours" in used(site, token)
    site.enter("ana")
    assert used(site, token) == "own"


def test_an_api_token_is_of_the_person_and_not_of_their_name(site: Site) -> None:
    token = made(site, site.enter("root"))
    site.github.people["root"] = Member(99, MEMBER)  # the name was given up and taken
    site.enter("root")
    assert "no more" in used(site, token)
    state = State(site.served.settings.state_url)
    add_account(state, "lena", "Another Lena", is_admin=True)
    state.close()
    assert used(site, made(site, site.enter("lena"))) == "projects"  # never an account's rights


def test_what_an_api_token_sends_is_its_makers(site: Site) -> None:
    client = site.enter("ana")
    token = made(site, client, "send")
    event = {"event_id": "sent", "ts": "2026-11-20T10:00:00Z", "kind": "llm", "channel": "api",
             "source": "script", "status": "ok"}  # fmt: skip
    headers, address = {"Authorization": f"Bearer {token}"}, site.address
    post = site.client().post
    sent = post("/api/v1/events", json=[event], headers=headers, base_url=address)
    assert (sent.status_code, sent.get_json()["accepted"]) == (200, 1)
    [row] = site.get(client, "/api/v1/query?metrics=events&by=user&preset=last_n_days&n=30").json[
        "rows"
    ]
    assert (row["user"], row["events"]) == ("ana", 1)
    site.github.people["ana"] = Member(1, {})
    site.pass_by(FIVE_MINUTES)
    assert site.rights(client) == 401
    again = post("/api/v1/events", json=[event], headers=headers, base_url=address)
    assert again.status_code == 401


def test_an_administrator_sees_and_revokes_the_tokens_of_others(site: Site) -> None:
    token, root = made(site, site.enter("ana")), site.enter("root")
    newest = site.get(root, "/api/v1/people/tokens").json["tokens"][0]
    assert (newest["user"], token.startswith(newest["shown"].rstrip("…"))) == ("ana", True)
    path = f"/api/v1/people/tokens/{newest['id']}"
    vera = site.enter("vera")
    assert site.get(vera, "/api/v1/people/tokens").status_code == 200
    assert ask(site, vera, "DELETE", path).status_code == 403
    assert ask(site, site.enter("ana"), "DELETE", path).status_code == 403
    assert used(site, token) == "own"
    assert ask(site, root, "DELETE", path).status_code == 200
    assert "was revoked" in used(site, token)


def test_a_view_as_somebody_has_the_rights_that_were_confirmed_last(site: Site) -> None:
    site.enter("pia")
    root = site.enter("root")
    site.served.load([{"event_id": "x", "ts": "2026-11-20T10:00:00Z", "user": "pia"}])
    assert ask(site, root, "POST", "/api/v1/people/viewings", user="pia").status_code == 201
    assert site.rights(root) == "projects"


def test_somebody_comes_in_by_a_browser(site: Site, chromium: Browser) -> None:
    context = chromium.new_context()
    page, complaints = context.new_page(), list[str]()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{site.address}/settings/profile")
    page.get_by_test_id("sign-in-github").click()
    page.locator("[name=login]").fill("lena")
    page.get_by_role("button", name="Authorize").click()
    page.wait_for_url(f"{site.address}/settings/profile")
    expect(page.locator("#main")).to_contain_text("in the projects you administer")
    row = page.get_by_test_id("section-sessions").locator(".ag-center-cols-container [role=row]")
    expect(row.first).to_contain_text("GitHub")
    page.goto(f"{site.address}/sign-out")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{site.address}/sign-in*")
    assert complaints == []
    context.close()


# --- settings, and what the API answers in our words

LEAST: Final = {
    "GITHUB_CLIENT_ID": "x", "GITHUB_CLIENT_SECRET": "y", "GITHUB_ORGANIZATIONS": "github",
}  # fmt: skip


def test_the_answers_of_the_documentation_are_read() -> None:
    given = {"GITHUB_ADMINS": "github:admin", "GITHUB_USER": "email",
             "GITHUB_APPLICATIONS_ADMIN_PATTERN": "github/(.+)-league"}  # fmt: skip
    settings = read_github(LEAST | given)
    assert settings
    roles = {"github": str(GITHUB_MEMBERSHIP["role"])}
    claims = as_claims(GITHUB_USER, [GITHUB_EMAIL], roles, [GITHUB_TEAM])
    found = mapped(claims, settings.names)
    assert (found["sub"], found["name"]) == ("octocat@github.com", "monalisa octocat")
    assert (found["isAdmin"], found["applications_admin"]) == (True, ["justice"])
    assert (found["isAuditor"], found["applications"]) == (None, None)  # no setting, no right


def test_the_settings_of_the_page_make_what_it_says() -> None:
    settings = read_github(preset("GitHub"))
    assert settings
    for roles, teams, seen in (
        ({"acme": "admin"}, [], (True, [])),
        ({"acme": "member"}, ["platform"], (True, [])),
        ({"acme": "member"}, ["spendscope-web-admins"], (False, ["web"])),
    ):
        said = [{"slug": one, "organization": {"login": "acme"}} for one in teams]
        found = mapped(as_claims(GITHUB_USER, [], roles, said), settings.names)
        assert (found["isAdmin"], found["applications_admin"]) == seen


@pytest.mark.parametrize("email", [{"verified": False}, {"primary": False}, {"verified": "true"}])
def test_an_address_that_is_not_verified_is_nobody(email: dict[str, Any]) -> None:
    claims = as_claims(GITHUB_USER, [GITHUB_EMAIL | email], {"github": "member"}, [])
    assert claims["email"] is None


@pytest.mark.parametrize(("url", "api"), [
    (None, "https://api.github.com"), ("https://github.com/", "https://api.github.com"),
    ("https://acme.ghe.com", "https://api.acme.ghe.com"),
    ("https://github.acme.org", "https://github.acme.org/api/v3"),
])  # fmt: skip
def test_the_api_of_each_kind_of_github(url: str | None, api: str) -> None:
    settings = read_github(LEAST | ({"GITHUB_URL": url} if url else {}))
    assert settings
    assert settings.api == api


@pytest.mark.parametrize(("change", "sentence"), [
    ({"GITHUB_CLIENT_SECRET": None}, "CLIENT_SECRET is missing"),
    ({"GITHUB_ORGANIZATIONS": None}, "ORGANIZATIONS is missing"),
    ({"GITHUB_ORGANIZATIONS": " , "}, "ORGANIZATIONS lists organisations"),
    ({"GITHUB_ORGANIZATIONS": "acme/../x"}, "ORGANIZATIONS lists organisations"),
    ({"GITHUB_URL": "http://github.acme.org"}, "URL must be an https address"),
    ({"GITHUB_URL": "https://me@github.com"}, "URL must be an https address"),
    ({"GITHUB_URL": "https://github.com/acme"}, "URL must be an https address"),
    ({"GITHUB_USER": "name"}, "USER is login or email or id"),
    ({"GITHUB_APPLICATIONS_PATTERN": "x"}, "APPLICATIONS_PATTERN must be a regular expression"),
])  # fmt: skip
def test_a_wrong_setting_is_named(change: dict[str, Any], sentence: str) -> None:
    told = {name: value for name, value in (LEAST | change).items() if value is not None}
    with pytest.raises(SettingsError, match=f"SPENDSCOPE_GITHUB_{sentence}"):
        read_github(told)
