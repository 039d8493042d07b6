"""Budgets and the audit trail for scripts: the same rights and sentences as the page."""

from __future__ import annotations

from typing import Any, Final

import orjson
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from callbacks.api import only, whole
from callbacks.session import current_person, current_scope
from callbacks.spending import dollars, resolved, standings
from data import audit
from data.audit import Hand
from data.budget_book import budget, change, create, remove
from data.budget_crossings import Crossing, crossed
from data.budget_spending import Standing, standing
from data.engines import EventStore
from data.errors import Refused
from data.local_time import instant
from data.settings import Settings
from data.state import State

LARGEST_BODY: Final = 64 * 1024
PATH: Final = "/api/v1/budgets"
ONE: Final = f"{PATH}/<int:number>"
Said = dict[str, Any]


def attach(server: Flask, settings: Settings, state: State, store: EventStore) -> None:
    """Route them on a server."""
    _reading(server, settings, state, store)
    _changing(server, settings, state, store)

    @server.get("/api/v1/audit")
    def trail() -> Response:
        only(("limit", "offset"))
        scope = current_scope()
        limit, offset = whole("limit", 50, 1, 500), whole("offset", 0, 0, 10**9)
        found = audit.entries(state, scope, limit, offset)
        told = [_entry(one) for one in found]
        return jsonify(entries=told, row_count=audit.count(state, scope))


def _reading(server: Flask, settings: Settings, state: State, store: EventStore) -> None:
    @server.get(PATH)
    def budgets() -> Response:
        only(())
        held = standings(state, current_scope(), settings.now(), store)
        return jsonify(budgets=[_said(one) for one in held])

    @server.get(ONE)
    def one(number: int) -> Response:
        only(())
        scope = current_scope()
        held = standing(budget(state, scope, number), settings.now(), scope, store)
        return jsonify(_said(held))

    @server.get(f"{ONE}/crossings")
    def crossings(number: int) -> Response:
        only(("limit", "offset"))
        scope, limit, offset = (
            current_scope(),
            whole("limit", 20, 1, 100),
            whole("offset", 0, 0, 10**6),
        )
        found = crossed(budget(state, scope, number), settings.now(), scope, store)
        exact = resolved(found[offset : offset + limit], scope, store)
        return jsonify(crossings=[_crossing(each) for each in exact], row_count=len(found))


def _changing(server: Flask, settings: Settings, state: State, store: EventStore) -> None:
    def hand() -> Hand:
        person = current_person()
        return Hand(person.scope, person.name, settings.now())

    @server.post(PATH)
    def make() -> tuple[Response, int]:
        mine = hand()
        made = create(state, mine, _body(), store)
        return jsonify(_said(standing(made, mine.now, mine.scope, store))), 201

    @server.patch(ONE)
    def edit(number: int) -> Response:
        mine = hand()
        made = change(state, mine, number, _body(), store)
        return jsonify(_said(standing(made, mine.now, mine.scope, store)))

    @server.delete(ONE)
    def delete(number: int) -> tuple[str, int]:
        remove(state, hand(), number)
        return "", 204


def _body() -> Said:
    request.max_content_length = LARGEST_BODY
    try:
        told = orjson.loads(request.get_data(cache=False))
    except RequestEntityTooLarge:
        raise Refused("body", f"a budget takes at most {LARGEST_BODY // 1024} KB") from None
    except orjson.JSONDecodeError:
        raise Refused("body", "the body is no JSON") from None
    if not isinstance(told, dict):
        raise Refused("body", "the body must be an object with the fields of a budget")
    return told


def _said(one: Standing) -> Said:
    budget, period = one.budget, one.period
    return {
        "id": budget.id, **budget.said(), "spent": dollars(one.spent), "share": one.share,
        "level": one.level, "projected": dollars(one.projected),
        "from": _iso(period.start, budget.zone), "to": _iso(period.end, budget.zone),
        "seconds_to_reset": max(0, one.left) // 1_000_000,
    }  # fmt: skip


def _crossing(one: Crossing) -> Said:
    found, zone = one.crossed, one.crossed.budget.zone
    return {
        "limit": found.limit, "at": _iso(one.at, zone), "user": one.user,
        "over": dollars(found.over), "from": _iso(found.period.start, zone),
        "to": _iso(found.period.end, zone),
    }  # fmt: skip


def _entry(one: audit.Entry) -> Said:
    return {
        "id": one.id, "at": _iso(one.at, "UTC"), "who": one.who, "name": one.name,
        "action": one.action, "thing": one.thing, "before": one.before, "after": one.after,
    }  # fmt: skip


def _iso(us: int, zone: str) -> str:
    return instant(us, zone).isoformat()
