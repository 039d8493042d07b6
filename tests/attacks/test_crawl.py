"""Every route and every callback, asked by everybody: nothing of others is told, nothing breaks,
and who may change nothing has changed nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
from flask.testing import FlaskClient

from callbacks.access.guard import PUBLIC
from callbacks.settings.budgets import TAB
from callbacks.settings.resource import Resource
from components import ids
from components.settings.resource import Card
from data.access.rights import AUDITOR as SENTENCE
from data.access.scope import SYSTEM
from data.ingest import keys
from data.people import aliases
from data.state.store import State
from data.state.tables import META
from tests.accounts import ROOT, add_account, sign_in
from tests.attacks.test_forged_callbacks import callbacks, honest
from tests.resources import begin, body, confirm, fill, link, press, problems, save
from tests.serving import ADMIN, Claims, Served

WHEN: Final = "2026-11-20T10:00:00Z"
# Words that stand in nothing but rows and records of others.
OTHERS: Final = ("hidden.person", "hidden-project", "hidden-model", "hidden key", "hidden alias")
READERS: Final[dict[str, Claims | None]] = {
    "stranger": None,
    "user": {"sub": "ana"},
    "project admin": {"sub": "lena", "applications_admin": "web"},
    "another project's admin": {"sub": "otto", "applications_admin": "mobile"},
}
AUDITOR: Final[Claims] = {"sub": "vera", "isAuditor": True}
QUERIES: Final = (
    "?metrics=cost&by=user,project,model", "?user=hidden.person&project=hidden-project",
    "?\ud7ff=%ff&limit=-1",
)  # fmt: skip
BODIES: Final[tuple[Any, ...]] = ({}, [], {"name": "x", "source": "y", "user": "ana"})
NAMES: Final = ("1", "models", "models.csv", "users", "traces", "write", "%ff")
# What a reader changes of their own; and the address that a session was last used from.
OWN: Final = ("preferences", "sessions", "audit", "imports")


@pytest.fixture
def filled(served: Served) -> Served:
    """Rows, an account, a key and an alias of somebody else."""
    served.load([
        {"event_id": "h", "ts": WHEN, "user": "hidden.person", "project": "hidden-project",
         "model": "hidden-model", "cost_nano": 5},
        {"event_id": "a", "ts": WHEN, "user": "ana", "project": "docs", "model": "large"},
    ])  # fmt: skip
    state = State(served.settings.state_url)
    add_account(state, "hidden.person", "Hidden Person", None)
    keys.add(state, ROOT, {"name": "hidden key", "source": "s"})
    aliases.add(state, ROOT, {"alias": "hidden alias", "person": "hidden.person"}, served.store)
    state.close()
    return served


def addresses(served: Served) -> Iterator[tuple[str, str]]:
    """Each method of each rule, with several things in the places of its parameters."""
    for rule in served.app.server.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            path = rule.rule
            for name in rule.arguments:
                path = path.replace(next(part for part in path.split("/") if f"{name}>" in part
                                         or f":{name}" in part), "{}")  # fmt: skip
            for one in NAMES if rule.arguments else ("",):
                yield method, path.replace("{}", one)


def crawl(served: Served, claims: Claims | None) -> Iterator[tuple[str, int, str]]:
    """What each address answers to somebody: `(asked, status, text)`."""
    client: FlaskClient = served.app.server.test_client()
    return crawl_by(served, client, served.headers(claims) if claims else {})


def crawl_by(
    served: Served, client: FlaskClient, headers: Mapping[str, str], without: tuple[str, ...] = ()
) -> Iterator[tuple[str, int, str]]:
    """The same by a browser; `without` what ends what it is for."""
    for method, path in dict.fromkeys(addresses(served)):
        if path.startswith(("/assets/", "/_dash-component-suites/", *without)):
            continue
        sent = [{}] if method == "GET" else [{"json": one} for one in BODIES]
        wanted = QUERIES if method == "GET" and path.startswith("/api/") else ()
        for query in ("", *wanted):
            for more in sent:
                answer = client.open(f"{path}{query}", method=method, headers=headers, **more)
                yield (
                    f"{method} {path}{query} {more}",
                    answer.status_code,
                    answer.get_data().decode("latin-1"),
                )
                answer.close()


@pytest.mark.parametrize("claims", READERS.values(), ids=READERS)
def test_no_route_tells_of_others_or_breaks(filled: Served, claims: Claims | None) -> None:
    statuses = set()
    for asked, status, text in crawl(filled, claims):
        assert status < 500 or status == 503, (asked, text[:200])
        said = text
        for echoed in ("hidden.person", "hidden-project"):
            said = said if f"={echoed}" not in asked else said.replace(echoed, "")
        assert not [one for one in OTHERS if one in said], asked
        statuses.add(status)
    assert {400, 401} <= statuses if claims is None else {200, 400, 403, 404} <= statuses


@pytest.mark.parametrize("claims", [*READERS.values(), AUDITOR], ids=[*READERS, "auditor"])
def test_no_callback_tells_of_others_or_breaks(filled: Served, claims: Claims | None) -> None:
    for wired in callbacks(filled):
        sent = json.dumps(honest(wired))
        headers = filled.headers(claims) if claims else {}
        answer = filled.client.post("/_dash-update-component", data=sent, headers=headers,
                                    content_type="application/json")  # fmt: skip
        assert answer.status_code < 500, answer.text
        if claims is None:
            assert answer.status_code in (400, 401)
        elif claims is not AUDITOR:
            assert not [one for one in OTHERS if one in answer.text]


def records(served: Served) -> dict[str, Any]:
    state = State(served.settings.state_url)
    with state.reading() as connection:
        found = {table.name: connection.execute(table.select()).all()
                 for table in META.sorted_tables if table.name not in OWN}  # fmt: skip
    state.close()
    return found


def test_an_auditor_sees_everything_and_changes_nothing(filled: Served) -> None:
    before, events = records(filled), filled.store.count_by_source()
    seen = ""
    for asked, status, text in crawl(filled, AUDITOR):
        assert status < 500 or status == 503, (asked, text[:200])
        own = any(f"/{name}" in asked for name in ("preferences", "sessions", "_dash"))
        assert asked.startswith("GET") or own or status >= 300, asked
        seen += text if status == 200 else ""
    assert records(filled) == before
    assert filled.store.count_by_source() == events
    assert "hidden.person" in seen
    assert "ingest key" in seen  # in the audit trail
    assert filled.json("query", AUDITOR, metrics="events")["meta"]["scope"] == "all"


# What readers have of their own, and what has no settings of its own.
OF_ANYBODY: Final = ("preferences", "password", "sessions", "viewings", "tokens")
ADDRESSES_OF_ANYBODY: Final = (
    "/api/v1/preferences", "/api/v1/sessions", "/api/v1/viewings", "/api/v1/tokens",
)  # fmt: skip


def parts_that_change(one: Card) -> list[str]:
    """How the buttons of a card and its form stand in the text of a page."""
    parts: list[Mapping[str, str]] = [
        ids.resource_button(each.key, one.key) for each in one.buttons
    ]
    parts += [ids.resource_extra("save", one.key)] if one.form else []
    return [json.dumps(each, separators=(",", ":")).strip("{}") for each in parts]


def of_the_platform(served: Served) -> Iterator[Resource[Any]]:
    """What is nobody's own."""
    for page in (*served.pages, TAB):
        yield from (one for one in page.resources if one.key not in OF_ANYBODY)


