"""The organisation's own prices: which one holds, what it costs, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data.access.scope import Scope
from data.engines.protocol import EventStore, open_events
from data.errors import Forbidden, Refused, Unknown
from data.events.table import FIELDS, micros
from data.ingest.importing import ingest
from data.prices.book import PUBLIC, PriceBook
from data.prices.draft import draft
from data.prices.own import PriceBookStore, change, create, entry, list_prices, remove
from data.prices.patterns import matches
from data.prices.public_book import installed
from data.state.audit import Actor, entries
from data.state.store import State

NOW = micros(datetime(2026, 11, 20, 12, tzinfo=UTC))
ROOT = Actor(Scope.of({"sub": "root", "isAdmin": True}), "Root", NOW)
LEADER = Actor(Scope.of({"sub": "lena", "applications_admin": "web"}), "Lena", NOW)
ANA = Actor(Scope.of({"sub": "ana"}), "Ana", NOW)
OWN = {"model": "our-llama", "from": "2026-01-01", "input": "2", "output": 4}


def at(*day: int) -> int:
    return micros(datetime(*day, tzinfo=UTC))  # type: ignore[misc,arg-type]


def book(*raws: dict[str, Any]) -> PriceBook:
    return PriceBook([draft({"from": "2026-01-01"} | raw, n) for n, raw in enumerate(raws, 1)])


def test_a_book_reads_the_public_list_when_it_is_first_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every start makes one that is asked nothing: reading took a tenth of it."""
    asked: list[bool] = []
    there = installed()
    monkeypatch.setattr("data.prices.book.installed", lambda: asked.append(True) or there)
    made = PriceBook()
    assert not asked
    assert made.price("openai", "gpt-4o", NOW, 1_000) == PUBLIC.price(
        "openai", "gpt-4o", NOW, 1_000
    )
    assert asked


def test_own_rates_count_as_the_public_ones_do() -> None:
    own = book(OWN | {"cached_input": "0.5", "request": "0.001"})
    cost = own.price("vllm", "our-llama", NOW, 1_000, 100, 10, 1)
    assert cost == 1_000 * 2_000 + 100 * 500 + 10 * 2_000 + 4_000 + 1_000_000


def test_an_own_price_may_be_of_a_service_tier_and_of_all_that_is_billed() -> None:
    opus = {"model": "claude-opus-4-6", "provider": "anthropic"}
    own = book(
        opus | {"service_tier": "fast", "input": "30", "cache_write": "40", "cache_write_1h": "60",
                "web_searches": "8", "output_audio": "3"},
        {"model": "claude-*", "discount": "50"}, OWN,
    )  # fmt: skip

    def price(model: str, tier: str | None, **counts: int) -> Any:
        call = dict.fromkeys(FIELDS) | {"provider": "anthropic", "model": model, "ts": NOW}
        return own.price_of(call | {"service_tier": tier} | counts)

    used = {"cache_write_tokens": 10, "cache_write_1h_tokens": 4, "web_searches": 1,
            "input_tokens": 1, "output_tokens": 2, "output_audio_tokens": 2}  # fmt: skip
    assert price("claude-opus-4-6", "fast", **used) == (
        30_000 + 6 * 40_000 + 4 * 60_000 + 8_000_000 + 2 * 3_000, None,
    )  # fmt: skip
    assert price("claude-opus-4-6", None, input_tokens=1, web_searches=1) == (5_002_500, None)
    assert price("claude-opus-4-8", "batch", input_tokens=2) == (2_500, None)
    assert price("our-llama", "batch", input_tokens=2) == (None, "no rate for batch")
    assert price("our-llama", None, input_tokens=2, web_searches=1) == (
        None, "no rate for web searches",
    )  # fmt: skip


def test_it_holds_from_its_first_instant_on() -> None:
    own = book(OWN, OWN | {"from": "2026-06-01", "input": "3"})
    march, june = at(2026, 3, 1), at(2026, 6, 1)
    prices = [own.price(None, "our-llama", ts, 1) for ts in (at(2026, 1, 1) - 1, march, june - 1,
                                                             june)]  # fmt: skip
    assert prices == [None, 2_000, 2_000, 3_000]


def test_the_closest_name_wins_whatever_its_day() -> None:
    own = book(
        {"model": "*", "input": "1", "from": "2026-09-01"},
        {"model": "gpt-*", "input": "2", "from": "2026-08-01"},
        {"model": "gpt-*", "provider": "azure", "input": "3"},
        {"model": "gpt-4o", "input": "4"},
        {"model": "gpt-4o", "provider": "openai", "input": "5"},
    )
    asked = [("openai", "gpt-4o"), ("azure", "GPT-4o"), ("azure", "gpt-5"), ("openai", "gpt-5"),
             ("x", "y"), (None, "openai/gpt-4o")]  # fmt: skip
    assert [own.price(*one, NOW, 1) for one in asked] == [5_000, 4_000, 3_000, 2_000, 1_000, 5_000]
    # Before the rule for everything began, the public price held.
    assert own.price("openai", "o3", at(2026, 8, 1), 1) == PUBLIC.price("openai", "o3", NOW, 1)


