"""What the price form says, as a price and a re-pricing: read, looked at, kept."""

from __future__ import annotations

from typing import Any, Final

from callbacks.access.session import current_actor
from components.settings import price_form as form
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.errors import Refused, Unknown
from data.prices.cost_change import CostChange
from data.prices.own import change, create
from data.repricing.apply import Asked, asked
from data.repricing.apply import apply as reprice
from data.repricing.preview import preview
from data.settings import Settings
from data.state.store import State as Store

Told = dict[str, Any]
# How a re-pricing's fields are called in the form, where a price has its own `from`.
CALLED: Final = {"from": "since", "to": "until", "price": "what"}


def parse_form(edited: Any, values: tuple[Any, ...]) -> Told:
    """What the form says: the price, what it replaces, and which stored calls follow."""
    edited = edited if isinstance(edited, dict) else {}
    form_ = dict(zip(form.LABELS, values, strict=True))
    kind, what = str(form_["kind"]), str(form_["what"])
    fields = ("model", "provider", "from", "note", *form.OF_KIND.get(kind, ()))
    price = {name: form_[name] for name in fields}
    if kind == "public" and not str(form_["discount"] or "").strip():
        price["discount"] = "0"
    days = {"from": form_["since"], "to": form_["until"]} if what == "history" else {}
    number_ = edited.get("id")
    return {
        "entry": edited.get("entry") is not False, "id": number_ and number(number_),
        "price": price, "what": what, "wish": {"what": what} | days,
    }  # fmt: skip


def looked(state: Store, scope: Scope, told: Told, store: EventStore) -> list[CostChange]:
    """What it would change; raises `Refused` naming the field of the form that is wrong."""
    price = {"price": told["price"], "instead_of": told["id"]} if told["entry"] else {}
    if told["what"] == "nothing":
        # Also what changes nothing must be a price.
        preview(state, scope, {"what": "unpriced"} | price, store)
        return []
    _wish(told["wish"])
    return preview(state, scope, told["wish"] | price, store)


def keep(settings: Settings, state: Store, told: Told) -> int | None:
    """Keep the price, if there is one among it; its number."""
    if told["what"] != "nothing":
        _wish(told["wish"])
    if not told["entry"]:
        return None
    mine, edited = current_actor(settings), told["id"]
    kept = change(state, mine, edited, told["price"]) if edited else create(
        state, mine, told["price"])  # fmt: skip
    return kept.id


def follow(
    settings: Settings, state: Store, told: Told, kept: int | None, store: EventStore
) -> None:
    """Have the stored calls follow."""
    if told["what"] != "nothing":
        wish = told["wish"] | ({} if kept is None else {"price": kept})
        reprice(state, current_actor(settings), asked(wish), store)


def _wish(raw: Told) -> Asked:
    try:
        return asked(raw)
    except Refused as error:
        raise Refused(CALLED.get(error.parameter, error.parameter), str(error)) from None


def number(value: Any) -> int:
    """The number of a price that came back from a browser, and so may be anything."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unknown("price", "that is no price of this page")
    return value
