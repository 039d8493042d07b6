"""What the tests of fast loading share: a store for each way of reading."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from data.engines.protocol import EventStore, open_events


@pytest.fixture(scope="module")
def two_stores() -> Iterator[tuple[EventStore, EventStore]]:
    both = open_events("duckdb://"), open_events("duckdb://")
    yield both
    for one in both:
        one.close()
