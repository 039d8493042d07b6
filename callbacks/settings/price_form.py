"""The form of a price: what it says, as a price and a re-pricing; previewed, then kept. Nothing is
applied that was not looked at just so."""

from __future__ import annotations

from typing import Any, Final

from dash import ALL, Dash, Input, Output, ctx

from callbacks.settings.browser import answer, form_values, problems, states
from callbacks.settings.forms import number_edited, preview_of
from callbacks.settings.resource import (
    Context,
    HalfSaved,
    Opening,
    Values,
    current_context,
)
from callbacks.stores import Stores
from components import ids
from components.settings.price_form import FORM, preview_rows, preview_sentence
from components.settings.prices import PRICES
from components.settings.resource import Row
from data.errors import Refused, SpendscopeError
from data.prices.cost_change import CostChange
from data.prices.entries import FIELDS
from data.prices.own import change, create, entry
from data.repricing.apply import apply as reprice
from data.repricing.apply import parse_request
from data.repricing.preview import preview

KEY: Final = PRICES.key
# How a re-pricing's fields are called in the form, where a price has its own `from`.
IN_FORM: Final = {"from": "since", "to": "until", "price": "what"}


def opening(context: Context, button: str, row: Row) -> Opening:
    """The form by the button that opens it."""
    if button == "price-history":
        return Opening(values={"kind": "", "what": "history"})
    if button == "price-edit":
        old = entry(context.state, context.scope, PRICES.number_of(row))
        kind = "rates" if old.rates else "alias" if old.alias else "public"
        return Opening(old.id, old.as_dict() | {"kind": kind})
    model = row.get("priced")
    return Opening(values=model if isinstance(model, dict) else {})


def price_of(values: Values) -> dict[str, Any] | None:
    """The price that the form describes, None where calls are re-priced by the present book."""
    if not values.get("kind"):
        return None
    present = FORM.present(values)
    price = {name: values.get(name) for name in FIELDS if present[name]}
    if values["kind"] == "public" and not str(values.get("discount") or "").strip():
        price["discount"] = "0"
    return price


def repricing_of(values: Values) -> dict[str, Any] | None:
    """What becomes of stored calls, None for nothing; `Refused` names the field of the form."""
    what = str(values.get("what"))
    if what == "nothing":
        return None
    days = {"from": values.get("since"), "to": values.get("until")} if what == "history" else {}
    try:
        parse_request({"what": what} | days)
    except Refused as error:
        raise Refused(IN_FORM.get(error.parameter, error.parameter), str(error)) from None
    return {"what": what} | days


def changes(context: Context, values: Values, number: Any) -> list[CostChange]:
    """What it would change; raises `Refused` naming the field of the form that is wrong."""
    repricing, price = repricing_of(values), price_of(values)
    draft = {} if price is None else {"price": price, "instead_of": number}
    # Also what changes nothing must be a price.
    request = (repricing or {"what": "unpriced"}) | draft
    found = preview(context.state, context.scope, request, context.store)
    return found if repricing else []


def save(context: Context, number: Any, values: Values) -> int | None:
    """Keep the price, if there is one among it, and have the stored calls follow."""
    repricing, price = repricing_of(values), _keep(context, number, price_of(values))
    if repricing is None:
        return price
    own = {} if price is None else {"price": price}
    try:
        reprice(context.state, context.actor, parse_request(repricing | own), context.store)
    except SpendscopeError as error:
        if price is None:
            raise
        raise HalfSaved(price, error) from None
    return price


def _keep(context: Context, number: Any, price: dict[str, Any] | None) -> int | None:
    if price is None:
        return None
    if number is None:
        return create(context.state, context.actor, price).id
    return change(context.state, context.actor, number, price).id


def register(app: Dash, stores: Stores) -> None:
    """The preview, and that it is old as soon as a field changes."""
    _outdating(app)
    _previewing(app, stores)


def _outdating(app: Dash) -> None:
    texts, choices = (ids.resource_field(kind, ALL, KEY) for kind in ("field", "choice"))
    edited = ids.resource("edited", KEY)

    @app.callback(
        output={
            "sentence": Output(ids.PRICE_CHANGES, "children", allow_duplicate=True),
            "no_rows": Output(ids.PRICE_PROJECTS_BOX, "hidden", allow_duplicate=True),
            "unusable": Output(ids.resource_extra("save", KEY), "disabled", allow_duplicate=True),
        },
        inputs={
            "_edited": Input(edited, "data"),
            "_texts": Input(texts, "value"),
            "_choices": Input(choices, "value"),
        },
        prevent_initial_call=True,
    )
    def outdate(**_: Any) -> dict[str, Any]:
        if ctx.triggered_id == edited:
            return answer(unusable=True, sentence="", no_rows=True)
        return answer(unusable=True)


def _previewing(app: Dash, stores: Stores) -> None:
    part, problem = ids.resource, ids.resource_field("problem", ALL, KEY)

    @app.callback(
        output={
            "sentence": Output(ids.PRICE_CHANGES, "children"),
            "no_rows": Output(ids.PRICE_PROJECTS_BOX, "hidden"),
            "rows": Output(ids.PRICE_PROJECTS, "rowData"),
            "previewed": Output(part("previewed", KEY), "data"),
            "unusable": Output(ids.resource_extra("save", KEY), "disabled"),
            "problem": Output(problem, "children", allow_duplicate=True),
        },
        inputs={"clicks": Input(ids.PRICE_PREVIEW, "n_clicks")},
        state=states("edited", "fields", key=KEY),
        prevent_initial_call=True,
    )
    def look(clicks: Any, edited: Any, fields: Any) -> dict[str, Any]:
        if not clicks:
            return answer()
        return answer(**_previewed(current_context(stores), form_values(fields), edited))


def _previewed(context: Context, values: Values, edited: Any) -> dict[str, Any]:
    """What the form says of its preview, or what is wrong with its fields."""
    try:
        found = changes(context, values, number_edited(PRICES, edited))
    except SpendscopeError as error:
        return {"sentence": "", "no_rows": True, "rows": [], "previewed": None, "unusable": True,
                "problem": problems(FORM, error)}  # fmt: skip
    rows, what = preview_rows(found), str(values.get("what"))
    return {
        "sentence": preview_sentence(found, what), "no_rows": not rows, "rows": rows,
        "previewed": preview_of(values, edited), "unusable": False, "problem": problems(FORM),
    }  # fmt: skip
