"""What each source brought in all imports together: when it last came, duplicates, rejections."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from data.sources.report import OTHERS, SHOWN, Report
from data.state.tables import BROUGHT

MOST_SOURCES: Final = 1_000
LONGEST_FORMAT: Final = 200


def brought(connection: sa.Connection, now: int, report: Report) -> None:
    """Add up what each source brought; what is of nobody is of the format."""
    for source, (events, duplicates, rejected) in report.sources.items():
        name = _row_of(connection, source or report.format[:LONGEST_FORMAT])
        this = BROUGHT.c.source == name
        held = connection.execute(sa.select(BROUGHT).where(this)).one()
        why = [list(one) for one in report.reasons.get(source, ())]
        sums = {
            "duplicates": held.duplicates + duplicates, "rejected": held.rejected + rejected,
            "last": now if events else held.last, "reasons": (why + held.reasons)[:SHOWN],
        }  # fmt: skip
        connection.execute(BROUGHT.update().where(this).values(sums))


def _row_of(connection: sa.Connection, name: str) -> str:
    """The row that counts for a source, made where it is the first time; all the sources beyond
    `MOST_SOURCES` have one together."""
    names = sa.select(BROUGHT.c.source)
    if connection.execute(names.where(BROUGHT.c.source == name)).first():
        return name
    if len(connection.execute(names).all()) >= MOST_SOURCES and name != OTHERS:
        return _row_of(connection, OTHERS)
    blank = BROUGHT.insert().values(last=None, duplicates=0, rejected=0, reasons=[])
    connection.execute(blank.values(source=name))
    return name
