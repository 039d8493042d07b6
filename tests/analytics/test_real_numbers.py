"""Every section over real usage and the sample organisation gives the oracle's numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from genai_prices import Usage, calc_price

from components.sections.declared import SECTIONS, Section
from data.events.table import micros
from data.query.catalog import METRICS
from data.sample.organisation import sample
from data.sources import Options, find, read
from data.sources.events import event_of
from tests import oracle, oracle_metrics
from tests.analytics.test_numbers import COLUMNS, Asked, World, section_is_right
from tests.serving import ADMIN, Served, serving

UNTIL: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)
REAL: Final = (
    "litellm/spendlogs.csv.gz", "claude_code", "codex", "otlp/litellm_proxy_1.106.2", "aider",
    "copilot/copilot_billing_usage_real_pseudonymised.csv", "traces/exgentic_agent_spans.csv.gz",
)  # fmt: skip
ASKED: Final = {"preset": "custom", "tz": "Europe/Berlin"}
SPAN: Final = {"from": "2026-10-25T00:00", "to": "2026-11-23T00:00"}
EARLY: Final = {"from": "2026-02-10T00:00", "to": "2026-02-13T00:00"}
MANAGER: Final = {"sub": "u-chen", "applications_admin": "team-research,team-datasci"}
ASKING: Final = {"month": (SPAN, ADMIN), "managed": (SPAN, MANAGER), "early": (EARLY, ADMIN)}
# What neither the sample nor the real files tell; test_numbers.py moves these.
NOT_TOLD: Final = {
    "web_searches", "input_audio_tokens", "output_audio_tokens", "input_image_tokens",
    "output_image_tokens",
}  # fmt: skip
ENOUGH: Final = 1_000
HALF_HOUR: Final = 1_800_000_000  # µs; some prices depend on the time of day
DRAWN: Final = [
    pytest.param(one, by, id=f"{one.key}-{by}")
    for one in SECTIONS.values()
    for by in one.by or ("",)
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("real")) as one:
        yield one


@pytest.fixture(scope="module")
def world(served: Served) -> World:
    """The sample, and the real files where they are beside the repository."""
    one, shared = World(), Path(__file__).resolve().parents[3] / "shared" / "data"
    events = list(sample(ENOUGH, 60, 7, until=micros(UNTIL)))
    if shared.is_dir():
        paths = [shared / name for name in REAL]
        records = read(find(paths), Options())
        events += [event_of(raw) for _, raw in records if isinstance(raw, dict)]
    # Once each; and which of two at the same instant came last is a matter of chance.
    unique = {event["event_id"]: event for event in reversed(events)}
    by_instant = {event["ts"]: event for event in unique.values()}
    served.store.write(list(by_instant.values()))
    raws = [event | cached(event) | listed(event) for event in by_instant.values()]
    one.events = oracle.rows_of(raws, COLUMNS)
    return one


def cached(event: Mapping[str, Any]) -> dict[str, int | None]:
    """What caching saved and cost in nano-dollars, by the book's own arithmetic."""
    rates = rate(event["provider"], event["model"], event["ts"] // HALF_HOUR)
    read_, written = event["cached_input_tokens"], event["cache_write_tokens"]
    if rates is None or not (read_ or written):
        return {"cache_saved_nano": None, "cache_write_nano": None}
    saved, spent, spent_hour = rates
    hour = event["cache_write_1h_tokens"] or 0
    return {
        "cache_saved_nano": round(saved * (read_ or 0)),
        "cache_write_nano": round(spent * ((written or 0) - hour) + spent_hour * hour),
    }


def listed(event: Mapping[str, Any]) -> dict[str, int | None]:
    """What a call with a reported cost would have cost, by the book's own arithmetic."""
    counts = [event[name] for name in oracle_metrics.TOKENS]
    if event["cost_origin"] != "reported" or set(counts) == {None}:
        return {"list_cost_nano": None}
    fresh, read_, written, output = (count or 0 for count in counts)
    usage = Usage(
        input_tokens=fresh + read_ + written, cache_read_tokens=read_,
        cache_write_tokens=written, output_tokens=output,
        cache_write_1h_tokens=event["cache_write_1h_tokens"] or 0,
    )  # fmt: skip
    at = datetime.fromtimestamp(event["ts"] // HALF_HOUR * HALF_HOUR / 1e6, UTC)
    try:
        found = calc_price(
            usage, event["model"] or "", provider_id=event["provider"], genai_request_timestamp=at
        )
    except LookupError:
        return {"list_cost_nano": None}
    return {"list_cost_nano": round(found.total_price * 10**9)}


@cache
def rate(
    provider: str | None, model: str | None, slot: int
) -> tuple[Decimal, Decimal, Decimal] | None:
    """Nano-dollars that a token read from the cache saves, and that one written to it costs, for
    minutes and for an hour."""
    at = datetime.fromtimestamp(slot * HALF_HOUR / 1e6, UTC)

    def cost(**usage: int) -> Decimal:
        return (
            calc_price(
                Usage(**usage), model or "", provider_id=provider, genai_request_timestamp=at
            ).total_price
            * 10**6
        )

    try:
        plain = cost(input_tokens=1_000)
        read_ = cost(input_tokens=1_000, cache_read_tokens=1_000)
        written = cost(input_tokens=1_000, cache_write_tokens=1_000)
        hour = cost(input_tokens=1_000, cache_write_tokens=1_000, cache_write_1h_tokens=1_000)
    except LookupError:
        return None
    return plain - read_, written, hour


@pytest.mark.parametrize("asking", ASKING)
@pytest.mark.parametrize(("one", "by"), DRAWN)
def test_every_section_over_real_events(
    served: Served, world: World, one: Section, by: str, asking: str
) -> None:
    span, claims = ASKING[asking]
    section_is_right(served, world, Asked(one, by, one.measures[0], dict(claims), ASKED | span))


@pytest.mark.usefixtures("shared")  # the sample alone does not
def test_the_real_events_move_every_metric(served: Served, world: World) -> None:
    """Nothing above was compared as nothing with nothing."""
    span = {"preset": "custom", "from_": "2026-01-01", "to": "2027-01-01"}
    totals = served.json("query", metrics=",".join(METRICS), **span)["totals"]
    unmoved = {name for name, value in totals.items() if value is None}
    assert unmoved == NOT_TOLD
