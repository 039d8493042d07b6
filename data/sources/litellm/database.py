"""A running LiteLLM's PostgreSQL, read where it lives, in pages: the rows of `spend_logs.py`.

Nothing is ever written there: every transaction is read only, short, and gives up after a
minute. Pages go by (startTime, request_id), which LiteLLM keeps an index of. Read are the
columns this version of LiteLLM has that we use or whose names speak of tokens, money or counts,
and of metadata what we use: prompts and answers stay there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

import sqlalchemy as sa

from data.errors import SourceError
from data.postgres import SECONDS, Address
from data.sources.litellm.calls import COLUMNS, METADATA, Names
from data.sources.litellm.dump import LOGS, OTHER_TABLES, SUMS, TEAMS, USERS, named
from data.sources.unread import matters

HOUR: Final = "interval '1 hour'"
DAY: Final = "interval '1 day'"
ERROR: Final = ("error_class", "error_code")
PAGE: Final = 5_000
NEWEST: Final = 1_000  # rows among which the latest insertion is looked for
NEEDED: Final = {"request_id", "startTime", "spend"}
CREATED: Final = "created_at"
TABLES: Final = {**OTHER_TABLES, LOGS: (*COLUMNS, CREATED)}
COLUMN_FIELDS: Final = ("table_schema", "table_name", "column_name")
SETTINGS: Final = (
    f"SELECT set_config('statement_timeout', '{SECONDS * 1000}', true),"
    " set_config('datestyle', 'ISO', true), set_config('extra_float_digits', '3', true)"
)
Row = dict[str, str | None]


def as_text(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """As the server writes it, which is how CSV exports and dumps have it, too."""
    return sa.cast(column, sa.Text)


def as_time(text: str) -> sa.ColumnElement[Any]:
    """A timestamp that was read as text."""
    return sa.cast(sa.literal(text, sa.Text), sa.DateTime)


def hour_before(text: str) -> sa.ColumnElement[Any]:
    """An hour before a timestamp that was read as text."""
    return as_time(text) - sa.literal_column(HOUR)


def day_before(text: str) -> sa.ColumnElement[Any]:
    """A day before a timestamp that was read as text."""
    return as_time(text) - sa.literal_column(DAY)


def used_metadata(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """What we use of a row's metadata, as an object of its own."""
    error = _field(column, "error_information")
    used = {name: _field(column, name) for name in METADATA}
    error_fields = _object({name: _field(error, name) for name in ERROR})
    return _object(used | {"error_information": error_fields})


