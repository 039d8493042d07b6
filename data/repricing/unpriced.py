"""The models whose calls have no price: why, how many, with how many tokens, since when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.events.reasons import NO_RATE
from data.events.table import TIERS
from data.local_time import instant
from data.prices.own import require_platform_reader
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.series import or_none
from data.query.windows import ALL_TIME

METRICS: Final = ("tokens", "requests", "first_event", "last_event")
WHERE: Final = (("kind", ("llm",)), ("cost_origin", ("unpriced",)))
LISTED: Final = Query(
    METRICS,
    ("provider", "model", "unpriced_reason"),
    Filters(ALL_TIME),
    order=(("tokens", True),),
    where=WHERE,
)


@dataclass(frozen=True, slots=True)
class Unpriced:
    """A model with calls that used tokens and have no price for one reason; instants are µs UTC."""

    provider: str | None
    model: str | None
    reason: str | None
    requests: int
    tokens: int
    first: int
    last: int

    @property
    def tier(self) -> str:
        """The service tier that has no rate, if that is why."""
        name = (self.reason or "").removeprefix(NO_RATE)
        return name if name in TIERS else ""

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON says it."""
        named = {"provider": self.provider, "model": self.model, "reason": self.reason}
        days = {"first": instant(self.first).isoformat(), "last": instant(self.last).isoformat()}
        return named | {"requests": self.requests, "tokens": self.tokens} | days


def unpriced(scope: Scope, store: EventStore, source: str | None = None) -> list[Unpriced]:
    """Those models, of all sources or of one, the most tokens first; calls that tell no token
    cannot be priced at all."""
    require_platform_reader(scope)
    where = WHERE if source is None else (*WHERE, ("source", (source,)))
    frame = run(replace(LISTED, where=where), scope, store)
    rows = frame[frame["tokens"].fillna(0) > 0].to_dict("records")
    return [_read(row) for row in rows]


def _read(row: dict[Any, Any]) -> Unpriced:
    requests, tokens, first, last = (
        int(row[name]) for name in ("requests", "tokens", "first_event", "last_event")
    )
    provider, model, reason = (
        or_none(row[name]) for name in ("provider", "model", "unpriced_reason")
    )
    return Unpriced(provider, model, reason, requests, tokens, first, last)
