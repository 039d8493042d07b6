"""The page about one user, project, model or assistant: the sections of its tab, asked about it.

What a reader sees nothing of has no page, be it there or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from decimal import Decimal
from typing import Any, Final

from dash import html

from callbacks.access.session import current_scope
from callbacks.analytics.filter_state import PageState, filters_of
from callbacks.stores import Stores
from components.page import about, layout, recent
from components.page.headline import Reader
from components.page.views import views
from components.sections.section import Tab
from components.settings.prices import SHORT, rate
from data.errors import Refused, Unknown
from data.local_time import instant
from data.prices.search import dollars
from data.query.facts import Facts, facts, main_provider
from data.query.filters import spell_about

OWN: Final = "your own activity"
# Of a person or a project that a project admin sees in part.
IN_PART: Final = {"user": "what happened in projects you administer", "project": OWN}
SHOWN: Final = ("input", "cached_input", "output")


def page(tab: Tab, value: str, arrived: PageState, reader: Reader, stores: Stores) -> html.Div:
    """The page about a value, below the tab of its field; raises `Unknown` where there is none."""
    found = facts(tab.of, value, current_scope(), stores.store) if tab.of else None
    if found is None:
        raise Unknown("page", "there is no such page")
    of = spell_about([(tab.of, found.value)])["of"]
    head = about.head(tab, found, zone_of(arrived.state), tuple(_more(found, reader, stores)))
    sections = layout.analytics(tab.page(), reader, views(arrived.search), of)
    return html.Div([head, sections, recent.card(of)])


def zone_of(state: Any) -> str:
    """The zone of the filters, as far as they can be read."""
    try:
        return filters_of(state).window.zone
    except Refused:
        return "UTC"


def _more(found: Facts, reader: Reader, stores: Stores) -> Iterator[tuple[str, str]]:
    """How much of it this reader sees, and of a model its price, for who may see prices."""
    if reader.alone:
        yield "Shown", OWN
    elif not current_scope().sees_all_of(found.field, found.value):
        yield "Shown", IN_PART.get(found.field, f"{OWN}, and that of projects you administer")
    if found.field == "model" and "prices" in reader.settings and (text := _price(found, stores)):
        yield "Per million tokens", text


def _price(found: Facts, stores: Stores) -> str:
    """What a model costs now, of the provider that most of its calls went to."""
    provider = main_provider(found.value, current_scope(), stores.store)
    now = instant(stores.settings.now(), "UTC").astimezone(UTC)
    rates = stores.store.book().shown.rates(provider, found.value, now)
    prices = dollars(rates) if rates else {}
    return " · ".join(
        f"{rate(Decimal(prices[name]))} {SHORT[name]}" for name in SHOWN if name in prices
    )
