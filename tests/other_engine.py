"""With ENGINE=postgresql or clickhouse every event store that tests open as DuckDB's is one there.

`make test` runs some suites so once more: numbers, rights, merging and re-pricing. Each store has a
database of its own, emptied and lent again once it is closed: to make one takes longer than a test.
A store in a file keeps its database, as tests close and open it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final, Protocol

import pytest
from sqlalchemy.engine import make_url

from data.engines.clickhouse.store import ClickHouseEvents
from data.engines.postgresql.store import PostgresEvents
from data.prices.book import PriceBook, public
from tests.engine import ENGINE
from tests.postgres import OWNER, PASSWORD, Base, Cluster

EMPTY: Final = """
DO $$ BEGIN EXECUTE 'TRUNCATE events, copy_ids, session_sums, repriced, versions, sealed_days'
 || (SELECT coalesce(string_agg(', ' || name, ''), '') FROM sum_tables); END $$
"""


class Server(Protocol):
    """Where databases are made."""

    def make(self) -> str:
        """The URL of a new one."""

    def empty(self, url: str) -> None:
        """Take everything out of one whose store is closed."""


class Postgres:
    """A cluster of PostgreSQL."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster, self._numbers = cluster, count(1)
        self._bases: dict[str, Base] = {}

    def make(self) -> str:
        base = self._cluster.make(f"events_{next(self._numbers)}")
        url = base.url_of(OWNER, PASSWORD)
        self._bases[url] = base
        return url

    def empty(self, url: str) -> None:
        self._bases[url].run(EMPTY)


class Databases:
    """Empty databases of a server, lent to stores."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._free: list[str] = []
        self._of: dict[Path, str] = {}

    def at(self, path: Path) -> str:
        """That of a file, the same each time; one that is nobody's for a store in memory."""
        if str(path) == ":memory:":
            return self._empty()
        if path not in self._of:
            self._of[path] = self._empty()
        return self._of[path]

    def give_back(self, url: str) -> None:
        if url not in self._of.values():
            self._free.append(url)

    def _empty(self) -> str:
        if not self._free:
            return self._server.make()
        self._server.empty(url := self._free.pop())
        return url


@pytest.fixture(scope="session", autouse=True)
def _engine(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if ENGINE:
            made = "data.engines.duckdb.store.DuckEvents"
            patch.setattr(made, LENDING[ENGINE](request))
        yield


def _postgresql(request: pytest.FixtureRequest) -> Any:
    return lending(PostgresEvents, Databases(Postgres(request.getfixturevalue("cluster"))))


def _clickhouse(request: pytest.FixtureRequest) -> Any:
    return lending(ClickHouseEvents, Databases(request.getfixturevalue("clickhouse")))


LENDING: Final = {"postgresql": _postgresql, "clickhouse": _clickhouse}


def lending(engine: Any, databases: Databases) -> Any:
    """Stores in the place of DuckDB's, whose databases are given back as they are closed."""

    class Lent(engine):  # type: ignore[misc]
        def __init__(self, path: Path, book: Callable[[], PriceBook] = public) -> None:
            self._lent = databases.at(path)
            super().__init__(make_url(self._lent), book)

        def close(self) -> None:
            super().close()
            databases.give_back(self._lent)

    return Lent
