"""The form of a price: what it says, as a price and a re-pricing; previewed, then kept. Nothing is
applied that was not looked at just so."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from dash import ALL, Dash, Input, Output, State, ctx, no_update

from callbacks.settings.resource import Context, HalfSaved, Opening, Shape, Stores, Values, context
from callbacks.settings.resources import named, problem_beside, seen
from components import ids
from components.settings.price_form import FORM, OF_KIND, hidden
from components.settings.price_rows import preview_rows, preview_sentence
from components.settings.resource import Row
from data.errors import Refused, SpendscopeError, Unknown
from data.prices.cost_change import CostChange
from data.prices.own import change, create, entry
from data.repricing.apply import RepricingRequest, parse_request
from data.repricing.apply import apply as reprice
from data.repricing.preview import preview

KEY: Final = "prices"
HISTORY: Final = "price-history"
TITLES: Final = {"price-set": "Set a price", "price-new": "New price",
                 HISTORY: "Re-price history"}  # fmt: skip
# How a re-pricing's fields are called in the form, where a price has its own `from`.
CALLED: Final = {"from": "since", "to": "until", "price": "what"}


def opening(asking: Context, button: str, row: Row) -> Opening:
    """The form by the button that opens it."""
    if button == HISTORY:
        return Opening(TITLES[button], values=FORM.blank | {"what": "history"})
    if button == "price-edit":
        old = entry(asking.state, asking.scope, _number(row.get("id")))
        kind = "rates" if old.rates else "alias" if old.alias else "public"
        known = {name: value for name, value in old.as_dict().items() if value is not None}
        return Opening("Edit price", old.id, FORM.blank | known | {"kind": kind})
    model = row.get("named")
    held = {k: v or "" for k, v in model.items()} if isinstance(model, dict) else {}
    return Opening(TITLES[button], values=FORM.blank | held)


def shape(_: Context, values: Values, button: str) -> dict[str, Shape]:
    """The fields that the kind of price and what becomes of stored calls need."""
    gone = hidden(values.get("kind"), values.get("what"), button != HISTORY)
    return {one.name: Shape(hidden=one.name in gone) for one in FORM.fields}


class Draft(NamedTuple):
    """What the form says: the price, if it is about one, what it replaces, and what becomes of
    stored calls."""

    price: dict[str, Any] | None
    number: int | None
    what: str
    days: dict[str, Any]

    @classmethod
    def of(cls, values: Values, number: Any, button: str) -> Draft:
        """The draft of a form as it stands."""
        kind, what = str(values.get("kind")), str(values.get("what"))
        fields = ("model", "provider", "from", "note", *OF_KIND.get(kind, ()))
        price = {name: values.get(name) for name in fields}
        if kind == "public" and not str(values.get("discount") or "").strip():
            price["discount"] = "0"
        days = {"from": values.get("since"), "to": values.get("until")}
        own = None if button == HISTORY else price
        return cls(own, number, what, days if what == "history" else {})

    @property
    def repricing(self) -> dict[str, Any]:
        """The re-pricing that it asks for."""
        return {"what": self.what} | self.days

    def check(self) -> RepricingRequest | None:
        """The re-pricing, None for none; `Refused` names the field of the form."""
        if self.what == "nothing":
            return None
        try:
            return parse_request(self.repricing)
        except Refused as error:
            raise Refused(CALLED.get(error.parameter, error.parameter), str(error)) from None


def changes(asking: Context, draft: Draft) -> list[CostChange]:
    """What it would change; raises `Refused` naming the field of the form that is wrong."""
    price = {"price": draft.price, "instead_of": draft.number} if draft.price is not None else {}
    if draft.check() is None:
        # Also what changes nothing must be a price.
        preview(asking.state, asking.scope, {"what": "unpriced"} | price, asking.store)
        return []
    return preview(asking.state, asking.scope, draft.repricing | price, asking.store)


def save(asking: Context, number: Any, values: Values) -> int | None:
    """Keep the price, if there is one among it, and have the stored calls follow."""
    draft = Draft.of(values, number, asking.button)
    wanted, kept = draft.check(), _keep(asking, draft)
    if wanted is None:
        return kept
    try:
        own = {} if kept is None else {"price": kept}
        reprice(asking.state, asking.actor, parse_request(draft.repricing | own), asking.store)
    except SpendscopeError as error:
        if kept is None:
            raise
        raise HalfSaved(kept, error) from None
    return kept


def _keep(asking: Context, draft: Draft) -> int | None:
    if draft.price is None:
        return None
    if draft.number is None:
        return create(asking.state, asking.actor, draft.price).id
    return change(asking.state, asking.actor, draft.number, draft.price).id


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unknown("price", "that is no price of this page")
    return value


def register(app: Dash, stores: Stores) -> None:
    """The preview, and that it is old as soon as a field changes."""
    part, field = ids.resource, ids.resource_field
    typed = [Input(field(kind, ALL, KEY), "value") for kind in ("field", "choice")]

    @app.callback(
        Output(ids.PRICE_CHANGES, "children", allow_duplicate=True),
        Output(ids.PRICE_PROJECTS_BOX, "hidden", allow_duplicate=True),
        Output(ids.resource_extra("save", KEY), "disabled", allow_duplicate=True),
        Input(part("edited", KEY), "data"),
        *typed,
        prevent_initial_call=True,
    )
    def stale(*_: Any) -> Any:
        opened = ctx.triggered_id == part("edited", KEY)
        return ("", True, True) if opened else (no_update, no_update, True)

    @app.callback(
        Output(ids.PRICE_CHANGES, "children"),
        Output(ids.PRICE_PROJECTS_BOX, "hidden"),
        Output(ids.PRICE_PROJECTS, "rowData"),
        Output(part("previewed", KEY), "data"),
        Output(ids.resource_extra("save", KEY), "disabled"),
        Output(field("problem", ALL, KEY), "children", allow_duplicate=True),
        Input(ids.PRICE_PREVIEW, "n_clicks"),
        State(part("edited", KEY), "data"),
        *(State(field(kind, ALL, KEY), what)
          for kind in ("field", "choice") for what in ("id", "value")),
        prevent_initial_call=True,
    )  # fmt: skip
    def look(clicks: Any, edited: Any, *held: Any) -> Any:
        if not clicks:
            return no_update
        values = named(held[0], held[1], "field") | named(held[2], held[3], "choice")
        wired = ctx.outputs_list[-1]
        try:
            draft = _draft(values, edited)
            found = changes(context(stores), draft)
        except SpendscopeError as error:
            return "", True, [], None, True, problem_beside(wired, error)
        rows = preview_rows(found)
        said = preview_sentence(found, draft.what)
        return said, not rows, rows, seen(values, edited), False, ["" for _ in wired]


def _draft(values: Values, edited: Any) -> Draft:
    told = edited if isinstance(edited, dict) else {}
    number = told.get("number")
    return Draft.of(values, None if number is None else _number(number), str(told.get("button")))
