"""What comes again word for word is known by a digest, and the digest is always that of its row."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from data.engines.duckdb import batch
from data.engines.duckdb.content import content_hash
from data.engines.protocol import EventStore, open_events
from data.events.table import Event
from data.prices.book import PUBLIC
from data.prices.rate_rows import RateChange, rate_rows
from data.sample.organisation import sample

NOON = 1_793_527_200_000_000
Make = Callable[..., Event]


def wrong(store: EventStore) -> int:
    """How many rows have the digest of something else."""
    with store.sql.connect() as connection:
        found = connection.exec_driver_sql(
            f"SELECT count(*) FROM events WHERE content_hash IS DISTINCT FROM {content_hash()}"
        )
        return int(found.scalar() or 0)


def test_what_comes_again_is_not_compared(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = list(sample(500, 5, until=NOON))
    assert len(store.write(events)) == 500

    def fail(*_: Any) -> Any:
        raise AssertionError("a repeated event was compared")

    monkeypatch.setattr(batch, "compare", fail)
    for some in (events, random.Random(1).sample(events, 40), events[:1]):
        again = store.write([dict(event) for event in some])
        assert (again, again.merged) == ([], 0)


def test_whatever_a_row_tells_more_is_merged(store: EventStore, event: Make) -> None:
    told = event(event_id="a", user="ana")
    store.write([told, event(event_id="b")])
    for name, value in (("output_tokens", 9), ("project", "web"), ("tags", '{"a":1}')):
        told = told | {name: value}
        assert store.write([event(event_id="b"), told]).merged == 1
        assert store.write([told]).merged == 0
        assert wrong(store) == 0


def test_the_digest_follows_every_change(store: EventStore, event: Make) -> None:
    draw = random.Random(3)
    known = {"provider": "openai", "model": "gpt-4o"}
    for _ in range(20):
        store.write([
            event(event_id=str(draw.randrange(30)), **known, input_tokens=draw.randrange(1, 9),
                  **({"unpriced_reason": "it was a test"} if draw.random() < 0.3 else {}))
            for _ in range(9)
        ])  # fmt: skip
        assert wrong(store) == 0
    rates = rate_rows(PUBLIC, [("openai", "gpt-4o")])
    assert store.reprice(RateChange("unpriced", rates), 1)
    with store.sql.connect() as connection:
        listed = "SELECT count(*) FROM events WHERE cost_origin = 'list'"
        assert connection.exec_driver_sql(listed).scalar()
    assert wrong(store) == 0
    assert store.restore(1)
    assert wrong(store) == 0


def test_an_older_store_gets_digests(tmp_path: Path, event: Make) -> None:
    url = f"duckdb:///{tmp_path / 'e.duckdb'}"
    store = open_events(url)
    store.write([event(event_id="a"), event(event_id="b", model="gpt-4o", output_tokens=3)])
    store.close()
    with duckdb.connect(str(tmp_path / "e.duckdb")) as old:
        old.execute("ALTER TABLE events DROP COLUMN content_hash;"
                    "DELETE FROM schema_version WHERE version >= 7")  # fmt: skip
    store = open_events(url)
    assert wrong(store) == 0
    store.close()
