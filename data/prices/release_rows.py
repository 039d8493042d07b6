"""A release of the public price book as the state store keeps it: JSON, in our own terms.

Prices are kept as rates, so that a later version of genai-prices reads them as they were; names are
kept as the library's clauses, and it goes on finding models by them.

    [{"id", "models": [{"id", "match": {"or": [{"equals": "gpt-4o"}, …]},
      "prices": [{"from": "2025-01-01", "between": [start, end], "steps": [[over, rates…], …]}],
      "tiers": {"batch": [as prices]}}],
      "model_match", "provider_match", "fallback"}, …]

Rates are decimals as text in the order of `BILLED_BY`, nano-dollars a token, a call and a search;
the last that are not quoted are left out. `steps` of null is no price. What a program wrote that
knew neither tiers nor all of the units is `outdated`.
"""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import orjson
from genai_prices.types import (
    ClauseAnd,
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseRegex,
    ClauseStartsWith,
    MatchLogic,
    ModelInfo,
    Provider,
)

from data.prices.public_book import Model, Release
from data.prices.rates import (
    BILLED_BY,
    STANDARD,
    Constraint,
    Prices,
    Rates,
    Schedule,
    Steps,
    When,
)

CLAUSES: Final = {
    "starts_with": ClauseStartsWith, "ends_with": ClauseEndsWith, "contains": ClauseContains,
    "regex": ClauseRegex, "equals": ClauseEquals, "or": ClauseOr, "and": ClauseAnd,
}  # fmt: skip
Row = dict[str, Any]


def written(release: Release) -> str:
    """The release as text."""
    return orjson.dumps([_provider(one) for one in release.providers]).decode()


@lru_cache(64)
def read(name: str, text: str) -> Release:
    """The release of a name that `written` wrote."""
    return Release(name, [_read_provider(row) for row in orjson.loads(text)])


def outdated(text: str) -> bool:
    """Whether a program wrote it that knew no tiers."""
    return '"tiers"' not in text


def _provider(one: Provider) -> Row:
    models = [
        {"id": model.id, "match": _clause(model.match)} | _schedules(model.schedules)
        for model in one.models
        if isinstance(model, Model)
    ]
    matches = {name: _clause(getattr(one, name)) for name in ("model_match", "provider_match")}
    return {"id": one.id, **matches, "fallback": one.fallback_model_providers, "models": models}


def _read_provider(row: Row) -> Provider:
    models: list[ModelInfo] = [
        Model(one["id"], _read_clause(one["match"]), schedules=_read_schedules(one))
        for one in row["models"]
    ]
    matches = {name: _read_clause(row[name]) for name in ("model_match", "provider_match")}
    return Provider(
        row["id"], row["id"], "", fallback_model_providers=row["fallback"], models=models, **matches
    )


def _clause(clause: MatchLogic | None) -> Row | None:
    if clause is None:
        return None
    ((field, value),) = vars(clause).items()
    row = [_clause(one) for one in value] if isinstance(value, list) else value
    return {field.rstrip("_"): row}


def _read_clause(row: Row | None) -> Any:
    if row is None:
        return None
    ((name, value),) = row.items()
    read = [_read_clause(one) for one in value] if isinstance(value, list) else value
    return CLAUSES[name](read)


def _schedules(prices: Prices) -> Row:
    tiers = {tier: _prices(schedule) for tier, schedule in prices.by_tier.items()}
    return {"prices": tiers.pop(STANDARD)} | ({"tiers": tiers} if tiers else {})


def _read_schedules(row: Row) -> Prices:
    rows = {STANDARD: row["prices"], **row.get("tiers", {})}
    return Prices({tier: _read_prices(each) for tier, each in rows.items()})


def _prices(schedule: Schedule) -> list[Row]:
    return [_when(when) | {"steps": _steps(steps)} for when, steps in schedule]


def _read_prices(rows: list[Row]) -> Schedule:
    return tuple((_read_when(row), _read_steps(row["steps"])) for row in rows)


def _when(when: Constraint) -> Row:
    day = {"from": when.since.isoformat()} if when and when.since else {}
    return day | ({"between": [one.isoformat() for one in when.between]}
                  if when and when.between else {})  # fmt: skip


def _read_when(row: Row) -> Constraint:
    day = date.fromisoformat(row["from"]) if "from" in row else None
    if "between" not in row:
        return When(day) if day else None
    start, end = map(time.fromisoformat, row["between"])
    return When(day, (start, end))


def _steps(steps: Steps | None) -> list[list[Any]] | None:
    if steps is None:
        return None
    return [[over, *_rate_texts(rates)] for over, rates in steps]


def _rate_texts(rates: Rates) -> list[str | None]:
    amounts = [getattr(rates, name) for name in BILLED_BY]
    while amounts[-1] is None:
        amounts.pop()
    return [None if rate is None else f"{rate.normalize():f}" for rate in amounts]


def _read_steps(rows: list[list[Any]] | None) -> Steps | None:
    if rows is None:
        return None
    return tuple((over, Rates(*map(_amount, rates))) for over, *rates in rows)


def _amount(text: str) -> Any:
    """The rate of a text; None where it is not quoted (`Rates` has defaults for those alone)."""
    return None if text is None else Decimal(text)
