"""Prices and re-pricings for scripts, for platform administrators: the sentences of the page."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, Response, jsonify

from callbacks.access.session import current_actor, current_scope
from callbacks.api.parameters import json_object, only, whole
from callbacks.settings import public_prices, public_releases
from data.engines.protocol import EventStore
from data.local_time import instant
from data.prices.entries import Entry
from data.prices.own import change, create, entry, listed, remove
from data.repricing.apply import apply, asked, done, undo
from data.repricing.log import changes_as_dict
from data.repricing.preview import preview
from data.repricing.unpriced import unpriced
from data.settings import Settings
from data.state.store import State

LARGEST_BODY: Final = 16 * 1024
NO_PRICE: Final = "send an object with the fields of what you ask for"
PRICES: Final = "/api/v1/prices"
REPRICINGS: Final = "/api/v1/repricings"
Said = dict[str, Any]


def attach(server: Flask, settings: Settings, state: State, store: EventStore) -> None:
    """Route them on a server."""
    _prices(server, settings, state, store)
    _repricings(server, settings, state, store)
    public_prices.attach(server, settings, store)
    public_releases.attach(server, state, lambda: current_actor(settings), _body)

    @server.post(f"{PRICES}/preview")
    def look() -> Response:
        return jsonify(changes_as_dict(preview(state, current_scope(), _body(), store)))


def _prices(server: Flask, settings: Settings, state: State, store: EventStore) -> None:
    @server.get(PRICES)
    def prices() -> Response:
        only(())
        scope = current_scope()
        held = [_said(one) for one in listed(state, scope)]
        return jsonify(prices=held, unpriced=[one.as_dict() for one in unpriced(scope, store)])

    @server.get(f"{PRICES}/<int:number>")
    def price(number: int) -> Response:
        only(())
        return jsonify(_said(entry(state, current_scope(), number)))

    @server.post(PRICES)
    def make_price() -> tuple[Response, int]:
        return jsonify(_said(create(state, current_actor(settings), _body()))), 201

    @server.put(f"{PRICES}/<int:number>")
    def put_price(number: int) -> Response:
        return jsonify(_said(change(state, current_actor(settings), number, _body())))

    @server.delete(f"{PRICES}/<int:number>")
    def drop_price(number: int) -> tuple[str, int]:
        remove(state, current_actor(settings), number)
        return "", 204


def _repricings(server: Flask, settings: Settings, state: State, store: EventStore) -> None:
    @server.get(REPRICINGS)
    def repricings() -> Response:
        only(("limit",))
        found = done(state, current_scope(), whole("limit", 50, 1, 500))
        return jsonify(repricings=[one.as_dict() for one in found])

    @server.post(REPRICINGS)
    def reprice() -> tuple[Response, int]:
        return jsonify(apply(state, current_actor(settings), asked(_body()), store).as_dict()), 201

    @server.delete(f"{REPRICINGS}/<int:number>")
    def take_back(number: int) -> Response:
        return jsonify(undo(state, current_actor(settings), number, store).as_dict())


def _said(one: Entry) -> Said:
    signed = {"at": instant(one.at).isoformat(), "who": one.who, "name": one.name}
    return {"id": one.id} | one.as_dict() | signed


def _body() -> Said:
    return json_object(LARGEST_BODY, "a price takes at most 16 KB", NO_PRICE)
