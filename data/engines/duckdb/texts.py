"""Statements as text, put together once and asked of many windows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

import sqlalchemy as sa
from duckdb_sqlalchemy import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.util import LRUCache

from data.engines.grouping import Form

SLOT: Final = re.compile(r"\{(\w+) ?([^}]*)\}")
MOST_TEXTS: Final = 512
FROM: Final = "FROM events"
_COMPILED: Final = LRUCache[Any, Any](MOST_TEXTS)
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
    """A statement as text. One that differs in its values alone is not compiled again: as between
    SQLAlchemy's own engines and connections, which take no text with slots."""
    made, bound, values, _ = statement._compile_w_cache(
        DIALECT, compiled_cache=_COMPILED, column_keys=[]
    )
    compiler = cast(SQLCompiler, made)
    given = compiler.construct_params(values, extracted_parameters=bound, escape_names=False)
    state = compiler.construct_expanded_state(given)
    return Text(state.statement, state.positional_parameters)


@lru_cache(MOST_TEXTS)
def over_events(form: Form) -> Text:
    """A question over the events themselves; its slots are the window's `start` and `end`."""
    return compiled(form.statement())
