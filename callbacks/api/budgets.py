"""Budgets for scripts, beside their resource: the history of one, and both cards as files, with
the rows of the Budgets tab, all of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final

from flask import Flask, Response, jsonify, request, stream_with_context

from callbacks.access.session import current_scope
from callbacks.analytics.spending import (
    Names,
    crossing_as_dict,
    history,
    resolved,
    standing_as_dict,
    standings,
    subject_names,
)
from callbacks.api.parameters import only, whole
from callbacks.settings.budgets import PATH
from callbacks.settings.resource import Stores
from components import records
from data.access.scope import Scope
from data.budgets.book import budget
from data.budgets.budget import Budget
from data.budgets.crossings import Crossed, crossed
from data.engines.protocol import EventStore

Record = dict[str, Any]
STANDING: Final = (
    "id", "kind", "subject", "name", "period", "days", "zone", "start", "soft", "hard", "spent",
    "share", "level", "projected", "from", "to", "seconds_to_reset",
)  # fmt: skip
CROSSING: Final = (
    "budget", "kind", "subject", "name", "period", "days", "limit", "amount", "at", "user",
    "user_name", "over", "from", "to",
)  # fmt: skip
TOGETHER: Final = 20
LARGEST: Final = 2**63 - 1


def attach(server: Flask, stores: Stores) -> None:
    """Route them on a server."""
    settings, state, store = stores.settings, stores.state, stores.store

    @server.get(f"{PATH}/<int:number>/crossings")
    def crossings(number: int) -> Response:
        only(("limit", "offset"))
        scope, limit, offset = (
            current_scope(),
            whole("limit", 20, 1, 100),
            whole("offset", 0, 0, 10**6),
        )
        found = crossed(budget(state, scope, number), settings.now(), scope, store)
        exact = resolved(found[offset : offset + limit], scope, store)
        return jsonify(crossings=[crossing_as_dict(one) for one in exact], row_count=len(found))

    @server.get(f"{PATH}.csv")
    def standing_file() -> Response:
        only(())
        scope = current_scope()
        held = standings(state, scope, settings.now(), store)
        called = subject_names([one.budget for one in held], [], scope, store)
        lines = [standing_as_dict(one) | {"name": _name(one.budget, called)} for one in held]
        return _file("budgets", STANDING, lines)

    @server.get(f"{PATH}/crossings.csv")
    def crossings_file() -> Response:
        only(("budget",))
        scope = current_scope()
        number = whole("budget", 0, 1, LARGEST) if "budget" in request.args else None
        found = history(state, scope, settings.now(), store, number)
        return _file("crossings", CROSSING, _crossings(found, scope, store))


def _crossings(found: list[Crossed], scope: Scope, store: EventStore) -> Iterator[Record]:
    """Some at a time: the call behind each has to be looked for."""
    for place in range(0, len(found), TOGETHER):
        exact = resolved(found[place : place + TOGETHER], scope, store)
        users = [one.user for one in exact if one.user]
        called = subject_names([one.crossed.budget for one in exact], users, scope, store)
        for one in exact:
            budget = one.crossed.budget
            yield budget.as_dict() | crossing_as_dict(one) | {
                "budget": budget.id, "name": _name(budget, called),
                "amount": budget.as_dict()[one.crossed.limit],
                "user_name": called.get(("user", one.user or ""), one.user),
            }  # fmt: skip


def _name(budget: Budget, called: Names) -> str:
    return called.get((budget.kind, budget.subject), budget.subject)


def _file(name: str, fields: tuple[str, ...], rows: Iterable[Record]) -> Response:
    """A line a row; the first is made before anything is sent, so that a failure is told as one."""
    lines = iter(rows)
    first = next(lines, None)
    told = _lines(fields, lines if first is None else chain([first], lines))
    named = {"Content-Disposition": f'attachment; filename="spendscope-{name}.csv"'}
    return Response(stream_with_context(told), mimetype="text/csv", headers=named)


def _lines(fields: tuple[str, ...], rows: Iterable[Record]) -> Iterator[str]:
    yield _line(fields)
    for row in rows:
        yield _line(records.safe(row[field]) for field in fields)


def _line(cells: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()
