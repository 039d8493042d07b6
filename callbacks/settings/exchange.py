"""Settings → Prices: exchange rates; over HTTP, too."""

from __future__ import annotations

from typing import Any, Final

from callbacks.settings.resource import Found, Resource, Route
from components.settings.exchange import CARD
from data.local_time import iso
from data.prices.exchange import ExchangeRate
from data.prices.stated_rates import list_rates, remove_rate, require_platform_reader, state_rate


def rate_as_dict(one: ExchangeRate) -> dict[str, Any]:
    """A rate as JSON, with who stated it."""
    return {"id": one.id} | one.as_dict() | {"at": iso(one.at), "who": one.who}


EXCHANGE_RATES: Final[Resource[ExchangeRate]] = Resource(
    CARD,
    allow=require_platform_reader,
    read=lambda context: Found(list_rates(context.state, context.scope)),
    create=lambda context, values: state_rate(context.state, context.actor, values),
    remove=lambda context, number: remove_rate(context.state, context.actor, number),
    route=Route("/api/v1/exchange-rates", "rates", rate_as_dict),
)
