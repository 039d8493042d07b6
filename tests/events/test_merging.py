"""One event told several times: what is stored knows no order, and nothing told is lost."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.access.scope import Scope
from data.engines.protocol import EventStore, open_events
from data.errors import EventError
from data.events.merging import ANYWHERE, MERGED, Bound, WriteResult, merge, same_price
from data.events.reasons import LEFT_OPEN, NO_MODEL, NO_TOKENS, UNKNOWN_MODEL
from data.events.table import (
    CALL_ONLY,
    COUNTS,
    EVENTS,
    FIELDS,
    LARGEST_COUNT,
    SESSION_ONLY,
    TEXTS,
    Event,
)
from data.ingest.importing import ingest, ingest_paths
from data.prices.book import PUBLIC
from data.prices.derived import DERIVED, derived
from data.prices.own import PriceBookStore, create
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.windows import Window
from data.repricing.apply import apply, parse_request, undo
from data.sources.events import event_of
from data.state.audit import Actor
from data.state.store import State
from tests.engine import COLUMNS

ROOT: Final = Actor(Scope(user="root", everything=True), "Root", 1_795_000_000_000_000)
LEAST: Final = {"ts": "2026-11-20T12:00:00Z", "kind": "llm", "source": "t", "channel": "api",
                "status": "ok"}  # fmt: skip
GPT: Final = {"provider": "openai", "model": "gpt-4o"}


def rows(store: EventStore, columns: str = COLUMNS) -> list[tuple[Any, ...]]:
    with store.sql.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT {columns} FROM events ORDER BY event_id")
        return [tuple(row) for row in found]


def told(**fields: Any) -> Event:
    return event_of({"event_id": "e"} | LEAST | fields)


def both(one: Event, other: Event) -> Event:
    """What two tellings make, which of them ever comes first."""
    whole = merge(one, other, PUBLIC)
    assert whole == merge(other, one, PUBLIC)
    assert merge(whole, one, PUBLIC) is whole
    assert merge(whole, other, PUBLIC) is whole
    return whole


# The rule


def test_what_one_lacks_the_other_fills_in() -> None:
    one, other = told(user="ana", **GPT), told(input_tokens=7, operation="chat", duration_ms=3)
    assert both(one, other) == told(
        user="ana", operation="chat", input_tokens=7, duration_ms=3, **GPT
    )
    assert both(one, other)["cost_origin"] == "list", "there is something to price now"


def test_a_name_goes_with_its_id() -> None:
    one = told(user="al", user_name="Al", project="p1")
    other = told(user="bob@example.com", user_name="Bob Longname", project_name="The Other One")
    whole = both(one, other)
    assert (whole["user"], whole["user_name"]) == ("al", "Al")
    assert (whole["project"], whole["project_name"]) == ("p1", None)
    assert both(told(user="al"), one)["user_name"] == "Al"


@pytest.mark.parametrize(
    ("name", "kept", "lost"),
    [
        ("ts", "2026-11-20T12:00:00Z", "2026-11-20T12:00:00.001Z"), ("output_tokens", 9, 3),
        ("input_tokens", 40, 100), ("duration_ms", 202, 50), ("user_name", "Bo", "Al"),
        ("model", "gpt-4o-2024-08-06", "gpt-4o"), ("user", "ana", "8f14e45fceea167a"),
        ("project", "web", "team-web"), ("channel", "cli", "other"), ("source", "tt", "t"),
        ("tags", '{"a":1,"b":2}', '{"a":1}'), ("cost_nano", 5, 4),
    ],
)  # fmt: skip
def test_where_both_tell_a_fixed_one_holds(name: str, kept: Any, lost: Any) -> None:
    assert both(told(**{name: kept}), told(**{name: lost})) == told(**{name: kept})


def test_a_prompt_is_not_counted_twice() -> None:
    """One door tells the whole prompt, the other tells apart what was cached of it."""
    whole = both(told(input_tokens=100), told(input_tokens=40, cached_input_tokens=60))
    assert (whole["input_tokens"], whole["cached_input_tokens"]) == (40, 60)


def test_reasoning_stays_a_part_of_the_output() -> None:
    assert both(told(reasoning_tokens=5), told(output_tokens=3))["output_tokens"] == 5


def test_parts_stay_parts() -> None:
    written = both(told(cache_write_1h_tokens=7), told(cache_write_tokens=5))
    assert (written["cache_write_tokens"], written["cache_write_1h_tokens"]) == (7, 7)
    heard = both(
        told(input_tokens=100, input_audio_tokens=60, input_image_tokens=30),
        told(input_tokens=70, cached_input_tokens=30),
    )
    assert (heard["input_audio_tokens"], heard["input_image_tokens"]) == (60, 10)


@pytest.mark.parametrize(("more", "less"), [("batch", None), ("batch", "standard"),
                                            ("fast", "batch")])  # fmt: skip
def test_a_tier_that_is_not_the_usual_one_holds(more: str, less: str | None) -> None:
    assert both(told(service_tier=less), told(service_tier=more))["service_tier"] == more


def test_why_it_is_unpriced_stays_until_there_is_a_cost() -> None:
    silent = told(unpriced_reason="in another currency", input_tokens=3, **GPT)
    assert (silent["cost_nano"], silent["cost_origin"]) == (None, "unpriced")
    assert both(silent, told(user="ana", cost_origin="unpriced", **GPT))["unpriced_reason"]
    assert both(silent, told(cost_nano=1))["unpriced_reason"] is None
    assert told(unpriced_reason="in another currency", cost_nano=1)["unpriced_reason"] is None


def test_a_tier_without_a_word_of_ours_is_never_priced() -> None:
    scale = told(unpriced_reason="no rate for scale", input_tokens=3, **GPT)
    listed = told(input_tokens=3, output_tokens=2, **GPT)
    merged = both(scale, listed)
    assert (merged["cost_nano"], merged["unpriced_reason"]) == (None, "no rate for scale")
    assert both(merged, told(cost_nano=1))["cost_nano"] == 1


def test_what_is_told_later_of_what_is_billed_completes_the_price() -> None:
    sonnet: dict[str, Any] = {"provider": "anthropic", "model": "claude-sonnet-4-5",
                              "cache_write_tokens": 9}  # fmt: skip
    before, whole = told(**sonnet), told(cache_write_1h_tokens=9, web_searches=1, **sonnet)
    assert (before["cost_nano"], whole["cost_nano"]) == (9 * 3_750, 9 * 6_000 + 10_000_000)
    assert both(before, whole) == whole
    fast = both(before, told(service_tier="fast", **sonnet))
    assert (fast["cost_nano"], fast["unpriced_reason"]) == (None, "no rate for fast")


def test_a_reported_cost_replaces_what_was_worked_out() -> None:
    listed, silent = told(input_tokens=10, **GPT), told(cost_origin="unpriced", **GPT)
    reported = told(cost_nano=1)
    assert listed["cost_nano"] > 1
    assert both(listed, reported)["cost_nano"] == 1
    assert both(silent, reported)["cost_origin"] == "reported"
    assert both(silent, listed)["cost_nano"] == listed["cost_nano"]


def test_a_list_price_is_of_all_that_is_known() -> None:
    whole = told(input_tokens=10, output_tokens=20, **GPT)
    one, other = told(input_tokens=10, **GPT), told(output_tokens=20, **GPT)
    assert both(one, other)["cost_nano"] == whole["cost_nano"] == PUBLIC.price_of(whole)[0]


def test_a_call_its_source_left_unpriced_stays_so() -> None:
    one = told(cost_origin="unpriced", input_tokens=3, ts="2026-11-20T12:00:01Z", **GPT)
    other = told(cost_origin="unpriced", input_tokens=3, output_tokens=4, **GPT)
    assert both(one, other)["cost_origin"] == "unpriced"


def test_a_success_and_the_attempt_before_it_do_not_mix() -> None:
    failed = told(status="error", error_class="429", input_tokens=900, user="ana")
    assert both(failed, told(input_tokens=7)) == told(input_tokens=7)
    assert both(told(kind="message"), failed) == failed


class Prices:
    """A price list that asks the same of every call, and changes its steps every second."""

    def __init__(self, cost: int | None) -> None:
        self.price = cost

    def price_of(self, call: Event, /) -> tuple[int | None, str | None]:
        return self.price, None if self.price is not None else "unknown model"

    def steps(
        self, provider: str | None, model: str, ts: int, tier: str | None = None, /
    ) -> object:
        return provider, model, ts // 1_000_000, tier


def listed(**fields: Any) -> Event:
    return told(input_tokens=3, **fields) | {"cost_nano": 7, "cost_origin": "list"}


@pytest.mark.parametrize(("other", "cost"), [
    ({"user": "ana"}, 7),  # as it was: nothing that it is worked out of has changed
    ({"user": "ana", "ts": "2026-11-20T12:00:00.9Z"}, 7),
    ({"user": "ana", "ts": "2026-11-20T12:00:01Z"}, 7),  # the earlier instant holds
    ({"user": "ana", "ts": "2026-11-20T11:59:59Z"}, 50),
    ({"output_tokens": 1}, 50), ({"model": "m"}, 50), ({"provider": "p"}, 50),
    ({"service_tier": "batch"}, 50), ({"request_count": 2}, 50),
    ({"tags": '{"many_prompts":true}'}, 50),
])  # fmt: skip
def test_a_list_price_stays_until_what_it_is_worked_out_of_changes(
    other: dict[str, Any], cost: int
) -> None:
    whole = merge(listed(), told(input_tokens=3, **other), Prices(50))
    assert (whole["cost_nano"], whole["cost_origin"]) == (cost, "list")


@pytest.mark.parametrize(("price", "kind", "cost"), [
    (LARGEST_COUNT, "llm", LARGEST_COUNT),
    (0, "llm", 0), (None, "llm", None), (50, "tool", None),
])  # fmt: skip
def test_a_new_list_price_is_of_a_call_and_can_be_kept(
    price: int | None, kind: str, cost: int | None
) -> None:
    one, other = (event | {"kind": kind} for event in (listed(), told(output_tokens=1)))
    whole = merge(one, other, Prices(price))
    assert whole["cost_nano"] == cost
    assert whole["cost_origin"] == ("unpriced" if cost is None else "list")


def test_of_two_reported_costs_the_larger_holds_and_of_two_calls_without_one_none() -> None:
    one, other = told(cost_nano=3, input_tokens=1), told(cost_nano=4)
    assert both(one, other)["cost_nano"] == 4
    free = told(cost_nano=0)
    assert both(free, told(user="ana")) == told(cost_nano=0, user="ana")
    silent = told(user="ana") | {"cost_origin": "unpriced"}
    assert merge(silent, told(input_tokens=3), Prices(50))["cost_nano"] is None
    assert merge(silent, told(input_tokens=3), Prices(None))["cost_origin"] == "unpriced"


def test_two_calls_have_one_price_where_all_that_is_billed_and_its_steps_are_equal() -> None:
    one = told(input_tokens=3, tags='{"a":1}', **GPT)
    same: dict[str, Any] = {"user": "ana", "tags": None, "ts": one["ts"] + 1}
    assert same_price(one, one | same, Prices(1)) is True
    for other in ({"tags": '{"many_prompts":true}'}, {"input_tokens": 4}, {"web_searches": 1},
                  {"ts": one["ts"] + 1_000_000}, {"service_tier": "batch"}):  # fmt: skip
        assert same_price(one, one | other, Prices(1)) is False
    by_model: Any = SimpleNamespace(steps=lambda _, model, ts, __: model == "gpt-4o" and ts)
    assert same_price(one, one | {"ts": one["ts"] + 1}, by_model) is False


def test_of_reasons_the_words_of_a_source_hold_before_those_of_the_book() -> None:
    def why(one: Event, other: Event) -> str | None:
        reason: str | None = both(one, other)["unpriced_reason"]
        return reason

    currency = told(unpriced_reason="in another currency", input_tokens=3, **GPT)
    left_open = told(cost_origin="unpriced", input_tokens=3, **GPT)
    assert left_open["unpriced_reason"] == LEFT_OPEN
    assert why(currency, left_open) == "in another currency"
    assert why(currency, told(unpriced_reason="refunded", **GPT)) == "in another currency"
    assert why(left_open, told(user="ana")) == LEFT_OPEN
    modelless, countless = told(input_tokens=3), told(model="nothing-like-it")
    assert (modelless["unpriced_reason"], countless["unpriced_reason"]) == (NO_MODEL, NO_TOKENS)
    assert why(modelless, countless) == UNKNOWN_MODEL
    assert why(told(kind="tool"), told(kind="tool", user="ana")) is None


def test_who_brings_events_of_one_project_or_user_completes_no_others() -> None:
    ana, bob = told(project="web", user="ana"), told(project="web", user="bob")
    for bound in (ANYWHERE, Bound("web")):
        assert bound.covers(ana, bob) is True
    for bound in (Bound("api"), Bound(user="ana"), Bound("web", "ana"), Bound("web", "eve")):
        assert bound.covers(ana, bob) is False
    assert Bound("web", "ana").covers(ana, ana) is True
    assert Bound("web").covers(told(user="ana")) is False


def test_what_is_new_of_a_batch_is_a_list_that_knows_what_was_merged() -> None:
    assert (WriteResult(), WriteResult().merged) == ([], 0)
    assert (WriteResult([told()], 2), WriteResult([told()], 2).merged) == ([told()], 2)


# Any order, any batches

MOMENTS: Final = [f"2026-11-20T12:00:00.{n:03}Z" for n in (0, 1, 500)]
POOLS: Final[dict[str, list[Any]]] = {
    "event_id": [f"e{n}" for n in range(4)], "ts": MOMENTS, "status": ["ok", "ok", "ok", "error"],
    "kind": ["llm", "llm", "llm", "llm", "tool", "session"], "source": ["t", "u"],
    "channel": ["api", "cli", "other"], "user": [None, "ana", "8f14e45fceea"],
    "user_name": [None, "Ana", "Ana Ito"], "project": [None, "web", "team-1"],
    "provider": [None, "openai", "azure", "nobody"], "model": [None, "gpt-4o", "gpt-4o-mini", "?"],
    "error_class": [None, "429"], "repository": [None, "etl"],
    "tags": [None, '{"a":1}', '{"many_prompts":true}', '{"a":1,"b":2}'],
    "duration_ms": [None, 1, 50], "request_count": [None, 1, 5], "cost_nano": [None, None, 0, 7],
    "input_tokens": [None, 0, 13, 100], "cached_input_tokens": [None, 0, 60],
    "cache_write_tokens": [None, 9], "output_tokens": [None, 0, 3, 8],
    "reasoning_tokens": [None, 2, 7], "lines_added": [None, 4],
    "cache_write_1h_tokens": [None, 4, 12], "input_audio_tokens": [None, 5, 80],
    "input_image_tokens": [None, 9, 60], "output_audio_tokens": [None, 3],
    "output_image_tokens": [None, 2], "web_searches": [None, 0, 2],
    "service_tier": [None, "standard", "batch", "fast"],
}  # fmt: skip


REST: Final[dict[str, list[Any]]] = {
    **{name: [None, None, "a", "bb", "ab"] for name in TEXTS},
    **{name: [None, None, 0, 7] for name in COUNTS},
    # A copy under another id, and a cost that a source gives against our book, are other stories.
    "shared_id": [None], "cost_origin": [None],
    "unpriced_reason": [*[None] * 6, "no rate for scale", "no rate for eu"],
}  # fmt: skip
POOLS.update({name: REST[name] for name in FIELDS if name not in POOLS})


def telling(chance: random.Random, pools: dict[str, list[Any]]) -> Event:
    """Some of the fields of an event, as a door may tell it."""
    while True:
        raw = {name: chance.choice(pool) for name, pool in pools.items()}
        foreign = CALL_ONLY if raw["kind"] != "llm" else ()
        foreign += SESSION_ONLY if raw["kind"] != "session" else ()
        try:
            return event_of({name: raw[name] for name in raw if name not in foreign})
        except EventError:
            continue


def test_every_field_is_told_in_several_ways() -> None:
    assert POOLS.keys() == {*FIELDS}
    alone = {"shared_id", "cost_origin"}
    assert all(len({*POOLS[name]}) > 1 for name in FIELDS if name not in alone)


def joined(*every: Event) -> Event:
    whole = every[0]
    for one in every[1:]:
        whole = merge(whole, one, PUBLIC)
    return whole


# What is billed decides the cost, which no field by itself does.
COST: Final = ("cost_nano", "cost_origin", "unpriced_reason")


@pytest.mark.parametrize("name", [name for name in FIELDS if name not in ("event_id", *COST)])
def test_each_field_is_merged_commutatively_associatively_and_idempotently(name: str) -> None:
    values = list(dict.fromkeys(POOLS[name]))[:4]
    kind = "session" if name in SESSION_ONLY else "llm"
    every = [told(**{"kind": kind, name: value}) for value in values if value or name != "kind"]
    for a, b, c in itertools.product(every, repeat=3):
        assert merge(a, a, PUBLIC) is a
        assert merge(a, b, PUBLIC) == merge(b, a, PUBLIC)
        whole = merge(merge(a, b, PUBLIC), c, PUBLIC)
        assert whole == merge(a, merge(b, c, PUBLIC), PUBLIC)
        assert whole[name] in (a[name], b[name], c[name])


@settings(max_examples=60)
@given(st.randoms(use_true_random=False))
def test_of_a_call_left_open_or_with_a_list_price_of_its_own_only_the_cost_knows_an_order(
    chance: random.Random,
) -> None:
    pools = POOLS | {"event_id": ["e"], "kind": ["llm"], "status": ["ok"], "cost_nano": [None]}
    pools |= {"unpriced_reason": [None, "in another currency", "refunded", "no rate for eu"]}
    every = [telling(chance, pools | {"cost_origin": [None, "unpriced"]}) for _ in range(3)]
    every[0] |= chance.choice(
        [{}, {"cost_nano": 9, "cost_origin": "list", "unpriced_reason": None}]
    )
    wholes = [joined(*order) for order in itertools.permutations(every)]
    rest = [{name: one[name] for name in FIELDS if name not in COST} for one in wholes]
    assert all(one == rest[0] for one in rest)
    assert merge(every[0], every[1], PUBLIC) == merge(every[1], every[0], PUBLIC)


def test_a_call_left_open_is_priced_or_not_by_the_order_of_those_that_can_be_together() -> None:
    """The exception that docs/developers.md names."""
    left_open = told(cost_origin="unpriced", input_tokens=3, output_tokens=4, **GPT)
    counts, model = told(output_tokens=4), told(**GPT)
    assert joined(left_open, joined(counts, model))["cost_origin"] == "list"
    assert joined(left_open, counts, model)["cost_origin"] == "unpriced"


def test_a_tier_that_is_never_priced_holds_whichever_words_come_first() -> None:
    silent = told(unpriced_reason="in another currency", input_tokens=3, output_tokens=4, **GPT)
    scale = told(unpriced_reason="no rate for x")
    assert both(silent, scale)["unpriced_reason"] == "no rate for x"
    assert joined(scale, silent, told(input_tokens=3, **GPT))["cost_origin"] == "unpriced"


def test_a_price_that_was_given_later_stays_when_the_call_is_told_again() -> None:
    """Why a list price goes before the words of a source: re-pricing may have given it."""
    silent = told(unpriced_reason="in another currency", input_tokens=3, **GPT)
    priced = silent | {"cost_nano": 7, "cost_origin": "list", "unpriced_reason": None}
    assert merge(priced, silent, PUBLIC) is priced


def test_of_list_prices_for_the_same_the_larger_holds() -> None:
    assert both(listed(), listed(user="ana") | {"cost_nano": 9})["cost_nano"] == 9


@settings(max_examples=150)
@given(st.randoms(use_true_random=False), st.integers(2, 6))
def test_tellings_make_the_same_event_in_any_order(chance: random.Random, many: int) -> None:
    pools = POOLS | {"event_id": ["e"]}
    every = [telling(chance, pools) for _ in range(many)]
    wholes = []
    for _ in range(4):
        chance.shuffle(every)
        whole = every[0]
        for one in every[1:]:
            whole = merge(whole, one, PUBLIC)
        assert all(merge(whole, one, PUBLIC) is whole for one in every)
        wholes.append(whole)
    assert all(whole == wholes[0] for whole in wholes)
    # And in any grouping: what is known already may be told again as a whole.
    half = many // 2
    left, right = every[0], every[half]
    for one in every[1:half]:
        left = merge(left, one, PUBLIC)
    for one in every[half + 1 :]:
        right = merge(right, one, PUBLIC)
    assert merge(left, right, PUBLIC) == wholes[0]


@pytest.fixture(scope="module")
def memory() -> Iterator[EventStore]:
    opened = open_events("duckdb://")
    yield opened
    opened.close()


@settings(max_examples=15)
@given(st.randoms(use_true_random=False), st.integers(1, 25))
def test_the_store_knows_neither_order_nor_batches(
    memory: EventStore, chance: random.Random, many: int
) -> None:
    every = [telling(chance, POOLS) for _ in range(many)]
    found = []
    for _ in range(3):
        for source in ("t", "u"):
            memory.remove(source)
        chance.shuffle(every)
        new = 0
        left = list(every)
        while left:
            size = chance.randint(1, len(left))
            new += len(memory.write(left[:size]))
            left = left[size:]
        assert new == len({event["event_id"] for event in every})
        found.append(rows(memory))
        assert [memory.write(every), memory.write(every).merged] == [[], 0]
        assert rows(memory) == found[-1]
    assert found[0] == found[1] == found[2]
    for row in found[0]:
        event = dict(zip(EVENTS.columns.keys(), row, strict=True))
        assert tuple(event[name] for name in DERIVED) == derived(event, PUBLIC)


# The real doors

LITELLM: Final = (
    "litellm/spendlogs.csv.gz", "litellm/litellm_1.106.2_spend_tables.sql.gz",
    "litellm/generic_api_callback", "litellm/admin_api", "otlp/litellm_proxy_1.106.2",
)  # fmt: skip
CLAUDE: Final = ("claude_code/cli_2.1.197", "otlp/claude_code_2.1.197")
CODEX: Final = ("codex/cli_0.169.0", "otlp/codex_0.169.0")
ORDERS: Final = random.Random(4).sample([*itertools.permutations(LITELLM)], 3)


def brought(shared: Path, doors: tuple[str, ...]) -> list[tuple[Any, ...]]:
    store = open_events("duckdb://")
    reports = [ingest_paths([shared / door], store) for door in doors]
    assert all(one.read == one.accepted + one.duplicates for one in reports)
    found = rows(store)
    assert sum(report.accepted for report in reports) == len(found)
    for door in doors:
        again = ingest_paths([shared / door], store)
        assert (again.accepted, MERGED in again.notes) == (0, False)
    assert rows(store) == found
    store.close()
    return found


def test_the_doors_of_litellm_in_any_order(shared: Path) -> None:
    first = brought(shared, LITELLM)
    assert [brought(shared, order) == first for order in ORDERS] == [True] * len(ORDERS)
    names = list(EVENTS.columns.keys())
    events = [dict(zip(names, row, strict=True)) for row in first]
    assert sum(event["user_name"] is not None for event in events) == 1_681
    tokens = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens")
    assert sum(event[name] or 0 for event in events for name in tokens) == 22_521_544


@pytest.mark.parametrize("doors", [CLAUDE, CODEX])
def test_logs_and_telemetry_in_either_order(shared: Path, doors: tuple[str, ...]) -> None:
    first = brought(shared, doors)
    assert brought(shared, doors[::-1]) == first


def test_logs_learn_from_telemetry_who_and_what_it_cost(shared: Path, store: EventStore) -> None:
    ingest_paths([shared / CLAUDE[0]], store)
    assert {row for row in rows(store, "project, cost_origin") if row[1] != "unpriced"} == {
        (None, "list")
    }
    report = ingest_paths([shared / CLAUDE[1]], store)
    assert (report.accepted, report.duplicates, report.notes[MERGED]) == (0, 30, 30)
    calls = "project IS NOT NULL, user IS NOT NULL, repository, kind, status"
    found = rows(store, f"{calls}, cost_origin")
    assert {row[:2] for row in found} == {(True, True)}
    assert None not in {row[2] for row in found}
    assert {row[5] for row in found if row[3:5] == ("llm", "ok")} == {"reported"}


# What is kept beside


def test_what_comes_again_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "events.duckdb"
    store = open_events(f"duckdb:///{path}")
    every = [told(event_id=f"e{n}", user="ana", input_tokens=n, **GPT) for n in range(500)]
    poorer = [event | {"user": None, "ts": event["ts"] + 1} for event in every]
    store.write(every)

    def files() -> list[bytes]:
        return [one.read_bytes() for one in sorted(tmp_path.glob("events.duckdb*"))]

    before = files()
    assert store.memo.get("answer", lambda: 1) == 1
    for events in (every, poorer, [*every, *poorer]):
        written = store.write(events)
        assert (written, written.merged) == ([], 0)
        assert files() == before
        assert store.memo.get("answer", lambda: 2) == 1
    store.close()


def test_the_report_counts_it_as_known_and_says_so(store: EventStore) -> None:
    raw = {"event_id": "a"} | LEAST
    ingest([("1", raw)], store)
    report = ingest([("1", raw), ("2", raw | {"user": "ana"}), ("3", raw | {"user": "ana"}),
                     ("4", raw | {"event_id": "b"}), ("5", {})], store)  # fmt: skip
    assert (report.accepted, report.duplicates, report.rejected, report.read) == (1, 3, 1, 5)
    assert report.notes == {MERGED: 1}
    assert rows(store, 'event_id, "user"') == [("a", "ana"), ("b", None)]


def test_answers_that_are_kept_are_forgotten(store: EventStore) -> None:
    query = Query(("tokens",), (), Filters(Window(0, 2**52, "UTC")))
    store.write([told(input_tokens=1)])
    assert run(query, ROOT.scope, store)["tokens"].tolist() == [1]
    store.write([told(output_tokens=5)])
    assert run(query, ROOT.scope, store)["tokens"].tolist() == [6]


def test_a_parquet_file_completes_too(store: EventStore, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    store.write([told(event_id="a", input_tokens=3, **GPT), told(event_id="c")])
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT * FROM (VALUES ('a', 0.5, 'ana', 4), ('b', NULL, NULL, NULL),"
            " ('b', NULL, 'bo', NULL), ('c', NULL, NULL, NULL)) AS t(event_id, cost, \"user\","
            " output_tokens), (SELECT 'llm' AS kind, 't' AS source, 'api' AS channel,"
            f" TIMESTAMP '2026-11-20 12:00:00' AS ts)) TO '{path}' (FORMAT parquet)"
        )
    report = ingest_paths([path], store)
    assert (report.accepted, report.duplicates, report.notes) == (1, 3, {MERGED: 2})
    columns = 'event_id, "user", input_tokens, output_tokens, cost_nano, list_cost_nano'
    listed = PUBLIC.price_of(told(input_tokens=3, output_tokens=4, **GPT))[0]
    assert rows(store, columns) == [("a", "ana", 3, 4, 500_000_000, listed),
                                    ("b", "bo", None, None, None, None),
                                    ("c", None, None, None, None, None)]  # fmt: skip
    assert ingest_paths([path], store).notes == {}


# Beside re-pricing

OWN: Final = {"model": "our-*", "from": "2026-11-01", "input": "25", "output": "100"}
OUR: Final = {"model": "our-llama", "input_tokens": 1_000_000}
PRICES: Final = "cost_nano, cost_origin, cache_saved_nano, cache_write_nano, list_cost_nano"


@pytest.fixture
def priced(state: State, tmp_path: Path) -> Iterator[EventStore]:
    """A store whose book is the state's: one event of a model that has its price since."""
    opened = open_events(f"duckdb:///{tmp_path / 'priced.duckdb'}", PriceBookStore(state))
    ingest([("", {"event_id": "e"} | LEAST | OUR)], opened)
    create(state, ROOT, OWN)
    apply(state, ROOT, parse_request({"what": "unpriced"}), opened)
    assert rows(opened, PRICES) == [(25 * 10**9, "list", None, None, None)]
    yield opened
    opened.close()