def test_an_auditor_sees_every_page_of_the_settings_and_no_form(filled: Served) -> None:
    for page in filled.pages:
        assert not link(filled, page.key, AUDITOR)
        shown, admins = (body(filled, page.key, claims) for claims in (AUDITOR, ADMIN))
        for one in (each for each in page.resources if each.key not in OF_ANYBODY):
            assert f'"section-{one.key}"' in shown
            state = fill(filled, one.key, AUDITOR)["card"]["data-state"]
            assert state in ("ready", "empty"), one.key
            changing = parts_that_change(one.card)
            assert not [each for each in changing if each in shown], one.key
            assert all(each in admins for each in changing), (one.key, changing)
    data = body(filled, "data", AUDITOR)
    assert not [one for one in ("section-upload", "section-connect") if one in data]
    seen = fill(filled, "keys", AUDITOR)["table"]["rowData"]
    assert [one["name"] for one in seen] == ["hidden key"]


def test_what_an_auditor_would_change_by_a_route_is_refused(filled: Served) -> None:
    before, tried = records(filled), 0
    for rule in filled.app.server.url_map.iter_rules():
        own = rule.rule.startswith(ADDRESSES_OF_ANYBODY)
        if not rule.rule.startswith("/api/v1/") or rule.rule in PUBLIC or own:
            continue
        for method in sorted((rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}):
            path = rule.rule.replace("<int:number>", "1").replace("<key>", "x")
            answer = filled.ask(method.lower(), path.removeprefix("/api/v1/"), AUDITOR, json={})
            assert answer.status_code == 403, (method, path, answer.text)
            assert answer.json["error"]["message"] == SENTENCE, (method, path)
            tried += 1
    assert tried > 20
    assert records(filled) == before


