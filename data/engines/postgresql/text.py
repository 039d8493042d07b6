"""Statements as text, put together once and asked of many windows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.pg8000 import PGDialect_pg8000

from data.dialect import Expression
from data.engines.grouping import Form
from data.engines.postgresql.dialect import PARAMSTYLE, Compiler
from data.engines.stretches import Stretch

MOST_FORMS: Final = 512
DIALECT: Final = PGDialect_pg8000(paramstyle=PARAMSTYLE)  # type: ignore[no-untyped-call]
DIALECT.statement_compiler = Compiler  # type: ignore[assignment]


@dataclass(frozen=True)
class Text:
    """SQL with places, `{name}`, for what differs from window to window, and its parameters."""

    sql: str
    parameters: tuple[Any, ...]

    def filled(self, window: Stretch, **conditions: str) -> str:
        """The SQL for a window, with SQL of our own in the other places."""
        made = self.sql.replace("{start}", str(window[0])).replace("{end}", str(window[1]))
        for name, condition in conditions.items():
            made = made.replace(f"{{{name}}}", condition)
        return made


def compiled(statement: sa.Select[Any]) -> Text:
    """A statement as text."""
    made = statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
    return Text(made.string, tuple(made.params[name] for name in made.positiontup or ()))


@lru_cache(MOST_FORMS)
def over_events(form: Form) -> Text:
    """A question over the events themselves."""
    return compiled(form.statement())


def sql(expression: Expression) -> str:
    """An expression as text, values and all."""
    return str(expression.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))
