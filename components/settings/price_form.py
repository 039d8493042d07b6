"""The form of a price: for which models, how much, and what it changes before it does."""

from __future__ import annotations

from typing import Any, Final

from dash import html

from components import ids
from components.settings.draw import grid
from components.settings.resource import Column, Field, Form, Row, cells
from data.events.money import in_dollars
from data.events.table import TIERS
from data.prices.cost_change import CostChange
from data.prices.entries import RATES
from data.query.units import COUNT, USD
from data.repricing.log import totals

KINDS: Final = {
    "rates": "Own rates",
    "alias": "The public price of another model",
    "public": "Its public price, with a discount",
}
WHATS: Final = {
    "unpriced": "Price calls without a price",
    "history": "Re-price history from a day on",
    "nothing": "Leave stored calls as they are",
}
# Where a rate is blank.
RATE_HINTS: Final = {
    "cached_input": "as input", "cache_write": "as input", "cache_write_1h": "as cache write",
    "input_audio": "as input", "input_image": "as input", "output_audio": "as output",
    "output_image": "as output", "web_searches": "none: calls that searched stay unpriced",
}  # fmt: skip
RATE_UNITS: Final = {"web_searches": "($ per thousand)", "request": "($)"}
TIERS_OFFERED: Final = {"": "Any (rates: the standard one)", **{tier: tier for tier in TIERS}}
ANY_KIND: Final = {"kind": tuple(KINDS)}  # of none, calls are re-priced by the present book
HISTORY: Final = {"what": ("history",)}
CHANGES: Final = (
    Column("project", "Project", 70, 2, of=lambda one: one.name or one.project, blank="(none)"),
    Column("events", "Calls", 70, unit=COUNT),
    Column("before", "Before", 70, unit=USD),
    Column("after", "After", 70, unit=USD),
)
UNTOUCHED: Final = (
    " Calls with a reported cost stay as they are, without a list cost beside it where they have"
    " none: re-pricing history gives them one."
)


def _preview_button() -> list[Any]:
    return [html.Button("Preview", id=ids.PRICE_PREVIEW, className="toggle",
                        **ids.testid(ids.PRICE_PREVIEW), **{"aria-pressed": "false"})]  # fmt: skip


def _preview() -> list[Any]:
    """What a preview says: of all projects together, and one by one."""
    whole = html.P(id=ids.PRICE_CHANGES, className="price-seen", role="status",
                   **ids.testid("price-seen"))  # fmt: skip
    projects = grid(ids.PRICE_PROJECTS, CHANGES, {"pagination": False})
    return [whole, html.Div(projects, id=ids.PRICE_PROJECTS_BOX, hidden=True)]


def _rate(name: str, label: str) -> Field:
    unit = RATE_UNITS.get(name, "($ per million)")
    return Field(name, f"{label} {unit}", "decimal", RATE_HINTS.get(name, ""),
                 when={"kind": ("rates",)}, class_name="rate")  # fmt: skip


FORM: Final = Form(
    fields=(
        Field("model", "Model, or a pattern like our-*", when=ANY_KIND),
        Field("provider", "Provider (empty: any)", hint="any", when=ANY_KIND),
        Field("service_tier", "Service tier", "choice", options=TIERS_OFFERED, when=ANY_KIND),
        Field("from", "Effective from (UTC)", "date", when=ANY_KIND),
        Field("kind", "Price", "choice", options=KINDS, when=ANY_KIND, initial="rates"),
        *(_rate(name, label) for name, label in RATES.items()),
        Field("alias", "As the public price of", hint="openai/gpt-4o", when={"kind": ("alias",)}),
        Field("discount", "Discount off the public price (%)", "decimal",
              when={"kind": ("alias", "public")}),
        Field("note", "Note (optional)", when=ANY_KIND),
        Field("what", "Stored calls", "choice", options=WHATS, initial="unpriced"),
        Field("since", "Re-price from (UTC)", "date", when=HISTORY),
        Field("until", "Re-price to (inclusive, optional)", "date", when=HISTORY),
    ),
    save="Apply", save_key="price-apply", drawer=True, previewed=True,
    buttons=_preview_button, more=_preview,
)  # fmt: skip


# --- what a preview says


def preview_sentence(changes: list[CostChange], what: str) -> str:
    """What a preview says of all projects together."""
    if what not in ("unpriced", "history"):
        return "No stored call changes; the price holds for what arrives from now on."
    whole = totals(changes)
    if not whole["events"] and not whole["compared"]:
        return "No stored call changes: 0 events."
    before, after = (USD.text(in_dollars(whole[name])) for name in ("before", "after"))
    calls = COUNT.text(whole["events"])
    text = f"{calls} call{'' if whole['events'] == 1 else 's'}: {before} → {after}."
    if whole["compared"]:
        text += f" The list cost beside {COUNT.text(whole['compared'])} reported ones follows."
    elif what == "unpriced":
        text += UNTOUCHED
    return f"{WHATS[what]}. {text}"


def preview_rows(changes: list[CostChange]) -> list[Row]:
    """The same, project by project."""
    return [cells(CHANGES, one) for one in changes]
