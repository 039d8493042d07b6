"""Settings → Prices: models without a price, own prices, re-pricings, the public book."""

from __future__ import annotations

from typing import Any, Final

from callbacks.settings import price_form
from callbacks.settings.public_prices import PUBLIC
from callbacks.settings.public_releases import RELEASES
from callbacks.settings.resource import Context, Found, Page, Resource, Route
from components.settings import prices as cards
from components.settings.price_rows import entry_row, repricing_row, unpriced_row
from data.local_time import instant
from data.prices.entries import Entry
from data.prices.own import change, create, entry, list_prices, remove, require_platform_admin
from data.repricing.apply import apply, list_repricings, parse_request, undo
from data.repricing.log import Repricing
from data.repricing.unpriced import Unpriced, unpriced

TOO_LARGE: Final = "a price takes at most 16 KB"
NO_OBJECT: Final = "send an object with the fields of what you ask for"


def entry_as_dict(one: Entry) -> dict[str, Any]:
    """A price as JSON, with who set it."""
    signed = {"at": instant(one.at).isoformat(), "who": one.who, "name": one.name}
    return {"id": one.id} | one.as_dict() | signed


def _unpriced(asking: Context) -> Found[Unpriced]:
    return Found(unpriced(asking.scope, asking.store))


UNPRICED: Final[Resource[Unpriced]] = Resource(
    cards.UNPRICED, allow=require_platform_admin, read=_unpriced, row=unpriced_row
)
PRICES: Final[Resource[Entry]] = Resource(
    cards.PRICES,
    allow=require_platform_admin,
    read=lambda asking: Found(list_prices(asking.state, asking.scope)),
    row=lambda one, _: entry_row(one),
    one=lambda asking, number: entry(asking.state, asking.scope, number),
    create=lambda asking, values: create(asking.state, asking.actor, values),
    change=lambda asking, number, values: change(asking.state, asking.actor, number, values),
    remove=lambda asking, number: remove(asking.state, asking.actor, number),
    removes="price-delete",
    opens={"price-set": "new", "price-new": "new", "price-edit": "edit", "price-history": "new"},
    opening=price_form.opening,
    shape=price_form.shape,
    save=price_form.save,
    route=Route(
        "/api/v1/prices", "prices", entry_as_dict, too_large=TOO_LARGE, body=NO_OBJECT,
        more=lambda asking: {"unpriced": [one.as_dict() for one in _unpriced(asking).records]},
    ),
)  # fmt: skip
REPRICINGS: Final[Resource[Repricing]] = Resource(
    cards.REPRICINGS,
    allow=require_platform_admin,
    read=lambda asking: Found(list_repricings(asking.state, asking.scope, asking.limit or 100)),
    row=repricing_row,
    create=lambda asking, raw: apply(asking.state, asking.actor, parse_request(raw), asking.store),
    remove=lambda asking, number: undo(asking.state, asking.actor, number, asking.store),
    removes="price-undo",
    route=Route(
        "/api/v1/repricings", "repricings", Repricing.as_dict, page={"limit": (50, 1, 500)},
        too_large=TOO_LARGE, body=NO_OBJECT,
    ),
)  # fmt: skip
PAGE: Final = Page("prices", "Prices", (UNPRICED, PRICES, REPRICINGS, PUBLIC, RELEASES))
