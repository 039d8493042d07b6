"""The JSON API: the same questions, rights and rows as the page, for scripts.

Every route is three steps: parse the arguments, ask, say it as JSON. Errors are one sentence.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from callbacks.access.request_log import request_id
from callbacks.access.session import current_scope
from callbacks.analytics.filter_state import notice
from callbacks.api.exports import note_export
from callbacks.api.parameters import filters_asked, names_asked, only, order_asked, whole
from callbacks.stores import Stores
from components import records
from components.page.tables import raw
from components.sections.declared import TABS, UNSHOWN, section
from components.workbook import FILES
from data.engines.protocol import EventStore
from data.errors import Refused, Unknown
from data.local_time import GRAINS, iso
from data.query.answers import Answer, answer
from data.query.catalog import DIMENSIONS, METRICS
from data.query.comparison import run_compared
from data.query.earlier import COMPARISONS
from data.query.filters import COMPARING, PICKER_FIELDS, Filters, spell_about
from data.query.options import data_as_of, options
from data.query.query import Query
from data.query.run import count, totals
from data.query.windows import PRESETS, Window

log = logging.getLogger("spendscope")
ROWS: Final = 1_000
MOST_ROWS: Final = 100_000
OFFERED: Final = {
    f"{field}es" if field.endswith("s") else f"{field}s": field for field in PICKER_FIELDS
}
PARAMETERS: Final = ("metrics", "by", "grain", "order", "limit", "offset", *COMPARING)


def attach(server: Flask, stores: Stores) -> None:
    """Route the API on a server."""

    @server.get("/api/v1/catalog")
    def catalog() -> Response:
        return jsonify(_catalog())

    @server.get("/api/v1/query")
    def query() -> Response:
        return jsonify(_query(filters_asked(stores.settings, PARAMETERS), stores.store))

    @server.get("/api/v1/sections/<name>")
    def rows(name: str) -> Response:
        return _section(name, stores)

    @server.get("/api/v1/options/<field>")
    def offered(field: str) -> Response:
        if field not in OFFERED:
            raise Unknown("options", f"there are options for {', '.join(OFFERED)}")
        only(("q", "limit"))
        text, limit = request.args.get("q", "")[:200], whole("limit", 50, 1, 500)
        return jsonify(options(OFFERED[field], text, limit, current_scope(), stores.store))

    # Without a route for the rest of /api/, Dash would answer with its page.
    server.add_url_rule("/api/<path:_>", "nowhere", _nowhere)
    server.register_error_handler(Exception, _broken)


def _nowhere(_: str) -> Response:
    raise Unknown("path", "there is no such address; see /api/v1/catalog")


def _catalog() -> dict[str, Any]:
    return {
        "metrics": [
            {"name": m.name, "label": m.label, "unit": m.unit.name, "description": m.help}
            for m in METRICS.values()
        ],
        "dimensions": [{"name": d.name, "label": d.label} for d in DIMENSIONS.values()],
        "sections": [
            {"key": s.key, "label": s.title, "tab": tab, "metrics": s.metrics, "by": s.by}
            for tab, sections in (*((one.key, one.sections) for one in TABS), (None, UNSHOWN))
            for s in sections
        ],
        "presets": [{"name": name, "label": label} for name, label in PRESETS.items()],
        "comparisons": [{"name": name, "label": label} for name, label in COMPARISONS.items()],
    }


def _section(name: str, stores: Stores) -> Response:
    """The rows of a section, as JSON or as the file that its name ends with."""
    key, _, form = name.partition(".")
    if form and form not in FILES:
        raise Unknown("section", f"a section comes as JSON, .csv or .xlsx, not as .{form[:10]}")
    filters = filters_asked(stores.settings, ("by", "measure", *COMPARING))
    chosen = (request.args.get("by"), request.args.get("measure"))
    answered = answer(section(key), filters, current_scope(), stores.store, *chosen)
    if form:
        return _file(answered, filters, form)
    return jsonify(records.section(answered) | {"meta": meta(filters, stores.store)})


def _query(filters: Filters, store: EventStore) -> dict[str, Any]:
    started, scope = time.perf_counter(), current_scope()
    query, zone = _question(filters), filters.window.zone
    metrics = records.with_before(query.metrics, filters.compared is not None)
    body: dict[str, Any] = {
        "columns": records.columns((*query.by, *metrics)),
        "rows": records.rows(run_compared(query, scope, store), query.by, metrics, zone),
        "totals": records.rows(run_compared(query.total(), scope, store), (), metrics, zone)[0],
        "row_count": count(query, scope, store) if query.by else 1,
        "meta": meta(filters, store),
    }
    body["meta"]["elapsed_ms"] = round((time.perf_counter() - started) * 1_000, 1)
    return body


def _question(filters: Filters) -> Query:
    grain = request.args.get("grain", "auto")
    if grain not in ("auto", *GRAINS):
        raise Refused("grain", f"grain is {grain[:20]!r}; use auto, {', '.join(GRAINS)}")
    metrics = names_asked("metrics")
    if not metrics:
        raise Refused("metrics", f"metrics is missing; name some of {', '.join(METRICS)}")
    return Query(
        metrics, names_asked("by"), filters, None if grain == "auto" else grain, order_asked(),  # type: ignore[arg-type]
        whole("limit", ROWS, 1, MOST_ROWS), whole("offset", 0, 0, 10**9),
    )  # fmt: skip


def meta(filters: Filters, store: EventStore) -> dict[str, Any]:
    scope, window, compared = current_scope(), filters.window, filters.compared
    share = totals(Query(("priced_share",), (), filters), scope, store)["priced_share"]
    latest = data_as_of(scope, store)
    return {
        **_ends(window),
        "tz": window.zone,
        "preset": window.preset,
        "compared": compared and _ends(compared),
        "filters": dict(filters.fields)
        | ({"me": True} if filters.me else {})
        | spell_about(filters.about),
        "scope": scope.reach,
        "data_as_of": None if latest is None else iso(latest, window.zone),
        "priced_share": raw(share),
        "notice": notice(filters, scope, store) or None,
    }


def _ends(window: Window) -> dict[str, str]:
    return {"from": iso(window.start, window.zone), "to": iso(window.end, window.zone)}


def _file(answered: Answer, filters: Filters, form: str) -> Response:
    make, mimetype = FILES[form]
    file = f"{answered.section.key}.{form}"
    note_export(file)
    headers = {"Content-Disposition": f'attachment; filename="spendscope-{file}"'}
    made = make(answered, section(answered.section.key), filters)
    return Response(made, mimetype=mimetype, headers=headers)


def _broken(error: Exception) -> Any:
    if isinstance(error, HTTPException):
        if not request.path.startswith("/api/"):
            return error
        body = {"code": "http", "message": str(error.description), "request": request_id()}
        return jsonify(error=body), error.code
    number = request_id()
    log.exception("a request failed", exc_info=error)
    problem = f"something broke here; tell your operator the number {number}"
    return jsonify(error={"code": "bug", "message": problem, "request": number}), 500