def test_what_an_auditor_would_change_by_a_callback_is_refused(filled: Served) -> None:
    before = records(filled)
    row = {"id": 1, "name": "x", "user": "ana", "alias": "x", "person": "y", "browser": "z"}
    for one in of_the_platform(filled):
        for button in (each for each in one.card.buttons if each.does in ("action", "remove")):
            act = confirm if button.confirm else press
            said = act(filled, one.key, button.key, row, AUDITOR)
            assert said["problem"]["children"] == SENTENCE, button.key
        for button in (each for each in one.card.buttons if each.does in ("new", "edit")):
            begin(filled, button.form or one.key, button.key, [row], AUDITOR, one.key, status=403)
        if one.card.form and not one.card.form.previewed:
            assert SENTENCE in problems(save(filled, one.key, {}, claims=AUDITOR)).values()
    assert records(filled) == before


@pytest.fixture
def viewer(filled: Served) -> tuple[FlaskClient, dict[str, str]]:
    """The browser of a platform admin who looks as ana, and what it sends along."""
    state = State(filled.settings.state_url)
    add_account(state, "boss", "Boss", is_admin=True)
    state.close()
    client: FlaskClient = filled.app.server.test_client()
    assert sign_in(client, "boss").status_code == 303
    client.get("/settings/profile", headers={"Accept": "text/html"})
    cookie = client.get_cookie("_csrf_token")
    assert cookie
    headers = {"X-CSRFToken": cookie.value}
    begun = client.post("/api/v1/people/viewings", json={"user": "ana"}, headers=headers)
    assert begun.status_code == 201, begun.text
    return client, headers


def test_who_looks_as_somebody_sees_no_more_and_changes_nothing(
    filled: Served, viewer: tuple[FlaskClient, dict[str, str]]
) -> None:
    before, events, statuses = records(filled), filled.store.count_by_source(), set()
    ends = ("/sign-out", "/api/v1/viewings/end")
    for asked, status, text in crawl_by(filled, *viewer, without=ends):
        assert status < 500 or status == 503, (asked, text[:200])
        assert asked.startswith("GET") or "/_dash" in asked or status >= 300, asked
        said = text
        for echoed in ("hidden.person", "hidden-project"):
            said = said if f"={echoed}" not in asked else said.replace(echoed, "")
        assert not [one for one in OTHERS if one in said], asked
        statuses.add(status)
    assert {200, 400, 403, 404} <= statuses
    client, headers = viewer
    for wired in callbacks(filled):
        sent = honest(wired)
        answer = client.post("/_dash-update-component", json=sent, headers=headers)
        assert answer.status_code < 500, answer.text
        assert not [one for one in OTHERS if one in answer.text]
    assert records(filled) == before
    assert filled.store.count_by_source() == events
    asked = "/api/v1/query?metrics=events&by=user&preset=last_n_days&n=30"
    assert client.get(asked).json["meta"]["scope"] == "own"  # type: ignore[index]


def test_an_auditor_who_is_more_than_that(filled: Served) -> None:
    """Whoever administers does; whoever administers a project and audits does not."""
    both = {"sub": "x", "isAdmin": True, "isAuditor": True}
    assert filled.get("ingest-keys", both).status_code == 200
    project = {"sub": "x", "applications_admin": "web", "isAuditor": "true"}
    body = {"kind": "project", "subject": "web", "period": "monthly", "hard": 5, "zone": "UTC"}
    assert filled.ask("post", "budgets", project, json=body).status_code == 403
    assert SYSTEM.manages_platform
