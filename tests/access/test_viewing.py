"""Looking as somebody else: exactly what they see, nothing changed, written down, and over in
time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from components import ids
from components.sections.declared import SECTIONS
from data.access.scope import SYSTEM
from data.errors import Forbidden
from data.events.cleaning import clean
from data.people import aliases
from data.people.forgetting import forget
from data.state import account_changes
from data.state.audit import Entry, entries
from data.state.store import State
from data.state.tables import SESSIONS, VIEWINGS
from tests.accounts import ROOT, add_account, csrf_of, sign_in
from tests.resources import RECORD, wild
from tests.serving import CARD, LEAST, Claims, Served

pytestmark = pytest.mark.usefixtures("fast_passwords")
DAY: Final = "2026-11-18"
ALL: Final = {"preset": "custom", "from": "2026-11-01T00:00Z", "to": "2026-12-01T00:00Z"}
OWNERS: Final = ("ana", "ana@x.org", "lena", "otto", "cyd", "plain")
PROJECTS: Final = ("web", "mobile", None)
# Who is looked as, and the claims that their own token would have.
PERSONS: Final[dict[str, Claims]] = {
    "ana": {"sub": "ana", "name": "Ana Lopes", "applications": ["web"]},
    "lena": {"sub": "lena", "applications_admin": ["web"]},
    "otto": {"sub": "otto", "applications_admin": ["mobile", "web"]},
    "vera": {"sub": "vera", "isAuditor": True},
    "zoe": {"sub": "zoe", "isAdmin": True},
    "plain": {"sub": "plain"},
    "ana@x.org": {"sub": "ana@x.org"},
}
ACCOUNTS: Final = ("lena", "otto", "vera", "zoe")
NOTHING: Final = "you see what somebody else sees, and change nothing: stop that first"
Enter = Callable[[str], "Page"]


class Page:
    """A browser with somebody signed in, and the page it shows."""

    def __init__(self, served: Served, user: str) -> None:
        self.served = served
        self.client: FlaskClient = served.app.server.test_client()
        assert sign_in(self.client, user).status_code == 303

    def token(self) -> str:
        self.client.get("/settings/profile", headers={"Accept": "text/html"})
        cookie = self.client.get_cookie("_csrf_token")
        assert cookie
        return cookie.value

    def ask(self, method: str, path: str, **sent: Any) -> TestResponse:
        headers = {"X-CSRFToken": self.token()}
        return self.client.open(f"/api/v1/{path}", method=method, headers=headers, **sent)

    def view(self, user: Any) -> TestResponse:
        return self.ask("POST", "people/viewings", json={"user": user})

    def stop(self) -> int:
        return self.ask("POST", "viewings/end", json={}).status_code

    def get(self, path: str, **parameters: Any) -> TestResponse:
        return self.client.get(f"/api/v1/{path}", query_string=parameters)

    def sees(self) -> str:
        """Whose scope it is, by the events that it counts."""
        answer = self.get("query", metrics="events", by="user", **ALL)
        assert answer.status_code == 200, answer.text
        return json.dumps(answer.json["rows"], sort_keys=True)  # type: ignore[index]

    def call(self, sent: Mapping[str, Any], **more: str) -> TestResponse:
        return self.client.post("/_dash-update-component", json=sent,
                                headers={"X-CSRFToken": self.token(), **more})  # fmt: skip

    def call_page(self) -> str:
        """The profile as a callback writes it."""
        return self.layout("/settings/profile")

    def of_banner(self) -> str | None:
        """Which viewing the banner is of."""
        found = {str(one.get("id")): one for one in walk(json.loads(self.layout()))}
        return found[ids.VIEWING].get("data-of")

    def layout(self, address: str = "/settings/profile") -> str:
        page = {"X-Page-Address": address, "X-Time-Zone": "UTC"}
        return self.client.get("/_dash-layout", headers=page).text


@pytest.fixture
def state(served: Served) -> Iterator[State]:
    served.store.write([
        clean({**LEAST, "event_id": f"{who}-{where}-{n}", "ts": f"{DAY}T1{n}:00:00Z", "user": who,
               "user_name": f"Name of {who}", "project": where, "model": f"m-{who}",
               "cost_nano": 1_000_000 * (n + len(who)), "input_tokens": 7 * n})
        for who in OWNERS for where in PROJECTS for n in range(3)
    ])  # fmt: skip
    opened = State(served.settings.state_url)
    add_account(opened, "root", "Root", is_admin=True)
    add_account(opened, "ana", "Ana Lopes", applications="web", applications_admin=None)
    for user in ACCOUNTS:
        claims = PERSONS[user]
        add_account(opened, user, user.title(), is_admin=claims.get("isAdmin", False),
                    applications_admin=claims.get("applications_admin"))  # fmt: skip
    account_changes.change(opened, ROOT, "vera", {"isAuditor": True})
    aliases.add(opened, ROOT, {"alias": "ana@x.org", "person": "ana"}, served.store)
    yield opened
    opened.close()


@pytest.fixture
def enter(served: Served, state: State) -> Enter:
    return lambda user: Page(served, user)


@pytest.fixture
def root(enter: Enter) -> Page:
    return enter("root")


def trail(state: State, group: str = "viewings") -> list[tuple[str, str, str]]:
    found: list[Entry] = entries(state, SYSTEM, 50, group=group)
    return [(one.who, one.action, one.thing) for one in reversed(found)]


def until(state: State, at: int) -> None:
    """Have every time of looking end then at the latest."""
    with state.writing() as connection:
        connection.execute(VIEWINGS.update().values(until=at))


# --- exactly what they see


def doors(served: Served, get: Callable[[str, Mapping[str, Any]], TestResponse]) -> dict[str, str]:
    """What every reading door answers, but for how long that took."""
    asked: list[tuple[str, Mapping[str, Any]]] = [
        ("query", ALL | {"metrics": "cost,events,users", "by": "user,project,model"}),
        ("query", ALL | {"metrics": "events", "user": ["me", "cyd"], "by": "user"}),
        ("query", ALL | {"metrics": "events", "project": ["web"], "by": "project"}),
        ("budgets", {}), ("preferences", {}), ("audit", {"show": "exports"}), ("aliases", {}),
        ("accounts", {}), ("people/sessions", {}), ("ingest-keys", {}),
    ]  # fmt: skip
    asked += [(f"options/{field}", {"q": q}) for field in ("users", "projects", "models")
              for q in ("", "a")]  # fmt: skip
    asked += [(f"sections/{one.key}", ALL) for one in SECTIONS.values()]
    asked += [(f"sections/{key}.csv", ALL) for key in ("models", "users", "projects")]
    found = {}
    for path, parameters in asked:
        answer = get(path, parameters)
        said = answer.json if answer.is_json else answer.text
        if isinstance(said, dict):
            said.get("meta", {}).pop("elapsed_ms", None)
            said.get("error", {}).pop("request", None)
        if path not in ("people/sessions", "audit"):  # what somebody does is listed there
            found[f"{path} {parameters}"] = json.dumps([answer.status_code, said], sort_keys=True)
        else:
            found[path] = str(answer.status_code)
    return found


@pytest.mark.parametrize("user", PERSONS)
def test_it_is_exactly_what_they_see(served: Served, root: Page, user: str) -> None:
    """Sections, answers, options, files: as by a token of their own with the same claims."""
    claims, own = PERSONS[user], root.sees()
    assert root.view(user).status_code == 201
    theirs = doors(served, lambda path, more: served.get(path, claims, **more))
    assert doors(served, lambda path, more: root.get(path, **more)) == theirs
    assert (root.sees() != own) or user in ("zoe", "vera")  # an auditor sees as much


def test_afterwards_it_is_what_they_themselves_see(served: Served, root: Page) -> None:
    assert root.view("ana").status_code == 201
    assert root.stop() == 204
    own = doors(served, lambda path, more: root.get(path, **more))
    admin = {"sub": "root", "isAdmin": True}
    assert own == doors(served, lambda path, more: served.get(path, admin, **more))


@pytest.mark.parametrize("user", ["ana", "lena", "vera", "plain"])
def test_so_are_the_cards_of_the_page(served: Served, root: Page, user: str) -> None:
    assert root.view(user).status_code == 201
    stored = {"choice": {}, "zone": "UTC", "now": served.settings.now()}
    for key in ("cost-over-time", "cost-by-user", "cost-by-project", "models"):
        given = {f"{ids.FILTER_STATE}.data": stored, f"{key}.measure": "", f"{key}.by": ""}
        sent = served.request_of(CARD, given, f"{ids.FILTER_STATE}.data", {"card": key})
        drawn = root.call(sent)
        theirs = served.redraw(key, PERSONS[user], stored)
        assert (drawn.status_code, drawn.json) == (200, theirs.json)
    shown = {"pages": root.layout("/settings/profile"), "theirs": served.layout(
        "/settings/profile", PERSONS[user]).text}  # fmt: skip
    links = [f'"nav":"{page.key}"' for page in served.pages]
    for link in links:
        assert hidden_at(shown["pages"], link) == hidden_at(shown["theirs"], link)


def hidden_at(layout: str, link: str) -> bool:
    """Whether a link of the rail is hidden."""
    found = [one for one in walk(json.loads(layout)) if isinstance(one.get("id"), dict)
             and link in json.dumps(one["id"], separators=(",", ":"))]  # fmt: skip
    return bool(found[0].get("hidden"))


def walk(tree: Any) -> Iterator[dict[str, Any]]:
    """The properties of every component."""
    if isinstance(tree, list):
        for one in tree:
            yield from walk(one)
    elif isinstance(tree, dict) and "props" in tree:
        yield tree["props"]
        yield from walk(tree["props"].get("children"))


def test_rights_are_those_of_now(state: State, root: Page) -> None:
    root.view("ana")
    before = root.sees()
    assert "cyd" not in before
    account_changes.change(state, ROOT, "ana", {"applications_admin": "web"})
    assert "cyd" in root.sees()
    account_changes.change(state, ROOT, "ana", {"applications_admin": ""})
    assert root.sees() == before


def test_an_id_of_a_person_sees_as_the_person(root: Page) -> None:
    root.view("ana@x.org")
    seen = root.sees()
    root.stop()
    root.view("ana")
    assert root.sees() == seen


# --- begun, by whom


@pytest.mark.parametrize("user", ["ana", "lena", "vera"])
def test_only_platform_admins_begin_it(state: State, enter: Enter, user: str) -> None:
    page = enter(user)
    assert page.view("zoe").status_code == 403
    assert page.get("people/viewings").status_code == (200 if user == "vera" else 403)
    assert trail(state) == []


def test_no_token_begins_it(served: Served, state: State) -> None:
    answer = served.ask("post", "people/viewings", json={"user": "ana"})
    assert answer.status_code == 403
    assert "no token" in answer.text
    assert served.ask("post", "viewings/end", json={}).status_code == 403
    assert trail(state) == []


def test_no_persona_of_the_demo_begins_it(served: Served) -> None:
    served.store.write([clean({**LEAST, "event_id": "s", "source": "sample", "user": "x",
                               "ts": f"{DAY}T10:00:00Z"})])  # fmt: skip
    client = served.app.server.test_client()
    form = {"csrf_token": csrf_of(client), "persona": "platform-admin"}
    assert client.post("/sign-in", data=form).status_code == 303
    client.get("/settings/profile", headers={"Accept": "text/html"})
    cookie = client.get_cookie("_csrf_token")
    assert cookie
    answer = client.post("/api/v1/people/viewings", json={"user": "x"},
                         headers={"X-CSRFToken": cookie.value})  # fmt: skip
    assert answer.status_code == 403
    assert "personas" in answer.text
    assert client.get("/api/v1/people/viewings").status_code == 403


def test_it_needs_the_csrf_token_of_the_session(root: Page, state: State) -> None:
    for headers in ({}, {"X-CSRFToken": "x"}):
        answer = root.client.post("/api/v1/people/viewings", json={"user": "ana"}, headers=headers)
        assert answer.status_code == 400
    assert trail(state) == []
    root.view("ana")
    assert root.client.post("/api/v1/viewings/end", json={}).status_code == 400
    assert "cyd" not in root.sees()


@pytest.mark.parametrize(
    "user", ["", " ", None, 7, ["ana"], "no-such-person", "root", "' OR 1=1", "\ud800"]
)
def test_nobody_else_can_be_chosen(root: Page, state: State, user: Any) -> None:
    assert root.view(user).status_code == 400
    assert trail(state) == []


def test_who_is_disabled_cannot(root: Page, state: State) -> None:
    account_changes.disable(state, ROOT, "ana")
    assert root.view("ana").status_code == 400


def test_not_while_it_goes_on_already(root: Page, state: State) -> None:
    assert root.view("zoe").status_code == 201  # who might
    assert root.view("ana").status_code == 403
    assert [one[2] for one in trail(state)] == ["zoe"]


def test_other_sessions_go_on_as_themselves(enter: Enter) -> None:
    here, there, ana = enter("root"), enter("root"), enter("ana")
    here.view("ana")
    assert "cyd" in there.sees()
    assert here.sees() == ana.sees()
    assert ana.ask("PUT", "preferences", json={"theme": "dark"}).status_code == 200


# --- nothing changes


def test_whatever_changes_something_is_refused(root: Page, state: State, served: Served) -> None:
    """As somebody who might: with 403, at every address that takes more than a question."""
    root.view("zoe")
    before, token = snapshot(state), root.token()
    for rule in served.app.server.url_map.iter_rules():
        path = rule.rule.replace("<int:number>", "1").replace("<path:", "<").split("<")[0]
        if not path.startswith("/api/v1/") or path.startswith(("/api/v1/store/", "/api/v1/events")):
            continue
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
            if path == "/api/v1/viewings/end":
                continue
            named = rule.rule.replace("<int:number>", "1").replace("<key>", "x")
            headers = {"X-CSRFToken": token}
            answer = root.client.open(named, method=method, json={}, headers=headers)
            assert answer.status_code == 403, (method, path, answer.text)
            assert answer.json["error"]["message"] == NOTHING  # type: ignore[index]
    assert snapshot(state) == before


def snapshot(state: State) -> dict[str, Any]:
    """Every record but when sessions were used."""
    tables = [one for one in SESSIONS.metadata.sorted_tables if one.name != "sessions"]
    with state.reading() as connection:
        return {one.name: connection.execute(one.select()).all() for one in tables}


def test_so_is_every_form_and_button(served: Served, root: Page, state: State) -> None:
    root.view("zoe")
    before = snapshot(state)
    every = [one for page in served.pages for one in page.resources]
    for one in every:
        sent = [
            served.request_of(
                '"part":"confirm","resource":["MATCH"]}.displayed',
                {f"{button.key}.n_clicks": 1, "table.selectedRows": [{"id": 1, "user": "ana"}]},
                f"{ids.dom(ids.resource_button(button.key, one.key))}.n_clicks",
                wild(served, one.key),
            )
            for button in one.card.buttons
            if button.does not in ("new", "edit")
        ]
        if one.card.form and not one.card.single:
            sent.append(served.request_of(
                '"part":"drawer","resource":["MATCH"]}.is_open', {"form.n_clicks": 1},
                f"{ids.dom(ids.resource_extra('save', one.key))}.n_clicks", wild(served, one.key),
            ))  # fmt: skip
        for request in sent:
            answer = root.call(request)
            assert answer.status_code in (200, 204), answer.text
            refused = one.card.form is not None and one.card.form.previewed
            assert NOTHING in answer.text or refused, (one.key, answer.text)
    assert snapshot(state) == before


def test_so_is_a_preference_that_saves_itself(served: Served, root: Page, state: State) -> None:
    root.view("ana")
    changed = f"{ids.dom(ids.resource_field('live', 'theme', 'preferences'))}.value"
    sent = served.request_of(RECORD, {"theme.value": "dark"}, changed, wild(served, "preferences"))
    before = snapshot(state)
    assert NOTHING in root.call(sent).text
    assert snapshot(state) == before
    root.stop()
    assert NOTHING not in root.call(sent).text
    assert snapshot(state) != before


def test_no_record_is_changed_by_who_looks_as_somebody(state: State, served: Served) -> None:
    """Whichever door it would come by."""
    looking = replace(ROOT, viewer="root")
    with pytest.raises(Forbidden, match="change nothing"):
        aliases.add(state, looking, {"alias": "x", "person": "ana"}, served.store)
    with pytest.raises(Forbidden, match="change nothing"):
        aliases.remove(state, looking, "ana@x.org")


# --- written down


def test_the_trail_has_both_names(root: Page, state: State) -> None:
    root.view("ana")
    assert root.get("sections/models.csv", **ALL).status_code == 200
    root.stop()
    assert trail(state) == [("root", "view-as", "ana"), ("root", "view-as-end", "ana")]
    [export] = entries(state, SYSTEM, 5, group="exports")
    assert (export.who, export.name, (export.after or {})["as"]) == ("root", "Root", "ana")
    ended = entries(state, SYSTEM, 1, group="viewings")[0]
    assert (ended.name, ended.address) == ("Root", "127.0.0.1")
    assert (ended.after or {})["why"] == "it was stopped"


def test_the_person_reads_that_it_happened(enter: Enter, root: Page) -> None:
    ana, lena = enter("ana"), enter("lena")
    root.view("ana")
    [one] = ana.get("viewings").json["viewings"]  # type: ignore[index]
    assert (one["viewer"], one["viewer_name"], one["user"]) == ("root", "Root", "ana")
    assert one["ended"] is None
    root.stop()
    [one] = ana.get("viewings").json["viewings"]  # type: ignore[index]
    assert one["from"] <= one["ended"] <= one["until"]
    assert lena.get("viewings").json["viewings"] == []  # type: ignore[index]
    assert len(root.get("people/viewings").json["viewings"]) == 1  # type: ignore[index]
    assert "Who looked at the dashboard as you" in ana.call_page()


# --- over


def test_the_banner_says_so_and_goes(root: Page) -> None:
    assert banner(root) == (True, "")
    root.view("ana")
    said = "You see what Ana Lopes sees. Nothing can be changed."
    assert banner(root) == (False, said)
    assert banner(root) == (False, said)
    root.stop()
    assert banner(root) == (True, "")


def test_no_page_mixes_two_views(served: Served, enter: Enter) -> None:
    """One that shows another view than its session has now, as in another tab, hears so alone."""
    root = enter("root")
    asked = served.request_of(
        '{"nav":["ALL"]}.hidden', {"url.pathname": "/"}, "url.pathname", {"nav": ("audit",)}
    )

    def answered(shown: str) -> tuple[int, str | None]:
        answer = root.call(asked, **{"X-Viewing": shown})
        return answer.status_code, answer.headers.get("X-Viewing")

    assert (answered("own"), answered("1")) == ((200, None), (204, "own"))
    for user in ("ana", "zoe"):
        root.view(user)
        now = root.of_banner()
        assert now
        assert answered(now) == (200, None)
        assert (answered("own"), answered("77")) == ((204, now), (204, now))
        root.stop()
        assert (answered(now), answered("own")) == ((204, "own"), (200, None))
    assert root.of_banner() is None


def banner(page: Page) -> tuple[bool, str]:
    """Whether it is hidden, and what it says."""
    found = {str(one.get("id")): one for one in walk(json.loads(page.layout()))}
    return bool(found[ids.VIEWING]["hidden"]), found[ids.VIEWING_TEXT].get("children") or ""


def over(root: Page, why: str, status: int = 403) -> None:
    """The first request of the old page is refused, the next is their own again."""
    answer = root.get("query", metrics="events")
    assert answer.status_code == status
    assert why in answer.text
    hidden, text = banner(root)
    assert not hidden
    assert why in text
    assert banner(root) == (True, "")


def test_it_ends_after_half_an_hour(root: Page, state: State) -> None:
    own = root.sees()
    root.view("ana")
    with state.reading() as connection:
        row = connection.execute(sa.select(VIEWINGS)).one()
    assert row.until - row.started == 30 * 60_000_000
    until(state, row.started)
    over(root, "half an hour is over")
    assert root.sees() == own
    assert trail(state)[-1] == ("root", "view-as-end", "ana")


def test_it_ends_when_the_person_is_disabled_or_gone(root: Page, state: State) -> None:
    own = root.sees()
    for change in (account_changes.disable, account_changes.remove):
        root.view("ana")
        change(state, ROOT, "ana")
        over(root, "this account")
        assert root.sees() == own
        if change is account_changes.disable:
            account_changes.enable(state, ROOT, "ana")


def test_it_ends_when_the_person_is_forgotten(root: Page, state: State, served: Served) -> None:
    root.view("ana")
    forget(state, served.store, ROOT, "ana", remove=True)
    over(root, "no such person")
    assert "ana" not in json.dumps([one[2] for one in trail(state)[1:]])
    with state.reading() as connection:
        assert connection.execute(sa.select(VIEWINGS)).all() == []


def test_it_ends_when_the_right_to_it_is_gone(root: Page, state: State) -> None:
    root.view("zoe")
    account_changes.change(state, ROOT, "root", {"isAdmin": False})
    over(root, "no platform administrator")
    assert json.loads(root.sees()) == []
    assert root.view("zoe").status_code == 403


def test_it_ends_when_the_admins_account_is_disabled(root: Page, state: State) -> None:
    root.view("ana")
    account_changes.disable(state, ROOT, "root")
    assert root.get("query", metrics="events").status_code == 401
    assert trail(state)[-1] == ("root", "view-as-end", "ana")
    account_changes.enable(state, ROOT, "root")
    assert root.get("query", metrics="events").status_code == 401


def test_it_ends_with_the_session(root: Page, state: State, enter: Enter) -> None:
    root.view("ana")
    form = {"csrf_token": csrf_of(root.client, "/sign-out")}
    assert root.client.post("/sign-out", data=form).status_code == 303
    assert trail(state)[-1] == ("root", "view-as-end", "ana")
    back = enter("root")
    assert "cyd" in back.sees()
    [one] = back.get("people/viewings").json["viewings"]  # type: ignore[index]
    assert one["ended"] is not None


def test_it_ends_where_somebody_ends_the_session(root: Page, state: State, enter: Enter) -> None:
    root.view("ana")
    enter("zoe").ask("POST", "people/sessions/end", json={"user": "root"})
    assert root.get("query", metrics="events").status_code == 401
    assert trail(state)[-1] == ("zoe", "view-as-end", "ana")


def test_who_looks_as_nobody_stops_nothing(root: Page) -> None:
    assert root.stop() == 403
