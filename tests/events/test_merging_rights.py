"""Who sends under a key of one project or user completes no event outside of it, at any door."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.engines.protocol import EventStore, open_events
from data.events.merging import MERGED, Bound, merge
from data.events.table import EVENTS, Event
from data.prices.book import PUBLIC
from data.sources.events import event_of
from tests.engine import COLUMNS, duckdb_only
from tests.serving import ADMIN, KEY, Served, serving

LEAST: Final = {"ts": "2026-11-20T08:00:00Z", "kind": "llm", "source": "t", "channel": "api",
                "status": "ok"}  # fmt: skip
PROJECTS: Final = (None, "a", "b")
SPAN: Final = {"traceId": "0a" * 16, "spanId": "0b" * 8, "name": "chat m",
               "startTimeUnixNano": "1763640000000000000",
               "endTimeUnixNano": "1763640001000000000"}  # fmt: skip
Post = Callable[[Served, str, str | None, bool], Any]


def told(**fields: Any) -> Event:
    return event_of({"event_id": "e"} | LEAST | fields)


def rows(store: EventStore, columns: str = COLUMNS) -> list[tuple[Any, ...]]:
    with store.sql.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT {columns} FROM events ORDER BY event_id")
        return [tuple(row) for row in found]


# In the store

MORE: Final = [
    {"user": "ana"}, {"cost_nano": 9}, {"ts": "2026-11-20T07:00:00Z"}, {"input_tokens": 2},
    {"project_name": "A"}, {"kind": "llm", "status": "ok", "user_name": "Ana"},
]  # fmt: skip


@pytest.mark.parametrize("project", [None, "b", "aa"])
@pytest.mark.parametrize("more", MORE)
def test_what_is_stored_elsewhere_stays(
    store: EventStore, project: str | None, more: dict[str, Any]
) -> None:
    store.write([told(project=project, status="error", input_tokens=3)])
    before = rows(store)
    assert rows(store, "event_id, project, input_tokens") == [("e", project, 3)]
    for _ in range(2):
        written = store.write([told(project="a", **more)], Bound("a"))
        assert (written, written.merged) == ([], 0)
    assert rows(store) == before


@pytest.mark.parametrize("more", MORE)
def test_what_is_stored_in_the_project_is_completed(
    store: EventStore, more: dict[str, Any]
) -> None:
    old, new = told(project="a", input_tokens=3), told(project="a", **more)
    store.write([old])
    assert store.write([new], Bound("a")).merged == 1
    whole = merge(old, new, PUBLIC)
    assert dict(zip(EVENTS.columns.keys(), rows(store)[0], strict=True)).items() >= whole.items()


def test_who_may_write_anywhere_completes_and_moves(store: EventStore) -> None:
    store.write([told(project="long")], Bound("long"))
    assert store.write([told(project="b", user="ana")]).merged == 1
    assert rows(store, 'project, "user"') == [("b", "ana")]
    assert store.write([told(project="long", user_name="Ana")], Bound("long")).merged == 0
    assert rows(store, "project, user_name") == [("b", None)]


@duckdb_only
@pytest.mark.parametrize("names", [("a", "b"), ("b", "a"), ("b", None), ("a", None)])
def test_callers_of_one_commit_keep_their_rights(
    store: EventStore, names: tuple[str, str | None]
) -> None:
    """The same new id from two: the first has it, and the second completes what is theirs."""
    first, second = names
    last = told(project=second, user="ana")
    callers = ((None, told(event_id="lead")), (first, told(project=first)), (second, last))
    with ThreadPoolExecutor() as pool, held(store) as waiting:
        sent = []
        for n, (only, event) in enumerate(callers):
            sent.append(pool.submit(store.write, [event], Bound(only)))
            waiting(n)
    assert [len(one.result()) for one in sent] == [1, 1, 0]
    assert sent[2].result().merged == (second is None)
    kept = [("e", first, "ana" if second is None else None), ("lead", None, None)]
    assert rows(store, 'event_id, project, "user"') == kept


@contextmanager
def held(store: Any) -> Iterator[Callable[[int], None]]:
    """A store that something else has; waits until so many stand behind the one who leads."""
    store.write([told(event_id="before")])
    store.remove("t")

    def wait(many: int) -> None:
        commits, until = store._commits, time.monotonic() + 60
        while not (commits._busy and len(commits._waiting) == many):
            assert time.monotonic() < until
            time.sleep(0.001)

    with store._lock:
        yield wait


# Any callers, any batches


@pytest.fixture(scope="module")
def memory() -> Iterator[EventStore]:
    opened = open_events("duckdb://")
    yield opened
    opened.close()


def telling(chance: random.Random) -> tuple[Event, Bound]:
    """An event and the binding of who brings it."""
    only = Bound(chance.choice(PROJECTS), chance.choice((None, None, "ana", "bo")))
    user, tokens = only.user or chance.choice((None, "ana", "bo")), chance.choice((None, 3, 5))
    event = told(event_id=f"e{chance.randrange(3)}",
                 project=only.project or chance.choice(PROJECTS),
                 user=user, input_tokens=tokens, status=chance.choice(("ok", "error")))  # fmt: skip
    return event, only


@settings(max_examples=20)
@given(st.randoms(use_true_random=False), st.integers(1, 25))
def test_every_telling_changes_what_its_caller_may_change(
    memory: EventStore, chance: random.Random, many: int
) -> None:
    memory.remove("t")
    wanted: dict[str, Event] = {}
    while many > 0:
        batch = [telling(chance) for _ in range(chance.randint(1, 6))]
        many -= len(batch)
        for event, only in batch:
            kept = wanted.setdefault(event["event_id"], event)
            theirs = ((only.project, kept["project"]), (only.user, kept["user"]))
            if all(mine is None or mine == its for mine, its in theirs):
                wanted[event["event_id"]] = merge(kept, event, PUBLIC)
        if chance.random() < 0.5:  # each by itself, or all in one commit
            for event, only in batch:
                memory.write([event], only)
        else:
            events, bounds = zip(*batch, strict=True)
            memory._store(list(events), list(bounds), time.monotonic() + 60)  # type: ignore[attr-defined]
    names = EVENTS.columns.keys()
    found = [dict(zip(names, row, strict=True)) for row in rows(memory)]
    assert len(found) == len(wanted)
    assert all(row.items() >= wanted[row["event_id"]].items() for row in found)


# Over HTTP


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, NOW="2026-11-22T23:00:00+00:00") as one:
        yield one


def key(served: Served, project: str | None, user: str | None = None) -> str:
    body = {"name": f"for {project}, {user}", "source": "t", "project": project, "user": user}
    answer = served.client.post("/api/v1/ingest-keys", json=body, headers=served.headers(ADMIN))
    return str((answer.json or {})["key"])


def event(served: Served, secret: str, project: str | None, more: bool) -> Any:
    one: dict[str, Any] = {"event_id": "e", "project": project} | LEAST
    one |= {"user": "ana", "input_tokens": 7, "cost_nano": 3} if more else {}
    answer = served.client.post(
        "/api/v1/events", data=json.dumps(one), headers={"x-api-key": secret}
    )
    assert answer.status_code == 200, answer.text
    report: Any = answer.json
    return report


def span(served: Served, secret: str, project: str | None, more: bool) -> Any:
    told: dict[str, Any] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    told |= {"enduser.id": "ana", "gen_ai.usage.input_tokens": 7} if more else {}
    resource = {} if project is None else {"service.namespace": project}
    one = SPAN | {"attributes": attributes(told)}
    body = {"resourceSpans": [{"resource": {"attributes": attributes(resource)},
                               "scopeSpans": [{"spans": [one]}]}]}  # fmt: skip
    answer = served.client.post("/v1/traces", json=body, headers={"x-api-key": secret})
    assert (answer.status_code, answer.json) == (200, {})


def attributes(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": name, "value": {"intValue" if isinstance(one, int) else "stringValue": one}}
        for name, one in told.items()
    ]


DOORS: Final = pytest.mark.parametrize("post", [event, span])


@DOORS
@pytest.mark.parametrize("project", [None, "b"])
def test_a_bound_key_changes_nothing_outside_its_project(
    served: Served, post: Post, project: str | None
) -> None:
    post(served, KEY, project, False)
    before = rows(served.store)
    assert [row[0] for row in rows(served.store, "project")] == [project]
    bound = key(served, "a")
    for _ in range(2):
        report = post(served, bound, None, True)
        if report:
            assert (report["accepted"], report["duplicates"]) == (0, 1)
            assert MERGED not in report.get("notes", {})
        assert rows(served.store) == before


@DOORS
def test_a_bound_key_completes_what_is_in_its_project(served: Served, post: Post) -> None:
    bound = key(served, "a")
    for more in (False, True):
        post(served, bound, None, more)
    wanted = 'project, "user", input_tokens'
    assert rows(served.store, wanted) == [("a", "ana", 7)]


@DOORS
def test_a_key_without_a_project_completes_anywhere(served: Served, post: Post) -> None:
    post(served, key(served, "a"), None, False)
    post(served, KEY, None, True)
    assert rows(served.store, 'project, "user", input_tokens') == [("a", "ana", 7)]


@DOORS
@pytest.mark.parametrize("user", ["", "bo"])
def test_a_key_of_a_user_changes_nothing_of_another(served: Served, post: Post, user: str) -> None:
    one = told(user=user or None)
    served.store.write([one])
    post(served, KEY, None, False)
    ids = [row[0] for row in rows(served.store, "event_id")]
    served.store.remove("t")
    served.store.write([one | {"event_id": each} for each in ids])
    before = rows(served.store)
    for project in (None, "a"):
        post(served, key(served, project, "ana"), None, True)
        assert rows(served.store) == before


@DOORS
def test_a_key_of_a_user_completes_what_is_theirs(served: Served, post: Post) -> None:
    bound = key(served, None, "ana")
    for more in (False, True):
        post(served, bound, None, more)
    assert rows(served.store, 'project, "user", input_tokens') == [(None, "ana", 7)]