def more(store: EventStore, **fields: Any) -> None:
    report = ingest([("", {"event_id": "e"} | LEAST | fields)], store)
    assert report.notes == {MERGED: 1}


def test_a_repriced_event_that_learns_a_name_is_undone(state: State, priced: EventStore) -> None:
    more(priced, user="ana")
    assert rows(priced, PRICES) == [(25 * 10**9, "list", None, None, None)]
    undo(state, ROOT, 1, priced)
    assert rows(priced, f'{PRICES}, "user"') == [(None, "unpriced", None, None, None, "ana")]


def test_a_reported_cost_stays_when_the_price_is_undone(state: State, priced: EventStore) -> None:
    more(priced, cost_nano=7)
    assert rows(priced, PRICES) == [(7, "reported", None, None, 25 * 10**9)]
    undo(state, ROOT, 1, priced)
    assert rows(priced, PRICES) == [(7, "reported", None, None, None)]


def test_more_tokens_take_the_present_price_and_are_undone(
    state: State, priced: EventStore
) -> None:
    apply(state, ROOT, parse_request({"what": "history", "from": "2026-11-01"}), priced)
    more(priced, output_tokens=1_000_000)
    assert rows(priced, PRICES) == [(125 * 10**9, "list", None, None, None)]
    undo(state, ROOT, 1, priced)
    assert rows(priced, PRICES) == [(None, "unpriced", None, None, None)]


