"""Settings → Prices: the public price book, searched, and the price that one model has."""

from __future__ import annotations

from typing import Final

from callbacks.settings.resource import Context, Found, Resource
from components.settings.public_prices import CARD, counted, row, sentence
from data.local_time import instant
from data.prices.own import require_platform_admin
from data.prices.search import Quote, noon, quote, search


def _read(asking: Context) -> Found[Quote]:
    model, provider, at = (asking.search.get(one.name, "") for one in CARD.search)
    scope, when = asking.scope, noon(at, instant(asking.actor.now))
    book = asking.store.book()
    found, count = search(scope, book, f"{provider} {model}", when)
    own = quote(scope, book, provider, model, when)
    note = sentence(own, f"{when:%d %b %Y}") if model.strip() else ""
    return Found(found, said=counted(len(found), count), note=note)


PUBLIC: Final[Resource[Quote]] = Resource(
    CARD, allow=require_platform_admin, read=_read, row=lambda one, _: row(one)
)
