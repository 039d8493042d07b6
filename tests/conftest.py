"""What tests share: fresh stores, short events, the real input data."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from argon2 import PasswordHasher
from hypothesis import settings

from data.engines.protocol import EventStore, open_events
from data.events.cleaning import clean
from data.events.table import Event
from data.state.passwords import Passwords
from data.state.store import State
from tests.always_summed import ALWAYS, sum_always
from tests.serving import Served, serving
from tests.starting import start_fast

# The same examples in every run: what fails once fails again.
settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.load_profile("steady")
pytest_plugins = [
    "tests.browser.driver",
    "tests.cli_logs",
    "tests.doors",
    "tests.listening",
    "tests.postgres",
]
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


# Workers take whole files in this order: the longest first, so that all end together.
LONGEST = ("browser/test_drill", "access/test_rights", "browser/test_walk",
           "events/test_merging", "engines/test_sums", "browser/test_budgets",
           "browser/test_people", "analytics/test_numbers", "analytics/test_narrowing",
           "browser/test_way_in", "browser/test_imports", "sources/test_litellm_postgres",
           "sources/test_real_data", "engines/test_durable", "people/test_people",
           "browser/test_time", "analytics/test_real_numbers", "browser/test_address",
           "sources/test_recognition", "ingest/test_request_process", "browser/test_sections",
           "browser/test_look")  # fmt: skip


@pytest.fixture(scope="session", autouse=True)
def _process() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        start_fast(patch)
        if ALWAYS:
            sum_always(patch)
        yield


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """One worker more than processors: of those at work, one waits for its browser."""
    return (yield) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {f"tests/{name}.py": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


@cache
def _events_at_start() -> bytes:
    """The event store of a first start: to make its tables takes longer than to open it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.duckdb"
        open_events(f"duckdb:///{path}").close()
        return path.read_bytes()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    path = tmp_path / "events.duckdb"
    path.write_bytes(_events_at_start())
    opened = open_events(f"duckdb:///{path}")
    yield opened
    opened.close()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    opened = State(f"sqlite:///{tmp_path / 'state.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A Spendscope without events."""
    with serving(tmp_path) as one:
        yield one


@pytest.fixture
def fast_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords that are hashed at once."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("data.state.store.Passwords", lambda: Passwords(hasher))


@pytest.fixture
def shared() -> Path:
    """The real input data beside the repository; tests that need it are skipped without it."""
    if not SHARED.is_dir():
        pytest.skip("the shared input data is not beside this repository")
    return SHARED


@pytest.fixture
def event() -> Callable[..., Event]:
    """A maker of clean events: `event(user="ana", cost_nano=5)`."""
    numbers = itertools.count(1)

    def make(**fields: Any) -> Event:
        raw = {
            "event_id": f"e{next(numbers)}",
            "ts": "2026-11-20T12:00:00Z",
            "kind": "llm",
            "channel": "platform",
            "source": "test",
            "status": "ok",
        }
        return clean(raw | fields)

    return make
