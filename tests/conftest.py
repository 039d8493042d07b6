"""What tests share: fresh stores, short events, the real input data."""

from __future__ import annotations

import gc
import itertools
import os
from collections.abc import Callable, Generator, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from argon2 import PasswordHasher
from hypothesis import settings

from data.engines.protocol import EventStore, open_events
from data.events.cleaning import clean
from data.events.table import Event
from data.state.passwords import Passwords
from data.state.store import State
from tests.always_summed import ALWAYS, sum_always
from tests.engine import ENGINE
from tests.serving import Served, serving
from tests.starting import start_fast

# The same examples in every run: what fails once fails again.
settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.load_profile("steady")
# What is imported and collected stays: nothing looks for cycles in it, not now and not later.
gc.disable()
pytest_plugins = [
    "tests.browser.driver",
    "tests.cli_logs",
    "tests.doors",
    "tests.listening",
    "tests.clickhouse",
    "tests.postgres",
    "tests.other_engine",  # imports the two before
]
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


BROWSERS: Final = 2
# Workers take whole files in this order: the longest first, so that all end together.
LONGEST = ("browser/test_drill", "browser/test_header", "engines/test_durable",
           "browser/test_walk", "browser/test_axe", "access/test_rights", "engines/test_sums",
           "browser/test_budgets", "browser/test_people", "browser/test_way_in",
           "browser/test_imports",
           "analytics/test_numbers", "sources/test_real_data", "sources/test_litellm_postgres",
           "events/test_merging", "engines/test_parquet_load", "people/test_people",
           "browser/test_time", "commands/test_commands", "analytics/test_real_numbers",
           "ingest/test_request_process", "analytics/test_narrowing", "browser/test_address",
           "engines/test_kept_answers", "budgets/test_budgets", "browser/test_sections",
           "browser/test_look", "browser/test_card", "browser/test_accounts",
           "browser/test_comparison", "browser/test_prices", "engines/test_column_load",
           "sources/test_recognition")  # fmt: skip


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


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {f"tests/{name}.py": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(_file(item), len(places)))
    turns: dict[str, int] = {}
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(_file(item), turns)))


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _group(file: str, turns: dict[str, int]) -> str:
    """What one worker takes: a file, as its tests share what it set up, or every other file of the
    browser's: a browser, its server and the pages that stay open take as long as a file."""
    if not file.startswith("tests/browser/"):
        return file
    return f"browser {turns.setdefault(file, len(turns)) % BROWSERS}"


@cache
def _events_at_start() -> bytes:
    """The event store of a first start: to make its tables takes longer than to open it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.duckdb"
        open_events(f"duckdb:///{path}").close()
        return path.read_bytes()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    url = "duckdb://"
    if not ENGINE:
        path = tmp_path / "events.duckdb"
        path.write_bytes(_events_at_start())
        url = f"duckdb:///{path}"
    opened = open_events(url)
    yield opened
    opened.close()


@pytest.fixture
def state_url(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Of a new state store: a file, or a database where STATE=postgresql asks for one."""
    if os.environ.get("STATE") == "postgresql":
        url: str = request.getfixturevalue("state_database")
        return url
    return f"sqlite:///{tmp_path / 'state.sqlite'}"


@pytest.fixture
def state(state_url: str) -> Iterator[State]:
    opened = State(state_url)
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
