"""What an engine offers, so that the next one is one package beside those in `data/engines/`:

- `EventStore`: it opens, writes in bulk and once, merges what is told again, and re-prices;
- every construct of `data/dialect.py`, compiled for its dialect of SQL (`@compiles`): percentile,
  latest value, statistics per group, start of the month, a table of texts. All else that is asked
  is standard SQL with FILTER, sums cast to BIGINT;
- a line in `ENGINES`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from data.dialect import Expression
from data.engines.grouping import Grouping, Names
from data.engines.memo import Memo
from data.engines.totals import Totals
from data.errors import SettingsError
from data.events.merging import ANYWHERE, Bound, WriteResult
from data.events.table import Event
from data.prices.book import PriceBook, public
from data.prices.cost_change import CostChange
from data.prices.rate_rows import RateChange
from data.sources.columns import Rows
from data.sources.parquet import Part
from data.sources.report import Report

NO_DRIVER: Final = (
    "SPENDSCOPE_EVENTS_URL names ClickHouse, for which {} is not installed: install Spendscope with"
    ' its extra, as pip install -c requirements.lock -e ".[clickhouse]"'
)


class EventSink(Protocol):
    """Where an import goes: an event store, or the server that has it open."""

    takes_columns: bool
    """Whether `load` takes columns that were read; else nobody need make them."""

    def book(self) -> PriceBook:
        """The present prices, for what is worked out of an event."""

    def write(self, events: Sequence[Event], /) -> WriteResult:
        """Store, durably and at once, the events whose id is new; returns those, in order. What
        the others tell beyond what is stored completes the stored ones (`data/events/merging.py`).
        """

    def load(self, rows: Part | Rows, /) -> Report | None:
        """Store what is new of a stretch of a Parquet file that it reads itself, or of columns that
        were read, as `write` would store their events one by one; None, and nothing stored, where
        it cannot."""

    def stored_ids(self, ids: Collection[str], /) -> set[str]:
        """Which of these event ids are stored already."""

    def stored_shared_ids(self, ids: Collection[str], /) -> set[str]:
        """Which of these are the `shared_id` of a stored event."""


class EventStore(EventSink, Protocol):
    """A place that keeps events. Any threads of a process may read and write; whether there may be
    several processes is the engine's."""

    sql: sa.Engine
    shared: bool  # whether several servers may have it open and write
    memo: Memo
    stable_memo: Memo  # of answers that new data rarely changes: not cleared with it

    def write(self, events: Sequence[Event], /, bound: Bound = ANYWHERE) -> WriteResult:
        """As any sink; whoever is `bound` to some events completes no others."""

    def remove(self, source: str) -> int:
        """Delete everything one source brought; returns how many events that was."""

    def count_events(self, where: sa.ColumnElement[bool]) -> int:
        """How many stored events a condition over `events` holds for."""

    def remove_events(self, where: sa.ColumnElement[bool]) -> int:
        """Delete those, with all that is kept about them; how many that was."""

    def rename_user(
        self, where: sa.ColumnElement[bool], ids: Collection[str], pseudonym: str
    ) -> int:
        """Have the pseudonym as the user of those, and wherever these ids of the user stand in what
        names events; how many that was."""

    def reprice(self, change: RateChange, number: int | None) -> list[CostChange]:
        """Change prices under a number, all or none; without one, only say what would change."""

    def restore(self, number: int) -> int:
        """Put back what a re-pricing changed, and say of how many events; `Refused` while a later
        one of the same events stands."""

    def ask(self, asked: Grouping) -> tuple[list[str], Sequence[Any]]:
        """The names of the columns, keys before values, and a row a group: always what the
        question's own statement answers, from sums where they hold."""

    def count_groups(self, asked: Grouping) -> int:
        """How many rows that has."""

    def names(self, asked: Names) -> Sequence[Any]:
        """Rows of value, name and how many events, quick however many events there are."""

    def sum_up(self, aggregates: Iterable[Expression]) -> None:
        """Keep sums from which these numbers can be said, as far as they can be."""

    def refresh_sums(self) -> bool:
        """Bring the sums a step nearer to what is stored, beside those who read and write; whether
        there was anything to do. Answers are the same before and after."""

    def adopt(self, table: sa.TableClause, rows: Sequence[Sequence[Any]]) -> int:
        """Keep rows of another store as they are, of a table of `data/engines/kept.py`; events
        whose id is stored are left out. How many came."""

    def count_duplicates(self) -> int:
        """How many stored events carry an id that an other one carries; 0, or we have a bug."""

    def count_by_source(self) -> dict[str, Totals]:
        """What is stored, by source."""

    def back_up(self, path: Path) -> dict[str, Totals]:
        """All of it as it is at one moment, into a new file, beside those who read and write; what
        was stored then."""

    def require_sound(self) -> None:
        """Raises `StoreError` where some of what is stored cannot be read any more."""

    def close(self) -> None:
        """Give the store back to other processes."""


def open_events(url: str, book: Callable[[], PriceBook] = public) -> EventStore:
    """The event store of a SQLAlchemy URL, created or upgraded as needed; it prices by `book`.

    Raises `SettingsError` for an engine we do not have, `StoreError` if it cannot be used now.
    """
    parsed = _parsed(url)
    opens = ENGINES.get(parsed.get_backend_name())
    if opens is None:
        raise SettingsError(
            f"SPENDSCOPE_EVENTS_URL names {parsed.get_backend_name()}; the event store is"
            " duckdb:///PATH, postgresql://USER@HOST/DATABASE or clickhousedb://USER@HOST/DATABASE"
        )
    return opens(parsed, book)


def _duckdb(url: URL, book: Callable[[], PriceBook]) -> EventStore:
    from data.engines.duckdb.store import DuckEvents

    return DuckEvents(Path(url.database or ":memory:"), book)


def _postgresql(url: URL, book: Callable[[], PriceBook]) -> EventStore:
    from data.engines.postgresql.store import PostgresEvents

    return PostgresEvents(url, book)


def _clickhouse(url: URL, book: Callable[[], PriceBook]) -> EventStore:
    try:
        from data.engines.clickhouse.store import ClickHouseEvents
    except ModuleNotFoundError as error:
        raise SettingsError(NO_DRIVER.format(error.name)) from None
    return ClickHouseEvents(url, book)


# Imported when it is asked for: nobody needs the driver of another engine.
ENGINES: Final[dict[str, Callable[[URL, Callable[[], PriceBook]], EventStore]]] = {
    "duckdb": _duckdb,
    "postgresql": _postgresql,
    "clickhousedb": _clickhouse,
}


def read_totals(path: Path) -> dict[str, Totals]:
    """What a file that `back_up` made holds, by source; raises `StoreError` for a damaged one."""
    from data.engines.duckdb.copies import read_totals as read

    return read(path)


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except sa.exc.ArgumentError:
        raise SettingsError("SPENDSCOPE_EVENTS_URL is no SQLAlchemy URL") from None
