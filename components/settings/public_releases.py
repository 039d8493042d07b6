"""Settings → Prices: the releases of the public book, each from a day on, and what each changed."""

from __future__ import annotations

from typing import Final

import dash_bootstrap_components as dbc
from dash import html

from components import ids
from components.settings.cards import Columns, Row, button, card, pair, table
from data.prices.releases import StoredRelease
from data.query.units import COUNT, DASH, moment

KEY: Final = "releases"
COLUMNS: Final[Columns] = (
    ("name", "Release"), ("from", "Holds from"), ("models", "Models"), ("added", "New"),
    ("changed", "Changed"), ("at", "Taken in"),
)  # fmt: skip
HELP: Final = (
    "A new release comes with an upgrade and holds from the next day on. Choose one to see what it"
    " changed, or to have it hold from another day; stored calls keep their cost until they are"
    " re-priced."
)
EMPTY: Final = "The installed release holds; the next start takes it in."
FIRST: Final = "the beginning"
FIRST_TOLD: Final = "The first release holds for all time before the next one."
NAMED: Final = 8


def section() -> html.Section:
    """The card, empty: a callback fills it."""
    field = html.Div([
        html.Label("Hold from (UTC)", htmlFor=ids.house("release-from")),
        dbc.Input(id=ids.house("release-from"), type="date", value="", disabled=True),
    ])  # fmt: skip
    told = html.P(id=ids.house("release-told"), className="price-seen", role="status",
                  **ids.testid("release-told"))  # fmt: skip
    move = button("release-move", "Set the day", disabled=True)
    # There is nothing to set while the first release is the only one.
    form = html.Div([field, move], id=ids.house("release-form"), className="key-form", hidden=True)
    return card(KEY, "Releases of the public book", HELP, [], [*table(KEY, COLUMNS), form, told])


def row(one: StoredRelease, zone: str) -> Row:
    """A release."""
    counts = {"models": one.models, "added": len(one.added), "changed": len(one.changed)}
    return {
        "id": one.id, "told": changes(one), "first": one.first,
        **pair("name", one.name, one.name), **pair("from", one.start or "", one.start or FIRST),
        **{k: v for name, n in counts.items() for k, v in _count(name, n, one.first).items()},
        **pair("at", one.at, moment(one.at, zone)),
    }  # fmt: skip


def _count(name: str, number: int, first: bool) -> Row:
    # The first release has nothing before it.
    return pair(name, number, DASH if first and name != "models" else COUNT.text(number))


def changes(one: StoredRelease) -> str:
    """What a release changed, in a sentence; empty for the first."""
    if one.first:
        return ""
    parts = [_named("changed", one.changed), _named("new", one.added)]
    parts.append(_named("no longer listed", one.dropped))
    said = "; ".join(part for part in parts if part)
    return f"{one.name}: {said}." if said else f"{one.name} changed no price."


def moved(one: StoredRelease) -> str:
    """What is said of a release whose day was set."""
    told = "Re-price history to have stored calls follow it."
    return f"{one.name} holds from {one.start} on. {told}"


def _named(what: str, names: tuple[str, ...]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{len(names):,} {what}: {', '.join(names[:NAMED])}{more}"