def _field(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[Any]:
    return column.op("->")(_quoted(name))


def _object(fields: dict[str, sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    parts: list[sa.ColumnElement[Any]] = []
    for name, value in fields.items():
        parts += (_quoted(name), value)
    return sa.func.jsonb_build_object(*parts)


def _quoted(name: str) -> sa.ColumnElement[Any]:
    return sa.literal_column(f"'{name}'")


class Database:
    """One connection to a LiteLLM database. Times are LiteLLM's own: ISO texts, UTC, no zone."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.fetched = 0
        self._engine = address.engine()
        try:
            self._columns = self._found()
            self._schema = self._where()
        except BaseException:
            self.close()
            raise
        self._logs = self._table(LOGS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._engine.dispose()

    def names(self) -> Names:
        """What users and teams are called; where the tables cannot be read, nothing."""
        return named(self._small_table(USERS), self._small_table(TEAMS))

    def sums(self) -> list[Row]:
        """LiteLLM's daily sums, a row a day."""
        table = self._table(SUMS)
        if len(table.c) < len(OTHER_TABLES[SUMS]):
            return []
        summed = [
            as_text(sa.func.sum(table.c[name])).label(name) for name in OTHER_TABLES[SUMS][1:]
        ]
        return self._rows(sa.select(table.c.date, *summed).group_by(table.c.date))

    def since(self, started: str | None) -> Iterator[list[Row]]:
        """Every call that began an hour before `started` or later, oldest first; all if None."""
        begun = self._logs.c.startTime
        after = sa.true() if started is None else begun >= hour_before(started)
        return self._pages("startTime", after)

    def late(self, started: str, created: str | None) -> Iterator[list[Row]]:
        """Calls older than `since` reads, but inserted an hour before `created` or later.

        Where insertions are not told, then or now: all calls of the day before `started`.
        """
        begun = self._logs.c.startTime
        older = begun < hour_before(started)
        if created is None or not self.dated:
            return self._pages("startTime", sa.and_(older, begun >= day_before(started)))
        return self._pages(CREATED, sa.and_(older, self._logs.c[CREATED] >= hour_before(created)))

    @property
    def dated(self) -> bool:
        """Whether this LiteLLM keeps when it inserted a call."""
        return CREATED in self._logs.c

    def newest(self) -> str | None:
        """When the latest rows were inserted; None where this LiteLLM does not keep that."""
        if not self.dated:
            return None
        begun, inserted = self._logs.c.startTime, self._logs.c[CREATED]
        last = sa.select(inserted).order_by(begun.desc()).limit(NEWEST).subquery()
        (row,) = self._rows(sa.select(as_text(sa.func.max(last.c[CREATED])).label(CREATED)))
        return row[CREATED]

    def has(self, started: str, request: str) -> bool:
        """Whether this row of the spend logs is still there."""
        same = (self._logs.c.startTime == as_time(started), self._logs.c.request_id == request)
        return bool(self._rows(sa.select(sa.literal("1").label("one")).where(*same)))

    def _pages(self, key: str, condition: sa.ColumnElement[bool]) -> Iterator[list[Row]]:
        columns = (self._logs.c[key], self._logs.c.request_id)
        query = sa.select(*self._selected()).where(condition).order_by(*columns).limit(PAGE)
        after: tuple[Any, ...] = ()
        while page := self._rows(query.where(*after)):
            self.fetched += len(page)
            yield page
            if len(page) < PAGE:
                return
            last = sa.tuple_(as_time(str(page[-1][key])), sa.literal(page[-1]["request_id"]))
            after = (sa.tuple_(*columns) > last,)

    def _selected(self) -> Iterator[sa.Label[Any]]:
        for column in self._logs.c:
            value = used_metadata(column) if column.name == "metadata" else column
            yield as_text(value).label(column.name)

    def _small_table(self, name: str) -> list[Row]:
        """A small table; nothing where it is missing or closed to us: the calls are not."""
        table = self._table(name)
        if OTHER_TABLES[name][0] not in table.c:
            return []
        return self._rows(sa.select(*(as_text(column).label(column.name) for column in table.c)))

    def _rows(self, query: sa.Executable) -> list[Row]:
        with self.address.sentences(), self._reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with self._engine.connect() as connection:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            connection.exec_driver_sql(SETTINGS)
            yield connection

    def _found(self) -> dict[tuple[str, str], set[str]]:
        """The columns that we may read, by schema and table."""
        columns = sa.table(
            "columns", *(sa.column(name) for name in COLUMN_FIELDS), schema="information_schema"
        )
        query = sa.select(*(as_text(column).label(column.name) for column in columns.c))
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for row in self._rows(query.where(columns.c.table_name.in_(TABLES))):
            schema, table, column = (str(row[name]) for name in COLUMN_FIELDS)
            found[schema, table].add(column)
        return found

    def _where(self) -> str:
        """The schema of the spend logs: the one asked for, else public, else any."""
        schemas = sorted(schema for schema, table in self._columns if table == LOGS)
        usual = "public" if "public" in schemas else next(iter(schemas), "public")
        schema = self.address.schema or usual
        columns = self._columns.get((schema, LOGS))
        if not columns:
            raise SourceError(
                f"the database {self.address} shows {self.address.user} no table {LOGS}:"
                " it is not LiteLLM's, or GRANT SELECT on it is missing"
            )
        if missing := sorted(NEEDED - columns):
            raise SourceError(f"the table {LOGS} of {self.address} has no column {missing[0]}")
        return schema

    def _table(self, name: str) -> sa.TableClause:
        """A table with those of the columns of interest that are there."""
        there = self._columns.get((self._schema, name), set())
        columns: list[str] = [each for each in TABLES[name] if each in there]
        if name == LOGS:  # newer versions' counts and money, to say that nobody reads them
            columns += sorted(one for one in there - {*columns} if matters(one))
        return sa.table(name, *(sa.column(each) for each in columns), schema=self._schema)
