"""Prices for scripts, beside the settings resources: the public book, and previews."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, jsonify, request

from callbacks.access.session import current_scope
from callbacks.api.parameters import json_object, only
from callbacks.settings.prices import NO_OBJECT, TOO_LARGE
from callbacks.settings.resource import LARGEST_BODY, Stores
from data.events.table import micros
from data.local_time import instant
from data.prices.search import noon, quote, search
from data.repricing.log import changes_as_dict
from data.repricing.preview import preview

PATH: Final = "/api/v1/prices"


def attach(server: Flask, stores: Stores) -> None:
    """Route them on a server."""
    settings, state, store = stores.settings, stores.state, stores.store

    @server.get(f"{PATH}/public")
    def public_prices() -> Response:
        """`?model=&provider=&at=`: the price a model has on a day, and what is called so."""
        only(("model", "provider", "at"))
        model, provider, at = (request.args.get(n, "") for n in ("model", "provider", "at"))
        scope, when = current_scope(), noon(at, instant(settings.now()))
        book = store.book()
        found, count = search(scope, book, f"{provider} {model}", when)
        held = quote(scope, book, provider, model, when).as_dict() if model.strip() else None
        release = book.public.at(micros(when)).name
        return jsonify(
            release=release, price=held, count=count, models=[x.as_dict() for x in found]
        )

    @server.post(f"{PATH}/preview")
    def preview_price() -> Response:
        body = json_object(LARGEST_BODY, TOO_LARGE, NO_OBJECT)
        return jsonify(changes_as_dict(preview(state, current_scope(), body, store)))
