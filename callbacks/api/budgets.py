"""Budgets and the audit trail for scripts: the same rights and sentences as the page."""

from __future__ import annotations

from typing import Final

import orjson
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from callbacks.access.session import current_person, current_scope
from callbacks.analytics.spending import resolved, standings
from callbacks.api import budget_files
from callbacks.api.budget_records import Said, crossing, iso, standing_as_dict
from callbacks.api.parameters import only, whole
from data.budgets.book import budget, change, create, remove
from data.budgets.crossings import crossed
from data.budgets.spending import standing
from data.engines.protocol import EventStore
from data.errors import Refused
from data.settings import Settings
from data.state import audit
from data.state.audit import Actor
from data.state.store import State

LARGEST_BODY: Final = 64 * 1024
PATH: Final = budget_files.PATH
ONE: Final = f"{PATH}/<int:number>"


def attach(server: Flask, settings: Settings, state: State, store: EventStore) -> None:
    """Route them on a server."""
    _reading(server, settings, state, store)
    budget_files.attach(server, settings, state, store)
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
        return jsonify(budgets=[standing_as_dict(one) for one in held])

    @server.get(ONE)
    def one(number: int) -> Response:
        only(())
        scope = current_scope()
        held = standing(budget(state, scope, number), settings.now(), scope, store)
        return jsonify(standing_as_dict(held))

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
        return jsonify(crossings=[crossing(each) for each in exact], row_count=len(found))


def _changing(server: Flask, settings: Settings, state: State, store: EventStore) -> None:
    def hand() -> Actor:
        person = current_person()
        return Actor(person.scope, person.name, settings.now())

    @server.post(PATH)
    def make() -> tuple[Response, int]:
        mine = hand()
        made = create(state, mine, _body(), store)
        return jsonify(standing_as_dict(standing(made, mine.now, mine.scope, store))), 201

    @server.patch(ONE)
    def edit(number: int) -> Response:
        mine = hand()
        made = change(state, mine, number, _body(), store)
        return jsonify(standing_as_dict(standing(made, mine.now, mine.scope, store)))

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


def _entry(one: audit.Entry) -> Said:
    return {
        "id": one.id, "at": iso(one.at, "UTC"), "who": one.who, "name": one.name,
        "action": one.action, "thing": one.thing, "before": one.before, "after": one.after,
    }  # fmt: skip