def test_an_alias_costs_what_the_other_model_does_at_every_date_and_length() -> None:
    own = book(
        {"model": "our-gemini", "alias": "google/gemini-2.5-pro", "from": "2020-01-01"},
        {"model": "chat", "alias": "deepseek/deepseek-chat", "from": "2020-01-01"},
    )
    for hour in range(24):
        for mine, theirs in (("our-gemini", ("google", "gemini-2.5-pro")),
                             ("chat", ("deepseek", "deepseek-chat"))):  # fmt: skip
            for counts in ((1, 2, 3, 4), (199_000, 1_000, 1, 5)):
                ts = at(2025, 6, 1, hour)
                assert own.price("house", mine, ts, *counts) == PUBLIC.price(*theirs, ts, *counts)


def test_a_discount_is_off_the_public_price() -> None:
    own = book({"model": "claude-*", "discount": "12.5", "from": "2026-11-01"},
               {"model": "our-gpt", "alias": "openai/gpt-4o", "discount": 100})  # fmt: skip
    sonnet = ("anthropic", "claude-sonnet-4-5")
    full = PUBLIC.price(*sonnet, NOW, 1_000, 0, 0, 1_000)
    assert full
    assert own.price(*sonnet, NOW, 1_000, 0, 0, 1_000) == full * 875 // 1_000
    assert own.price(*sonnet, at(2026, 10, 31), 1_000, 0, 0, 1_000) == full
    assert own.price(None, "our-gpt", NOW, 7) == 0
    assert own.price("anthropic", "claude-of-ours", NOW, 7) is None


@pytest.mark.parametrize(("name", "pattern", "found"), [
    ("gpt-4o", "gpt-4o", True), ("gpt-4o-mini", "gpt-4o", False), ("GPT-4o", "gpt-*", True),
    ("a-sonnet-b", "*sonnet*", True), ("sonnet", "s*t*t", False), ("aa", "a*a*a", False),
    ("anything", "*", True), ("x" * 900, "*x" * 200 + "y", False), ("a.b", "a*b", True),
    ("a+b", "a+*", True), ("ab", "a?", False),
])  # fmt: skip
def test_patterns(name: str, pattern: str, found: bool) -> None:
    assert matches(name, pattern) is found


@pytest.mark.parametrize(("raw", "field", "sentence"), [
    ({"input": "-1"}, "input", "the input price is negative"),
    ({"service_tier": "turbo"}, "service_tier", "the service tier is one of standard, batch, flex"),
    ({"web_searches": "-1"}, "web_searches", "the web searches price is negative"),
    ({"cache_write": "-1"}, "cache_write", "the cache write price is negative"),
    ({"input": "much"}, "input", "the input price is no number: 'much'"),
    ({"input": True}, "input", "the input price is no number: 'True'"),
    ({"input": "1e999999"}, "input", "the input price is at most $1,000,000"),
    ({"input": "1e-10"}, "input", "the input price has more than 9 decimals"),
    ({"input": "NaN"}, "input", "the input price is no number: 'NaN'"),
    ({"discount": "101"}, "discount", "the discount is a percentage from 0 to 100"),
    ({"alias": "openai/nothing-like-it"}, "alias", "is not in the public price book"),
    ({"alias": "openai/gpt-4o", "input": 1}, "alias", "not both"),
    ({"input": None, "output": ""}, "input", "name a price"),
    ({"model": " "}, "model", "name a model"),
    ({"model": 7}, "model", "must be plain text"),
    ({"from": "last week"}, "from", "no date like 2026-11-01"),
    ({"from": ""}, "from", "is missing"),
    ({"from": "1999-12-31"}, "from", "outside the years"),
    ({"note": "x" * 501}, "note", "at most 500 characters"),
    ({"colour": "red"}, "colour", "a price has no 'colour'"),
])  # fmt: skip
def test_what_is_wrong_is_one_sentence(raw: dict[str, Any], field: str, sentence: str) -> None:
    given = OWN | ({"input": None, "output": None} if "discount" in raw else {}) | raw
    if field == "alias" and "input" not in raw:
        given |= {"input": None, "output": None}
    with pytest.raises(Refused) as refusal:
        draft(given)
    assert refusal.value.parameter == field
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_entries_are_kept_exactly_and_audited(state: State) -> None:
    kept = create(state, ROOT, OWN | {"input": "0.123456789", "note": "contract 7"})
    assert list_prices(state, ROOT.scope) == [kept]
    assert kept.input == Decimal("0.123456789")
    edited = change(state, ROOT, kept.id, OWN | {"output": "5"})
    assert (edited.output, edited.note) == (Decimal(5), "")
    remove(state, ROOT, kept.id)
    assert list_prices(state, ROOT.scope) == []
    trail = [(one.action, one.thing) for one in entries(state, ROOT.scope, 9)]
    assert trail == [(done, f"price {kept.id}") for done in ("delete", "edit", "create")]
    with pytest.raises(Unknown):
        remove(state, ROOT, kept.id)


