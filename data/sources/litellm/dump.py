"""A LiteLLM database as plain `pg_dump`: the rows of LiteLLM_SpendLogs, as in `spend_logs.py`.

users, teams  user_name and, where a row has no alias, project_name come from LiteLLM_UserTable
              (alias, else e-mail address) and LiteLLM_TeamTable; the dump is read twice for them
not counted   every other table. LiteLLM_DailyUserSpend holds the same calls again, summed by
              day: it is compared with the rows, and the report says where they differ
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

from data.errors import EventError
from data.sources.fields import text
from data.sources.files import File
from data.sources.format import Format, Head, Note, Options, Raw, Record, records
from data.sources.litellm.calls import COLUMNS, Calls, Names, Row
from data.sources.litellm.daily_spend import DailyTotals
from data.sources.litellm.price_list import PriceLists
from data.sources.litellm.spend_logs import IGNORED
from data.sources.postgres.dump import Wanted, rows

LOGS: Final = "LiteLLM_SpendLogs"
USERS: Final = "LiteLLM_UserTable"
TEAMS: Final = "LiteLLM_TeamTable"
SUMS: Final = "LiteLLM_DailyUserSpend"
OTHER_TABLES: Final[Wanted] = {
    USERS: ("user_id", "user_alias", "user_email"),
    TEAMS: ("team_id", "team_alias"),
    SUMS: ("date", "api_requests", "spend", "prompt_tokens", "completion_tokens"),
}
PLAIN: Final = re.compile(
    r'^(?:COPY|INSERT INTO|CREATE TABLE) [^\n]*"LiteLLM_|^-- PostgreSQL database dump', re.M
)
NAMED: Final = (b'"LiteLLM_', b"-- PostgreSQL database dump")  # without one it is no such dump
PACKED: Final = b"PGDMP"
UNPACK: Final = EventError(
    "this is a packed pg_dump: make it plain with pg_restore -f dump.sql FILE"
)
NO_LOGS: Final = EventError(f"the dump holds no table {LOGS}")


def recognises(head: Head) -> bool:
    if head.start.startswith(PACKED):
        return True
    named = any(name in head.start for name in NAMED)
    return named and PLAIN.search(head.text) is not None


def _unreadable(file: File) -> EventError | None:
    try:
        return UNPACK if file.head().startswith(PACKED) else None
    except EventError as error:
        return error


def read(file: File, options: Options) -> Iterator[Record]:
    if problem := _unreadable(file):
        yield f"{file.name}:1", problem
        return
    names, days = _other_tables(file)
    calls, reading = Calls(names), _Logs(file)

    def convert(_: str, row: Row) -> Iterator[Raw | Note]:
        yield from calls.convert(row)
        days.add_row(row)

    yield from records(reading.rows(), convert, options)
    if not reading.found:
        yield f"{file.name}:1", NO_LOGS
    for note in days.notes():
        yield f"{file.name}:1", note


class _Logs:
    """The rows of the spend logs; `found` once the dump has shown such a table."""

    def __init__(self, file: File) -> None:
        self._file = file
        self.found = False

    def rows(self) -> Iterator[tuple[str, Any]]:
        for _, where, row in rows(self._file, {LOGS: COLUMNS}, PriceLists('"').cut):
            self.found = True
            if row is not None:
                yield where, row


def _other_tables(file: File) -> tuple[Names, DailyTotals]:
    """Names and daily sums; what cannot be read of them is left out."""
    users: list[Row] = []
    teams: list[Row] = []
    days = DailyTotals()
    for table, _, row in rows(file, OTHER_TABLES):
        if isinstance(row, dict):
            with suppress(EventError):
                {USERS: users.append, TEAMS: teams.append, SUMS: days.add_total}[table](row)
    return named(users, teams), days


def named(users: Iterable[Row], teams: Iterable[Row]) -> Names:
    """What rows of LiteLLM_UserTable and LiteLLM_TeamTable call people and teams."""
    return Names(
        {str(row.get("user_id")): _first(row, "user_alias", "user_email") for row in users},
        {str(row.get("team_id")): _first(row, "team_alias") for row in teams},
    )


def _first(row: Row, *names: str) -> str | None:
    return next((found for name in names if (found := text(row.get(name)))), None)


FORMAT: Final = Format("litellm-dump", "LiteLLM database dump", recognises, read, ignored=IGNORED)
