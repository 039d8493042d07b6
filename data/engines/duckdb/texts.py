"""Statements as text, put together once and asked of many windows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from duckdb_sqlalchemy import Dialect

from data.engines.grouping import Form

SLOT: Final = re.compile(r"\{(\w+) ?([^}]*)\}")
MOST_TEXTS: Final = 512
FROM: Final = "FROM events"
DIALECT: Final = Dialect(paramstyle="numeric_dollar")


@dataclass(frozen=True)
class Text:
    """SQL with slots, `{name}` or `{name detail}`, for what differs from window to window, and its
    parameters."""

    sql: str
    parameters: tuple[Any, ...]

    def filled(self, value: Callable[[str, str], str]) -> str:
        """The SQL with values (numbers, or SQL of our own) in their slots, by name and detail."""
        return SLOT.sub(lambda found: value(found[1], found[2] or ""), self.sql)

    def over(self, rows: str) -> str:
        """The SQL with the rows of other SQL in the place of the events."""
        before, after = self.sql.split(FROM)
        return f"{before}FROM ({rows}) AS events{after}"


def slot(name: str, detail: str = "") -> sa.ColumnElement[Any]:
    """The place of a value in a text."""
    return sa.literal_column(f"{{{name} {detail}}}", sa.BigInteger)


def compiled(statement: sa.Select[Any]) -> Text:
    """A statement as text."""
    made = statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
    order = made.positiontup or ()
    return Text(made.string, tuple(made.params[name] for name in order))


@lru_cache(MOST_TEXTS)
def over_events(form: Form) -> Text:
    """A question over the events themselves; its slots are the window's `start` and `end`."""
    return compiled(form.statement())
