"""A visitor of the demo, before and after there is something real: nothing of theirs stays."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from data.access.scope import SYSTEM
from data.events.cleaning import clean
from data.ingest.retention import DAY, add_rule, apply_rules
from data.prices.stated_rates import state_rate
from data.state.audit import Actor, entries
from data.state.store import State
from tests.accounts import AT, PASSWORD, add_account, csrf_of
from tests.serving import KEY, LEAST, Served, serving

WHEN: Final = "2026-11-20T10:00:00Z"
SAMPLE: Final = {"event_id": "s", "ts": WHEN, "source": "sample", "user": "mara@example.com"}
EVENT: Final = LEAST | {"event_id": "r", "ts": WHEN, "source": "real", "user": "ben"}
LISTS: Final = {
    "ingest-keys": "keys", "aliases": "aliases", "prices": "prices", "budgets": "budgets",
    "exchange-rates": "rates", "retention": "rules",
}  # fmt: skip
pytestmark = pytest.mark.usefixtures("fast_passwords")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as one:
        one.store.write([clean(LEAST | SAMPLE)])
        yield one


@pytest.fixture
def visitor(demo: Served) -> FlaskClient:
    """The persona who may see everything, in a browser."""
    client: FlaskClient = demo.app.server.test_client()
    client.post("/sign-in", data={"csrf_token": csrf_of(client), "persona": "platform-admin"})
    client.get("/settings/profile", headers={"Accept": "text/html"})
    return client


def ask(client: FlaskClient, method: str, path: str, **more: Any) -> TestResponse:
    cookie = client.get_cookie("_csrf_token")
    token = cookie.value if cookie else ""
    return client.open(f"/api/v1/{path}", method=method, headers={"X-CSRFToken": token}, **more)


def make(client: FlaskClient) -> str:
    """Some of everything that a persona can make; the secret of the key among it."""
    rate = {"currency": "EUR", "from": "2026-11-01", "dollars": "1.1"}
    price = {"provider": "x", "model": "m", "from": "2026-11-01", "input": "3", "output": "4"}
    bodies = {
        "aliases": {"alias": "ben", "person": "ana"}, "exchange-rates": rate, "prices": price,
        "budgets": {"kind": "everything", "period": "monthly", "hard": 5, "zone": "UTC"},
        "retention": {"source": "real", "days": 1},
    }  # fmt: skip
    for path, body in bodies.items():
        answer = ask(client, "POST", path, json=body)
        assert answer.status_code == 201, (path, answer.text)
    assert ask(client, "PUT", "preferences", json={"theme": "dark"}).status_code == 200
    made = ask(client, "POST", "ingest-keys", json={"name": "mine", "source": "sample2"})
    assert made.status_code == 201
    return str(made.json["key"])  # type: ignore[index]


def an_account(demo: Served) -> None:
    state = State(demo.settings.state_url)
    add_account(state, "ana", "Ana", PASSWORD, is_admin=True)
    state.close()


def an_event(demo: Served) -> None:
    demo.store.write([clean(EVENT)])


@pytest.mark.parametrize("begin", [an_account, an_event])
def test_what_is_real_ends_the_demo_and_takes_all_it_made(
    demo: Served, visitor: FlaskClient, begin: Callable[[Served], None]
) -> None:
    secret = make(visitor)
    begin(demo)
    assert ask(visitor, "GET", "query").status_code == 401
    for path, name in LISTS.items():
        assert demo.json(path)[name] == [], path
    assert send(demo, secret).status_code == 401
    assert demo.json("query", {"sub": "ana"}, metrics="events")["totals"]["events"] == 0
    state = State(demo.settings.state_url)
    newest = entries(state, SYSTEM, 1)[0]
    assert newest.thing == "what the demo made"
    state.close()


def send(demo: Served, secret: str, name: str = "k") -> TestResponse:
    return demo.client.post(
        "/api/v1/events", json=[EVENT | {"event_id": name}],
        headers={"Authorization": f"Bearer {secret}"},
    )  # fmt: skip


def test_a_key_of_the_demo_brings_nothing_while_it_lasts(
    demo: Served, visitor: FlaskClient
) -> None:
    assert send(demo, make(visitor)).status_code == 401
    assert set(demo.store.count_by_source()) == {"sample"}
    assert send(demo, KEY).status_code == 200  # whose key is nobody's of the demo


def test_a_visitor_imports_nothing(demo: Served, visitor: FlaskClient) -> None:
    """They may look at what an import would bring; nobody finds it there after them."""
    body = json.dumps(EVENT).encode()
    begun = ask(visitor, "POST", "imports?name=x.ndjson", input_stream=io.BytesIO(body),
                content_length=len(body))  # fmt: skip
    assert begun.status_code == 202
    key = begun.json["id"]  # type: ignore[index]
    for thread in threading.enumerate():
        if thread.name == f"upload {key}":
            thread.join(60)
    answer = ask(visitor, "POST", f"imports/{key}")
    assert (answer.status_code, "the demo imports nothing" in answer.text) == (403, True)
    assert set(demo.store.count_by_source()) == {"sample"}
    an_event(demo)
    assert demo.json("imports/open")["uploads"] == []
    assert demo.ask("post", f"imports/{key}").status_code == 404
    assert not list((demo.settings.data_dir / "uploads").iterdir())


def test_a_visitor_changes_nothing_that_was_there_before(
    demo: Served, visitor: FlaskClient
) -> None:
    state = State(demo.settings.state_url)
    rate = {"currency": "CHF", "from": "2026-11-01", "dollars": "1.2"}
    number = state_rate(state, Actor(SYSTEM, "Command line", AT), rate).id
    state.close()
    answer = ask(visitor, "DELETE", f"exchange-rates/{number}")
    assert (answer.status_code, "made in it" in answer.text) == (403, True)
    make(visitor)
    an_event(demo)
    demo.get("catalog")
    assert [one["currency"] for one in demo.json("exchange-rates")["rates"]] == ["CHF"]


def test_a_start_takes_away_what_a_demo_left(demo: Served, visitor: FlaskClient) -> None:
    """The server was stopped before it could."""
    make(visitor)
    an_event(demo)
    with serving(demo.settings.data_dir) as again:
        again.store.write([clean(EVENT)])
        assert again.json("ingest-keys")["keys"] == []


def test_nothing_real_costs_what_the_demo_said(demo: Served, visitor: FlaskClient) -> None:
    """The first event that arrives is priced and converted before the demo has ended."""
    make(visitor)
    book = demo.store.book()
    assert (len(book.shown.entries), len(book.shown.exchange.rates)) == (1, 1)
    assert (book.entries, book.exchange.rates) == ((), ())
    call = EVENT | {"model": "m", "provider": "x", "input_tokens": 1_000_000}
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = demo.client.post("/api/v1/events", json=[call], headers=headers)
    assert answer.json is not None
    assert (answer.json["accepted"], answer.json["unpriced"]) == (1, 1)


def test_a_rule_of_the_demo_deletes_nothing(demo: Served, visitor: FlaskClient) -> None:
    """Neither what it was shown nor what came after it, whoever is faster than its end."""
    assert (
        ask(visitor, "POST", "retention", json={"source": "sample", "days": 1}).status_code == 201
    )
    make(visitor)
    an_event(demo)
    state = State(demo.settings.state_url)
    assert apply_rules(state, demo.store, AT + 400 * DAY) == 0
    add_rule(state, Actor(SYSTEM, "Command line", AT), {"source": "third", "days": 1})
    demo.store.write([clean(EVENT | {"event_id": "t", "source": "third"})])
    assert apply_rules(state, demo.store, AT + 400 * DAY) == 1
    state.close()


def test_the_demo_has_what_was_made_in_it(demo: Served, visitor: FlaskClient) -> None:
    make(visitor)
    (key,) = ask(visitor, "GET", "ingest-keys").json["keys"]  # type: ignore[index]
    assert ask(visitor, "DELETE", f"ingest-keys/{key['id']}").status_code == 200
