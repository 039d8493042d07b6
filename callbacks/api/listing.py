"""The events behind a number, at the doors for scripts: JSON by the page, CSV as a stream."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any, Final, TypeVar

from flask import Flask, Response, jsonify, request, stream_with_context

from callbacks.access.session import current_scope
from callbacks.api.analytics import ROWS, meta
from callbacks.api.exports import note_export
from callbacks.api.parameters import filters_asked, order_asked, whole
from callbacks.stores import Stores
from components import records
from components.sections.declared import Section, section
from data.errors import Refused
from data.query.answers import build_query
from data.query.filters import Filters
from data.query.listing import (
    COLUMNS,
    LATEST_FIRST,
    Listing,
    Row,
    column_label,
    column_unit,
    events_query,
    rows,
)
from data.query.query import Query
from data.query.run import run

MOST_ROWS: Final = 10_000
FARTHEST: Final = 10**9
PARAMETERS: Final = ("metric", "section", "order", "limit", "offset")
CHUNK: Final = 64 * 1024
T = TypeVar("T")


def attach(server: Flask, stores: Stores) -> None:
    """Route the lists on a server."""
    settings, store = stores.settings, stores.store

    @server.get("/api/v1/events")
    def events() -> Response:
        filters = filters_asked(settings, PARAMETERS)
        query, scope = _query(filters), current_scope()
        zone = filters.window.zone
        totals = records.rows(run(query, scope, store), (), query.metrics, zone)[0]
        page = Listing(
            query, order_asked() or LATEST_FIRST,
            whole("limit", ROWS, 1, MOST_ROWS), whole("offset", 0, 0, FARTHEST),
        )  # fmt: skip
        return jsonify(
            columns=[_column(name) for name in COLUMNS],
            rows=[_record(row, zone) for row in rows(page, scope, store)],
            row_count=totals["events"], totals=totals, meta=meta(filters, store),
        )  # fmt: skip

    @server.get("/api/v1/events.csv")
    def download() -> Response:
        filters = filters_asked(settings, ("metric", "section", "order"))
        listing = Listing(_query(filters), order_asked() or LATEST_FIRST)
        found, zone = rows(listing, current_scope(), store), listing.query.filters.window.zone
        return csv_file("events", COLUMNS, (_record(row, zone).values() for row in found))


def _query(filters: Filters) -> Query:
    return behind(request.args.get("section"), request.args.get("metric") or "events", filters)


def behind(key: str | None, metric: str, filters: Filters) -> Query:
    """The question whose events are behind a metric, of a section or at large."""
    if not key:
        return events_query(metric, filters)
    one: Section = section(key)
    if metric not in one.metrics:
        problem = f"{one.title} has no {metric[:40]!r}; use one of {', '.join(one.metrics)}"
        raise Refused("metric", problem)
    return events_query(metric, filters, build_query(one, filters, (*one.by, "")[0], metric))


def breakdown(key: str, by: Any) -> tuple[str, ...]:
    """What a section's numbers are broken down by: as chosen, where it offers that."""
    if not key:
        return ()
    one = section(key)
    return (by,) if by in one.by else one.by[:1]


def _column(name: str) -> records.Record:
    return {"name": name, "label": column_label(name), "unit": column_unit(name).name}


def _record(row: Row, zone: str) -> Row:
    return row | {"ts": records.iso(row["ts"], zone)}


def csv_file(name: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> Response:
    """Rows as CSV, sent in chunks; the first row is read before anything is sent, so that a failure
    is still told as one."""
    return _streamed(f"{name}.csv", "text/csv", rows, lambda found: _chunks(columns, found))


def json_file(name: str, rows: Iterable[dict[str, Any]]) -> Response:
    """Records as one JSON list, likewise."""
    return _streamed(f"{name}.json", "application/json", rows, _json_chunks)


def _streamed(
    file: str, mimetype: str, rows: Iterable[T], chunks: Callable[[Iterable[T]], Iterator[str]]
) -> Response:
    rest = iter(rows)
    first = list(islice(rest, 1))
    note_export(file)
    headers = {"Content-Disposition": f'attachment; filename="spendscope-{file}"'}
    sent = stream_with_context(chunks(chain(first, rest)))
    return Response(sent, mimetype=mimetype, headers=headers)


def _json_chunks(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    before = "["
    for row in rows:
        yield f"{before}{json.dumps(row)}"
        before = ",\n"
    yield "]" if before != "[" else "[]"


def _chunks(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([records.safe(value) for value in row])
        if text.tell() >= CHUNK:
            yield _emptied(text)
    yield _emptied(text)


def _emptied(text: io.StringIO) -> str:
    content = text.getvalue()
    text.seek(0)
    text.truncate()
    return content
