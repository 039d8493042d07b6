"""SQL expressions over LiteLLM's columns, for `database.py`."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from data.sources.litellm.calls import METADATA

HOUR: Final = "interval '1 hour'"
DAY: Final = "interval '1 day'"
ERROR: Final = ("error_class", "error_code")


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
    said = _object({name: _field(error, name) for name in ERROR})
    return _object(used | {"error_information": said})


def _field(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[Any]:
    return column.op("->")(_quoted(name))


def _object(fields: dict[str, sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    parts: list[sa.ColumnElement[Any]] = []
    for name, value in fields.items():
        parts += (_quoted(name), value)
    return sa.func.jsonb_build_object(*parts)


def _quoted(name: str) -> sa.ColumnElement[Any]:
    return sa.literal_column(f"'{name}'")
