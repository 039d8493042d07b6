"""/metrics: who reads it, what it counts, and that the board and the rules ask for what it has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from callbacks.api.prometheus import watch_queue, watch_sync
from tests.serving import ADMIN, KEY, Claims, Served, serving

METRICS_KEY: Final = "the key of Prometheus"
MONITORING: Final = Path(__file__).resolve().parents[2] / "docs" / "monitoring"
OTHERS: Final[tuple[Claims, ...]] = ({"sub": "ana"}, {"sub": "lena", "applications_admin": "web"})


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, METRICS_KEY=METRICS_KEY) as one:
        yield one


def scrape(served: Served) -> dict[str, float]:
    """Every sample by its name and labels, as it is written."""
    answer = served.client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_KEY}"})
    assert answer.status_code == 200, answer.text
    families = text_string_to_metric_families(answer.text)
    return {labelled(one): one.value for family in families for one in family.samples}


def labelled(sample: Any) -> str:
    return str(sample.name) + "".join(f"{{{k}={v}}}" for k, v in sorted(sample.labels.items()))


def test_the_key_and_platform_admins_read_it_and_nobody_else(served: Served) -> None:
    assert scrape(served)
    assert served.client.get("/metrics", headers=served.headers(ADMIN)).status_code == 200
    for claims in OTHERS:
        assert served.client.get("/metrics", headers=served.headers(claims)).status_code == 403
    for wrong in ("", "Bearer ", "Bearer wrong", f"Bearer {METRICS_KEY}x", f"Bearer {KEY}"):
        answer = served.client.get("/metrics", headers={"Authorization": wrong} if wrong else {})
        assert (answer.status_code, answer.mimetype) == (401, "application/json"), wrong


def test_without_a_key_an_empty_one_opens_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as one:
        for sent in ("Bearer ", "Bearer None"):
            answer = one.client.get("/metrics", headers={"Authorization": sent})
            assert answer.status_code == 401


def test_requests_are_counted_by_route_whatever_strangers_type(served: Served) -> None:
    before = scrape(served)
    served.json("query", metrics="cost")
    served.client.get("/api/v1/query?metrics=cost")
    for n in range(3):
        served.client.get(f"/nowhere/{n}", headers=served.headers(ADMIN))
    after = scrape(served)
    counted = "spendscope_http_requests_total{{method=GET}}{{route={}}}{{status={}}}".format
    assert after[counted("/api/v1/query", 200)] == 1
    assert after[counted("/api/v1/query", 401)] == 1
    assert not any("/nowhere" in name for name in after)
    took = "spendscope_http_request_duration_seconds_count{route=/api/v1/query}"
    assert after[took] - before.get(took, 0) == 2
    assert after["spendscope_http_requests_in_progress"] == 1  # this one


def test_what_is_received_is_counted_by_outcome_and_names_nobody(served: Served) -> None:
    event = {"event_id": "a", "ts": "2026-11-20T08:00:00Z", "kind": "llm", "user": "ana@x.org"}
    for _ in range(2):
        lines = json.dumps([event, {"event_id": "b"}])
        sent = served.client.post(
            "/api/v1/events", data=lines, headers={"Authorization": f"Bearer {KEY}"}
        )
        assert sent.status_code == 200
    found = scrape(served)
    received = "spendscope_received_records_total{{outcome={}}}".format
    assert [found[received(one)] for one in ("accepted", "duplicates", "rejected")] == [1, 1, 2]
    assert found["spendscope_store_size_bytes{store=state}"] > 0
    assert not any("ana" in name for name in found)


def test_the_board_and_the_rules_ask_for_what_there_is(served: Served) -> None:
    server: Any = served.app.server
    watch_queue(server, SimpleNamespace(task_dispatcher=SimpleNamespace(queue=[1, 2])))
    watch_sync(server, SimpleNamespace(last_success=5.0, failures=0))  # type: ignore[arg-type]
    scrape(served)  # the first request to be counted
    found = scrape(served)
    assert found["spendscope_request_queue_length"] == 2
    there = {name.partition("{")[0] for name in found}
    for file in ("grafana.json", "alerts.yaml"):
        text = (MONITORING / file).read_text(encoding="utf-8")
        asked = set(re.findall(r"\b(?:spendscope|process)_[a-z_]+\b", text))
        assert asked, file
        assert asked <= there, file
