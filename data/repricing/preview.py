"""What a re-pricing would change, before it does; also by a price that is not kept yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.errors import Refused
from data.prices.cost_change import CostChange
from data.prices.own import entry, refuse, supposed
from data.repricing.apply import asked, change_of
from data.state.store import State


def preview(
    state: State, scope: Scope, raw: Mapping[str, Any], store: EventStore
) -> list[CostChange]:
    """The changes by project. `raw` is a re-pricing; its `price` is a number, nothing (the whole
    book), or the fields of a price to be, which may come `instead_of` one that is kept."""
    refuse(scope)
    price, rest = raw.get("price"), dict(raw)
    if not isinstance(price, Mapping):
        wish, book = asked(raw), store.book()
        said = None if wish.price is None else entry(state, scope, wish.price)
    else:
        del rest["price"]
        said, book = supposed(state, scope, price, _number(rest.pop("instead_of", None)))
        wish = asked(rest)
    return store.reprice(change_of(wish, said, book, scope, store), None)


def _number(value: Any) -> int:
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused("instead_of", "name the price by its number")
    return value
