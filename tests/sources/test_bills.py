"""Bills add up: what is given back has its sign, and no other currency counts as dollars."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from data.access.scope import SYSTEM
from data.engines.protocol import EventStore
from data.ingest.importing import ingest_paths
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.windows import ALL_TIME
from data.sources.events import COST_UNKNOWN, NO_RATE
from data.sources.report import Report
from tests.cli_logs import stored

CHARGE: Final = {
    "BilledCost": "12.5", "EffectiveCost": "12.5", "ListCost": "12.5", "BillingCurrency": "USD",
    "ChargeCategory": "Usage", "ChargeClass": "", "ChargeDescription": "tokens",
    "ChargePeriodStart": "2026-03-01T00:00:00Z", "ChargePeriodEnd": "2026-03-02T00:00:00Z",
    "ConsumedQuantity": "5", "ConsumedUnit": "1K", "ServiceName": "Amazon Bedrock",
    "ServiceCategory": "AI and Machine Learning", "ProviderName": "AWS", "ResourceName": "",
    "SubAccountId": "prod", "SubAccountName": "Prod", "Tags": "",
}  # fmt: skip
BILL: Final = {
    "date": "2026-03-01", "username": "ana", "product": "copilot", "sku": "copilot_ai_credit",
    "model": "GPT-5", "quantity": "9", "unit_type": "ai-credits", "gross_amount": "4",
    "discount_amount": "0", "net_amount": "4", "input": "10", "output": "20", "cache_read": "300",
    "cache_write": "40",
}  # fmt: skip
Row = dict[str, str]


def imported(folder: Path, store: EventStore, *rows: Row) -> Report:
    def cells(values: Any) -> str:
        return ",".join(json.dumps(v).replace('\\"', '""') for v in values)

    path = folder / "bill.csv"
    path.write_text("\n".join([",".join(rows[0]), *(cells(row.values()) for row in rows)]))
    report = ingest_paths([path], store)
    assert report.rejections == []
    return report


def asked(store: EventStore, *names: str) -> list[Any]:
    frame = run(Query(names, (), Filters(ALL_TIME)), SYSTEM, store)
    return [frame[name].iloc[0] for name in names]


@pytest.mark.parametrize(
    "change",
    [{"BilledCost": "-2.5"}, {"BilledCost": "-2.5", "ChargeCategory": "Credit"},
     {"BilledCost": "-2.5", "ChargeClass": "Correction"}],
)  # fmt: skip
def test_what_is_given_back_is_no_call_and_taken_off(
    change: Row, tmp_path: Path, store: EventStore
) -> None:
    imported(tmp_path, store, CHARGE, CHARGE | change)
    names = ("cost", "cost_api", "adjustments", "requests", "cost_per_request")
    assert asked(store, *names) == [10.0, 10.0, -2.5, 1, 12.5]
    by_project = run(Query(("cost",), ("project",), Filters(ALL_TIME)), SYSTEM, store)
    assert by_project["cost"].tolist() == [10.0]


def test_a_correction_may_also_add(tmp_path: Path, store: EventStore) -> None:
    imported(tmp_path, store, CHARGE, CHARGE | {"BilledCost": "2", "ChargeClass": "Correction"})
    assert asked(store, "cost", "adjustments", "requests") == [14.5, 2.0, 1]


def test_copilot_refunds_stand_beside_what_they_refund(tmp_path: Path, store: EventStore) -> None:
    imported(tmp_path, store, BILL, BILL | {"net_amount": "-1", "quantity": "-2"})
    names = ("cost", "adjustments", "requests", "input_tokens", "cached_input_tokens")
    assert asked(store, *names) == [3.0, -1.0, 1, 10, 300]
    assert asked(store, "cache_write_tokens", "output_tokens") == [40, 20]


def test_copilot_rows_without_the_columns_tell_no_tokens(tmp_path: Path, store: EventStore) -> None:
    bare = {name: cell for name, cell in BILL.items() if name not in ("input", "cache_read")}
    imported(tmp_path, store, bare)
    assert stored(store, "input_tokens", "output_tokens") == [(None, 20)]


def test_only_an_adjustment_may_be_below_zero(tmp_path: Path, store: EventStore) -> None:
    event = {"event_id": "a", "ts": "2026-03-01T00:00:00Z", "kind": "adjustment", "cost": "-1.5"}
    call = event | {"event_id": "b", "kind": "llm"}
    path = tmp_path / "own.json"
    path.write_text(json.dumps([event, call, event | {"event_id": "c", "input_tokens": 1}]))
    report = ingest_paths([path], store)
    assert (report.accepted, report.notes) == (2, {COST_UNKNOWN: 1})
    assert [why for _, why in report.rejections] == [
        "input_tokens belongs to kind llm, not to adjustment"
    ]
    assert asked(store, "cost", "requests") == [-1.5, 1]


def test_another_currency_counts_by_the_rows_own_dollars(tmp_path: Path, store: EventStore) -> None:
    euros = CHARGE | {"BillingCurrency": "EUR", "x_BilledCostInUsd": "14.25"}
    imported(tmp_path, store, euros)
    assert asked(store, "cost") == [14.25]
    ((tags,),) = stored(store, "tags")
    assert {"currency": "EUR", "amount": "12.5"}.items() <= json.loads(tags).items()


def test_another_currency_is_never_taken_for_dollars(tmp_path: Path, store: EventStore) -> None:
    report = imported(tmp_path, store, CHARGE, CHARGE | {"BillingCurrency": "EUR"})
    assert report.notes[NO_RATE.format("EUR")] == 1
    assert asked(store, "cost", "requests") == [12.5, 2]
    assert ("in another currency",) in stored(store, "unpriced_reason")


def test_a_gateways_rows_tell_calls_model_and_user(tmp_path: Path, store: EventStore) -> None:
    more = {"ConsumedUnit": "Requests", "ConsumedQuantity": "420.000000"}
    named = {"ResourceName": "gpt-4o", "ChargeDescription": "gpt-4o"}
    tags = {"Tags": json.dumps({"user_id": "ana", "number": 7})}
    imported(tmp_path, store, CHARGE | more | named | tags, CHARGE | {"ResourceName": "my-account"})
    assert asked(store, "requests") == [421]
    assert stored(store, "model", '"user"') == [("gpt-4o", "ana"), (None, None)]
