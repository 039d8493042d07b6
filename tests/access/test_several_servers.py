"""Several servers on one PostgreSQL: whatever is done on one holds on the others at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from callbacks.access.throttle import MOST_TRIES
from tests.accounts import PASSWORD, add_account, csrf_of, sign_in
from tests.postgres import NUMBERS, OWNER, Cluster
from tests.postgres import PASSWORD as OF_OWNER
from tests.serving import KEY, LEAST, Served, serving

EVENT: Final = LEAST | {"event_id": "e", "ts": "2026-11-20T10:00:00Z", "user": "ana"}
ASKED: Final = "/api/v1/query?metrics=requests&preset=last_n_days&n=7"


@pytest.fixture
def servers(cluster: Cluster, state_database: str, tmp_path: Path) -> Iterator[list[Served]]:
    events = cluster.make(f"several_{next(NUMBERS)}").url_of(OWNER, OF_OWNER)
    shared = {"STATE_URL": state_database, "EVENTS_URL": events, "SECRET_KEY": "the same of all"}
    with ExitStack() as stack:
        made = [
            stack.enter_context(serving(tmp_path / name, **shared))  # type: ignore[arg-type]
            for name in ("one", "two")
        ]
        yield made


def test_a_session_holds_on_all_and_ends_on_all(servers: list[Served]) -> None:
    one, two = (served.app.server.test_client() for served in servers)
    add_account(servers[0].app.server.extensions["authenticator"].state, "ana", "Ana")
    assert sign_in(one, "ana").status_code == 303
    cookie = one.get_cookie("spendscope")
    assert cookie
    two.set_cookie("spendscope", cookie.value)
    key = {"Authorization": f"Bearer {KEY}"}
    for number, (sent_to, asked_of) in enumerate(((one, two), (two, one)), start=1):
        event = EVENT | {"event_id": f"e{number}"}
        assert sent_to.post("/api/v1/events", json=event, headers=key).status_code == 200
        assert asked_of.get(ASKED).json["totals"]["requests"] == number
    form = {"csrf_token": csrf_of(two, "/sign-out")}
    assert two.post("/sign-out", data=form).status_code == 303
    assert one.get(ASKED).status_code == 401


def test_passwords_are_guessed_as_slowly_as_on_one(servers: list[Served]) -> None:
    add_account(servers[0].app.server.extensions["authenticator"].state, "ana", "Ana")
    clients = [served.app.server.test_client() for served in servers]
    tried = [sign_in(clients[n % 2], "ana", "wrong horse").status_code for n in range(MOST_TRIES)]
    assert tried == [401] * MOST_TRIES
    assert [sign_in(one, "ana", PASSWORD).status_code for one in clients] == [429, 429]
