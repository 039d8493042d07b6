"""Vendors' exports again, shuffled, doubled and in other zones: the same events, each once."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import pytest

from data.engines.protocol import EventStore, open_events
from data.ingest.importing import ingest_paths
from data.sources.report import Report
from tests.sources.test_claude_enterprise import USED as ENTERPRISE
from tests.sources.test_gateways import DAY, HELICONE, PORTKEY, VERTEX
from tests.sources.test_vendor_sources import CURSOR, GENERATION, ROUTED, TRACE
from tests.sources.test_vendor_usage import CONSOLE, billed, message, person, table

Row = dict[str, Any]
CHARGE: Final = {
    "BilledCost": "1", "EffectiveCost": "1", "ListCost": "1", "BillingCurrency": "USD",
    "ChargePeriodStart": "2024-09-01T00:00:00Z", "ServiceName": "Amazon Bedrock",
    "ServiceCategory": "AI and Machine Learning", "ChargeCategory": "Usage", "SkuId": "s",
}  # fmt: skip
USED: Final = {"request_count": 2, "token_usage": {"prompt_tokens_sum": 9}}


def day_of(number: int) -> Row:
    person = {"user_login": f"u{number}", "user_id": number, "loc_added_sum": number}
    return {"day": "2026-04-01", "totals_by_cli": USED, **person}


MANY: Final = range(7)
ROWS: Final[dict[str, list[Row]]] = {
    "langfuse": [*(GENERATION | {"id": f"g{n}"} for n in MANY), TRACE],
    "focus": [CHARGE | {"SkuId": f"s{n}"} for n in MANY],
    "openrouter": [ROUTED | {"generation_id": f"r{n}"} for n in MANY],
    "cursor": [CURSOR | {"User": f"u{n}@example.com"} for n in MANY],
    "copilot_metrics": [day_of(n) for n in MANY],
    "anthropic_usage": [
        *(message(api_key_id=f"k{n}") for n in MANY),
        billed("7", "code_execution"),
    ],
    "anthropic_csv": [CONSOLE | {"api_key": f"k{n}"} for n in MANY],
    "claude_code_analytics": [person(terminal_type=f"t{n}") for n in MANY],
    "claude_enterprise": [ENTERPRISE | {"product": f"p{n}"} for n in MANY],
    "helicone": [HELICONE | {"response_id": f"h{n}"} for n in MANY],
    "openrouter_activity": [DAY | {"endpoint_id": f"e{n}"} for n in MANY],
    "portkey": [PORTKEY | {"id": f"p{n}"} for n in MANY],
    "vertex": [VERTEX | {"request_id": n} for n in MANY],
}
SPELLED: Final[dict[str, Callable[[list[Row]], str]]] = {
    "langfuse": json.dumps,
    "copilot_metrics": lambda rows: json.dumps({"day_totals": rows}),
    "anthropic_usage": json.dumps,
    "claude_code_analytics": json.dumps,
    "claude_enterprise": lambda rows: json.dumps({"data": rows}),
    "helicone": json.dumps,
    "openrouter_activity": lambda rows: json.dumps({"data": rows}),
    "portkey": json.dumps,
    "vertex": json.dumps,
}
# Rows of these have no id: those alike within a file are as many uses as there are rows.
WITHOUT_IDS: Final = {"focus", "cursor"}
ZONED: Final = {
    "langfuse": ("startTime", "endTime", "timestamp"),
    "focus": ("ChargePeriodStart",),
    "openrouter": ("created_at",),
    "cursor": ("Date",),
    "anthropic_usage": ("starting_at", "ending_at"),
    "claude_code_analytics": ("date",),
    "claude_enterprise": ("starting_at", "ending_at"),
    "helicone": ("request_created_at",),
    "portkey": ("created_at",),
    "vertex": ("logging_time",),
}


def imported(name: str, rows: list[Row], store: EventStore, path: Path) -> Report:
    path.write_text(SPELLED.get(name, lambda told: table(*told))(rows))
    return ingest_paths([path], store, name=name)


def told(report: Report) -> tuple[Any, ...]:
    return report.accepted, report.cost_nano, report.tokens, report.first, report.last


@pytest.mark.parametrize("name", ROWS)
def test_order_and_repetition_change_nothing(name: str, store: EventStore, tmp_path: Path) -> None:
    rows, other, path = ROWS[name], open_events("duckdb://"), tmp_path / "export"
    first = imported(name, rows, store, path)
    assert (first.rejected, first.duplicates) == (0, 0)
    assert first.accepted >= len(rows)
    for seed in range(3):
        shuffled = random.Random(seed).sample(rows, len(rows))
        again = imported(name, shuffled, store, path)
        assert (again.accepted, again.duplicates) == (0, first.accepted)
    assert told(imported(name, rows[::-1], other, path)) == told(first)
    other.close()


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_comes_twice_in_a_file_counts_by_its_id(
    name: str, store: EventStore, tmp_path: Path
) -> None:
    rows, path = ROWS[name], tmp_path / "export"
    twice = imported(name, [*rows, *rows[::-1]], store, path)
    assert twice.rejected == 0
    if name in WITHOUT_IDS:
        assert (twice.accepted, twice.duplicates) == (2 * len(rows), 0)
    else:
        assert twice.accepted == twice.duplicates
    assert imported(name, rows, store, path).accepted == 0


def elsewhere(value: Any, names: tuple[str, ...], hours: float) -> Any:
    """The same with these times told in a zone of so many hours."""
    if isinstance(value, list):
        return [elsewhere(each, names, hours) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _moved(each, hours) if name in names else elsewhere(each, names, hours)
        for name, each in value.items()
    }


def _moved(moment: str, hours: float) -> str:
    zone = timezone(timedelta(hours=hours))
    found = datetime.fromisoformat(moment)
    aware = found if found.tzinfo else datetime.fromisoformat(f"{moment}+00:00")
    return aware.astimezone(zone).isoformat()


@pytest.mark.parametrize("hours", [-8, 2, 5.5])
@pytest.mark.parametrize("name", ZONED)
def test_the_zone_in_which_a_time_is_told_is_no_identity(
    name: str, hours: float, store: EventStore, tmp_path: Path
) -> None:
    rows, path = ROWS[name], tmp_path / "export"
    mixed = [elsewhere(row, ZONED[name], hours) if n % 2 else row for n, row in enumerate(rows)]
    first = imported(name, mixed, store, path)
    assert first.rejected == 0
    again = imported(name, rows, store, path)
    assert (again.accepted, again.duplicates) == (0, first.accepted)
