"""Budgets for scripts: the same rights and sentences as the page."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, jsonify

from callbacks.access.session import current_actor, current_scope
from callbacks.analytics.spending import resolved, standings
from callbacks.api import budget_files
from callbacks.api.budget_records import Said, crossing, standing_as_dict
from callbacks.api.parameters import json_object, only, whole
from data.budgets.book import budget, change, create, remove
from data.budgets.crossings import crossed
from data.budgets.spending import standing
from data.engines.protocol import EventStore
from data.settings import Settings
from data.state.audit import Actor
from data.state.store import State

LARGEST_BODY: Final = 64 * 1024
TOO_LARGE: Final = "a budget takes at most 64 KB"
NO_BUDGET: Final = "the body must be an object with the fields of a budget"
PATH: Final = budget_files.PATH
ONE: Final = f"{PATH}/<int:number>"


def attach(server: Flask, settings: Settings, state: State, store: EventStore) -> None:
    """Route them on a server."""
    _reading(server, settings, state, store)
    budget_files.attach(server, settings, state, store)
    _changing(server, settings, state, store)


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
    def actor() -> Actor:
        return current_actor(settings)

    @server.post(PATH)
    def make() -> tuple[Response, int]:
        by = actor()
        made = create(state, by, _body(), store)
        return jsonify(standing_as_dict(standing(made, by.now, by.scope, store))), 201

    @server.patch(ONE)
    def edit(number: int) -> Response:
        by = actor()
        made = change(state, by, number, _body(), store)
        return jsonify(standing_as_dict(standing(made, by.now, by.scope, store)))

    @server.delete(ONE)
    def delete(number: int) -> tuple[str, int]:
        remove(state, actor(), number)
        return "", 204


def _body() -> Said:
    return json_object(LARGEST_BODY, TOO_LARGE, NO_BUDGET, "the body is no JSON")
