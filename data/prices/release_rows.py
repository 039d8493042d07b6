"""A release of the public price book as the state store keeps it: JSON, in our own terms.

Prices are kept as rates, so that a later version of genai-prices reads them as they were; names are
kept as the library's clauses, and it goes on finding models by them.

    [{"id", "models": [{"id", "match": {"or": [{"equals": "gpt-4o"}, …]},
      "prices": [{"from": "2025-01-01" | "between": [start, end], "steps": [[over, rates…], …]}]}],
      "model_match", "provider_match", "fallback"}, …]

Rates are decimals as text, nano-dollars a token and a call; `steps` of null is no price by token.
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
    StartDateConstraint,
    TimeOfDateConstraint,
)

from data.prices.public_book import Model, Release
from data.prices.rates import Constraint, Rates, Schedule, Steps

CLAUSES: Final = {
    "starts_with": ClauseStartsWith, "ends_with": ClauseEndsWith, "contains": ClauseContains,
    "regex": ClauseRegex, "equals": ClauseEquals, "or": ClauseOr, "and": ClauseAnd,
}  # fmt: skip
RATES: Final = ("input", "cached_input", "cache_write", "output", "request")
Row = dict[str, Any]


def written(release: Release) -> str:
    """The release as text."""
    return orjson.dumps([_provider(one) for one in release.providers]).decode()


@lru_cache(64)
def read(name: str, text: str) -> Release:
    """The release of a name that `written` wrote."""
    return Release(name, [_read_provider(row) for row in orjson.loads(text)])


def _provider(one: Provider) -> Row:
    models = [
        {"id": model.id, "match": _clause(model.match), "prices": _prices(model.schedule)}
        for model in one.models
        if isinstance(model, Model)
    ]
    matches = {name: _clause(getattr(one, name)) for name in ("model_match", "provider_match")}
    return {"id": one.id, **matches, "fallback": one.fallback_model_providers, "models": models}


def _read_provider(row: Row) -> Provider:
    models: list[ModelInfo] = [
        Model(one["id"], _read_clause(one["match"]), schedule=_read_prices(one["prices"]))
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
    told = [_clause(one) for one in value] if isinstance(value, list) else value
    return {field.rstrip("_"): told}


def _read_clause(row: Row | None) -> Any:
    if row is None:
        return None
    ((name, value),) = row.items()
    told = [_read_clause(one) for one in value] if isinstance(value, list) else value
    return CLAUSES[name](told)


def _prices(schedule: Schedule) -> list[Row]:
    return [_when(when) | {"steps": _steps(steps)} for when, steps in schedule]


def _read_prices(rows: list[Row]) -> Schedule:
    return tuple((_read_when(row), _read_steps(row["steps"])) for row in rows)


def _when(when: Constraint) -> Row:
    if isinstance(when, StartDateConstraint):
        return {"from": when.start_date.isoformat()}
    if isinstance(when, TimeOfDateConstraint):
        return {"between": [when.start_time.isoformat(), when.end_time.isoformat()]}
    if when is None:
        return {}
    raise TypeError(f"a price may hold by {type(when).__name__}, which is not kept yet")


def _read_when(row: Row) -> Constraint:
    if "from" in row:
        return StartDateConstraint(date.fromisoformat(row["from"]))
    if "between" in row:
        return TimeOfDateConstraint(*map(time.fromisoformat, row["between"]))
    return None


def _steps(steps: Steps | None) -> list[list[Any]] | None:
    if steps is None:
        return None
    return [[over, *(f"{getattr(rates, n).normalize():f}" for n in RATES)] for over, rates in steps]


def _read_steps(rows: list[list[Any]] | None) -> Steps | None:
    if rows is None:
        return None
    return tuple((over, Rates(*map(Decimal, rates))) for over, *rates in rows)
