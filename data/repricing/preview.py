"""What a re-pricing would change, before it does; also by a price that is not kept yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.errors import Refused
from data.prices.cost_change import CostChange
from data.prices.own import entry, require_platform_admin, with_draft
from data.repricing.apply import parse_request, rate_change
from data.state.store import State


def preview(
    state: State, scope: Scope, raw: Mapping[str, Any], store: EventStore
) -> list[CostChange]:
    """The changes by project. `raw` is a re-pricing; its `price` is a number, nothing (the whole
    book), or the fields of a price to be, which may come `instead_of` one that is kept."""
    require_platform_admin(scope)
    price, rest = raw.get("price"), dict(raw)
    if not isinstance(price, Mapping):
        request, book = parse_request(raw), store.book().shown
        own = None if request.price is None else entry(state, scope, request.price)
    else:
        del rest["price"]
        own, book = with_draft(state, scope, price, _number(rest.pop("instead_of", None)))
        request = parse_request(rest)
    return store.reprice(rate_change(request, own, book, scope, store), None)


def _number(value: Any) -> int:
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused("instead_of", "name the price by its number")
    return value
