"""Settings → Prices: models without a price, own prices, re-pricings, the public book and its
releases; over HTTP, too."""

from __future__ import annotations

from typing import Any, Final

from callbacks.settings import price_form
from callbacks.settings.exchange import EXCHANGE_RATES
from callbacks.settings.resource import Context, Found, Opening, Page, Resource, Route, Values
from components.settings import prices as cards
from components.settings import public_prices as book_cards
from components.settings.public_prices import counted, release_detail, sentence
from components.settings.resource import Row
from data.events.table import micros
from data.local_time import instant, iso
from data.prices.entries import Entry
from data.prices.own import change, create, entry, list_prices, remove, require_platform_reader
from data.prices.releases import StoredRelease, list_releases, move
from data.prices.search import Quote, noon, quote, search
from data.repricing.apply import apply, list_repricings, parse_request, undo
from data.repricing.log import Repricing, changes_as_dict
from data.repricing.preview import preview
from data.repricing.unpriced import Unpriced, unpriced

PATH: Final = "/api/v1/prices"


# --- own prices, and what has none


def entry_as_dict(one: Entry) -> dict[str, Any]:
    """A price as JSON, with who set it."""
    signed = {"at": iso(one.at), "who": one.who, "name": one.name}
    return {"id": one.id} | one.as_dict() | signed


def _own(context: Context) -> Found[Entry]:
    def more() -> dict[str, Any]:
        return {"unpriced": [one.as_dict() for one in _unpriced(context).records]}

    return Found(list_prices(context.state, context.scope), more=more)


def _unpriced(context: Context) -> Found[Unpriced]:
    return Found(unpriced(context.scope, context.store))


def _unpriced_row(one: Unpriced, _zone: str) -> Row:
    """What the form of a price begins with."""
    day = instant(one.first).date().isoformat()
    named = {"model": one.model, "provider": one.provider, "service_tier": one.tier}
    return {"priced": named | {"from": day}}


def _preview(context: Context, values: Values) -> dict[str, Any]:
    return changes_as_dict(preview(context.state, context.scope, values, context.store))


UNPRICED: Final[Resource[Unpriced]] = Resource(
    cards.UNPRICED, allow=require_platform_reader, read=_unpriced, row=_unpriced_row
)
PRICES: Final[Resource[Entry]] = Resource(
    cards.PRICES,
    allow=require_platform_reader,
    read=_own,
    one=lambda context, number: entry(context.state, context.scope, number),
    create=lambda context, values: create(context.state, context.actor, values),
    change=lambda context, number, values: change(context.state, context.actor, number, values),
    remove=lambda context, number: remove(context.state, context.actor, number),
    opening=price_form.opening,
    save=price_form.save,
    route=Route(
        PATH,
        "prices",
        entry_as_dict,
        posts={"preview": _preview},
    ),
)


# --- re-pricings


def _reprice(context: Context, values: Values) -> Repricing:
    return apply(context.state, context.actor, parse_request(values), context.store)


REPRICINGS: Final[Resource[Repricing]] = Resource(
    cards.REPRICINGS,
    allow=require_platform_reader,
    read=lambda context: Found(list_repricings(context.state, context.scope, context.limit or 100)),
    row=lambda one, _: {"undone": one.reverted_at is not None},
    create=_reprice,
    remove=lambda context, number: undo(context.state, context.actor, number, context.store),
    route=Route(
        "/api/v1/repricings", "repricings", Repricing.as_dict, page={"limit": (50, 1, 500)}
    ),
)


# --- the public book


def _search(context: Context) -> Found[Quote]:
    """Models of the public book, and the price of the model that is named, whoever says so."""
    model, provider, at = (context.search.get(one.name, "") for one in book_cards.PUBLIC.search)
    scope, when = context.scope, noon(at, instant(context.actor.now))
    book = context.store.book().shown
    found, count = search(scope, book, f"{provider} {model}", when)
    own = quote(scope, book, provider, model, when) if model.strip() else None

    def more() -> dict[str, Any]:
        release = book.public.at(micros(when)).name
        return {"release": release, "count": count, "price": own and own.as_dict()}

    note = sentence(own, f"{when:%d %b %Y}") if own else ""
    return Found(found, sentence=counted(len(found), count), note=note, more=more)


def _opening(_: Context, _button: str, row: Row) -> Opening:
    """The day from which a release holds; that of the first is none to set."""
    return Opening(book_cards.RELEASES.number_of(row), {"from": row.get("from")})


PUBLIC: Final[Resource[Quote]] = Resource(
    book_cards.PUBLIC,
    allow=require_platform_reader,
    read=_search,
    route=Route(f"{PATH}/public", "models", Quote.as_dict),
)
RELEASES: Final[Resource[StoredRelease]] = Resource(
    book_cards.RELEASES,
    allow=require_platform_reader,
    read=lambda context: Found(list_releases(context.state, context.scope)),
    row=lambda one, _: {"first": one.first, "detail": release_detail(one)},
    change=lambda context, number, values: move(context.state, context.actor, number, values),
    opening=_opening,
    route=Route(f"{PATH}/releases", "releases", StoredRelease.as_dict),
)
PAGE: Final = Page(
    "prices", "Prices", (UNPRICED, PRICES, REPRICINGS, EXCHANGE_RATES, PUBLIC, RELEASES)
)