def test_one_day_has_one_price_of_a_model(state: State) -> None:
    kept = create(state, ROOT, OWN)
    other = create(state, ROOT, OWN | {"from": "2026-02-01"})
    for act in (lambda: create(state, ROOT, OWN | {"model": "OUR-llama", "input": 9}),
                lambda: change(state, ROOT, other.id, OWN)):  # fmt: skip
        with pytest.raises(Refused, match=r"there is a price for .* from 2026-01-01 already"):
            act()
    assert change(state, ROOT, kept.id, OWN) == kept


@pytest.mark.parametrize("hand", [LEADER, ANA])
def test_only_those_who_set_up_the_house_see_or_set_prices(state: State, hand: Actor) -> None:
    kept = create(state, ROOT, OWN)
    doors: list[Any] = [
        lambda: list_prices(state, hand.scope), lambda: entry(state, hand.scope, kept.id),
        lambda: create(state, hand, OWN | {"from": "2026-03-01"}),
        lambda: change(state, hand, kept.id, OWN | {"input": 0}),
        lambda: remove(state, hand, kept.id),
    ]  # fmt: skip
    for door in doors:
        with pytest.raises(Forbidden):
            door()
    assert list_prices(state, ROOT.scope) == [kept]


def test_the_book_is_of_the_present_and_the_same_while_nothing_changes(state: State) -> None:
    books, elsewhere = PriceBookStore(state), PriceBookStore(state)
    assert books() is books()
    kept = create(state, ROOT, OWN)
    first = books()
    assert first.price(None, "our-llama", NOW, 1) == elsewhere().price(None, "our-llama", NOW, 1)
    assert books() is first
    change(state, ROOT, kept.id, OWN | {"input": "7"})
    assert books().price(None, "our-llama", NOW, 1) == 7_000
    assert first.price(None, "our-llama", NOW, 1) == 2_000
    remove(state, ROOT, kept.id)
    assert books().price(None, "our-llama", NOW, 1) is None


CALL = {"ts": "2026-11-20T09:00:00Z", "kind": "llm", "channel": "api", "source": "test",
        "status": "ok", "model": "our-llama", "input_tokens": 1_000}  # fmt: skip


@pytest.fixture
def sink(state: State, tmp_path: Path) -> Iterator[EventStore]:
    opened = open_events("duckdb://", PriceBookStore(state))
    yield opened
    opened.close()


def stored(sink: EventStore, columns: str) -> list[tuple[Any, ...]]:
    with sink.sql.connect() as connection:
        told = connection.exec_driver_sql(f"SELECT {columns} FROM events ORDER BY event_id")
        return [tuple(row) for row in told]


def test_what_arrives_is_priced_by_the_present_book(state: State, sink: EventStore) -> None:
    ingest([("1", CALL | {"event_id": "a"})], sink)
    create(state, ROOT, OWN)
    ingest([("2", CALL | {"event_id": "b"})], sink)
    ingest([("3", CALL | {"event_id": "c"})], sink, book=PUBLIC)
    found = stored(sink, "cost_nano, cost_origin")
    assert found == [(None, "unpriced"), (2_000_000, "list"), (None, "unpriced")]


def test_a_reported_cost_keeps_its_list_cost_beside_it(state: State, sink: EventStore) -> None:
    create(state, ROOT, OWN | {"cached_input": "0.5"})
    told = {"cost_nano": 5, "cached_input_tokens": 1_000}
    ingest([("1", CALL | {"event_id": "a"} | told),
            ("2", CALL | {"event_id": "b", "model": "nobody's"} | told),
            ("3", CALL | {"event_id": "c", "cached_input_tokens": 1_000})], sink)  # fmt: skip
    assert stored(sink, "cost_nano, cost_origin, list_cost_nano, cache_saved_nano") == [
        (5, "reported", 2_500_000, 1_500_000),
        (5, "reported", None, None),
        (2_500_000, "list", None, 1_500_000),
    ]