def test_what_stood_for_other_tokens_is_not_put_back(state: State, priced: EventStore) -> None:
    discount = {"model": "our-llama", "from": "2026-11-02", "input": "5", "output": "5"}
    create(state, ROOT, discount)
    apply(state, ROOT, parse_request({"what": "history", "from": "2026-11-01"}), priced)
    assert rows(priced, PRICES) == [(5 * 10**9, "list", None, None, None)]
    more(priced, output_tokens=1_000_000)
    undo(state, ROOT, 2, priced)
    assert rows(priced, PRICES) == [(10 * 10**9, "list", None, None, None)]
    undo(state, ROOT, 1, priced)
    assert rows(priced, PRICES) == [(None, "unpriced", None, None, None)]


def test_a_list_price_of_its_time_becomes_the_list_cost(state: State, priced: EventStore) -> None:
    create(state, ROOT, {"model": "our-llama", "from": "2026-11-02", "input": "5", "output": "5"})
    apply(state, ROOT, parse_request({"what": "history", "from": "2026-11-01"}), priced)
    more(priced, cost_nano=7)
    assert rows(priced, PRICES) == [(7, "reported", None, None, 5 * 10**9)]
    undo(state, ROOT, 2, priced)
    assert rows(priced, PRICES) == [(7, "reported", None, None, 25 * 10**9)]
    undo(state, ROOT, 1, priced)
    assert rows(priced, PRICES) == [(7, "reported", None, None, None)]


def test_a_price_that_changed_since_changes_nothing_by_itself(
    state: State, priced: EventStore
) -> None:
    create(state, ROOT, {"model": "our-llama", "from": "2026-11-02", "input": "5", "output": "5"})
    before = rows(priced)
    assert ingest([("", {"event_id": "e"} | LEAST | OUR)], priced).notes == {}
    assert rows(priced) == before
    more(priced, user_name="Ana", ts="2026-11-20T11:59:59Z")
    assert rows(priced, PRICES) == [(25 * 10**9, "list", None, None, None)]
