"""Prices unit by unit: what is quoted, what stands for what is not, and what an own entry says."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Final

import pytest
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from data.events.table import FIELDS, LARGEST_COUNT, micros
from data.prices.book import PUBLIC, PriceBook
from data.prices.book import public as public_prices
from data.prices.draft import draft
from data.prices.entries import Entry
from data.prices.public_book import BEGINNING
from data.prices.quoted import quoted
from data.prices.rates import Prices, Rates, Usage, When

D: Final = Decimal
NONE: Final[dict[str, Any]] = dict.fromkeys(FIELDS)
NOON: Final = micros(datetime(2026, 11, 20, 12, tzinfo=UTC))
EVERY: Final = {
    "input": "2", "cached_input": "0.2", "cache_write": "2.5", "cache_write_1h": "4", "output": "8",
    "input_audio": "3", "output_audio": "9", "input_image": "5", "output_image": "11",
    "web_searches": "10", "request": "0.001",
}  # fmt: skip


def model(prices: Any, variants: Any = None, name: str = "m") -> ModelInfo:
    return ModelInfo(name, ClauseEquals("m"), prices=prices, price_variants=variants)


def input_of(prices: Prices, tier: str = "standard") -> list[Any]:
    """Per rule when it applies, and the input rate of its first step."""
    return [(when, steps and steps[0][1].input) for when, steps in prices.by_tier[tier]]


def own(**raw: Any) -> Entry:
    return draft({"model": "m", "from": "2026-01-01"} | raw, 1)


# What a call is billed for


def test_no_token_is_billed_twice() -> None:
    call = NONE | {
        "input_tokens": 100, "input_audio_tokens": 10, "input_image_tokens": 5,
        "cached_input_tokens": 7, "cache_write_tokens": 20, "cache_write_1h_tokens": 8,
        "output_tokens": 50, "output_audio_tokens": 4, "output_image_tokens": 3,
        "reasoning_tokens": 13, "web_searches": 2,
    }  # fmt: skip
    usage = Usage.of(call)
    assert usage == (85, 7, 12, 30, 8, 10, 5, 4, 3, 13, 2)
    assert usage.prompt == 85 + 7 + 12 + 8 + 10 + 5
    assert Usage.of(NONE | {"output_tokens": 9}) == Usage(output=9)
    assert Usage.of(NONE | {"input_audio_tokens": 9, "web_searches": 1}) == Usage(web_searches=1)


def test_each_unit_has_its_rate() -> None:
    rates = Rates(*(D(10**n) for n in range(12)))
    usage = Usage(1, 2, 3, 4)
    assert rates.cost(usage) == 14_321
    every = Usage(1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2)
    assert rates.cost(every) == 219_876_514_321


def test_images_and_reasoning_pay_as_the_text_about_them() -> None:
    plain = Rates(D(2), D(1), D(3), D(8))
    assert plain.cost(Usage(input_image=5, reasoning=7)) == 5 * 2 + 7 * 8
    used = {"cache_write_1h": "one-hour cache writes", "web_searches": "web searches",
            "input_audio": "audio input", "output_audio": "audio output",
            "output_image": "image output"}  # fmt: skip
    for name, words in used.items():
        assert plain.lacking(Usage(**{name: 1})) == words
        assert Rates(*[D(1)] * 12).lacking(Usage(**{name: 1})) is None
    assert plain.lacking(Usage(1, 1, 1, 1, input_image=1, reasoning=1)) is None


def test_a_discount_is_exact_and_of_every_rate() -> None:
    less = Rates(D(200), D(100), D(40), D(4), D(1), web_searches=D(10)).less(D(25))
    assert less == Rates(D(150), D(75), D(30), D(3), D("0.75"), web_searches=D("7.5"))
    third = Rates(D("1e-8"), D(0), D(0), D(0)).less(D("33.33"))
    assert third.input == D("7e-9")
    schedule = ((None, ((-1, less), (100, less))), (None, None))
    fewer = Prices({"standard": schedule, "batch": ()}).less(D(100))
    assert fewer.by_tier["batch"] == ()
    assert fewer.standard[1] == (None, None)
    assert [(start, rates.input) for start, rates in fewer.standard[0][1] or ()] == [
        (-1, D(0)), (100, D(0)),
    ]  # fmt: skip


def test_something_holds_from_its_day_on_between_its_times() -> None:
    def active(when: When, *moment: int) -> bool:
        return when.active(datetime(*moment, tzinfo=UTC))  # type: ignore[misc,arg-type]

    day, night = When(date(2026, 2, 1)), When(between=(time(22), time(6)))
    assert [active(day, 2026, 1, 31, 23), active(day, 2026, 2, 1)] == [False, True]
    assert [hour for hour in (21, 22, 5, 6) if active(night, 2026, 2, 1, hour)] == [22, 5]
    both = When(date(2026, 2, 1), (time(22), time(6)))
    assert [active(both, 2026, 2, 1, 12), active(both, 2026, 1, 1, 23)] == [False, False]
    assert active(both, 2026, 2, 1, 23)
    assert active(When(), 2026, 2, 1)


# What the library quotes


def test_a_longer_prompt_pays_by_its_step() -> None:
    prices = ModelPrice(
        input_mtok=TieredPrices(D(1), [Tier(100, D(2)), Tier(200, D(3))]),
        output_mtok=TieredPrices(D(4), [Tier(150, D(5))]),
        cache_write_mtok=D(6), requests_kcount=D(7), web_searches_kcount=D(8),
        output_reasoning_mtok=D(9),
    )  # fmt: skip
    (((when, steps),)) = quoted(model(prices)).standard
    assert when is None
    found: list[Any] = [(start, rates.input, rates.output) for start, rates in steps or ()]
    assert found == [
        (-1, 1_000, 4_000), (100, 2_000, 4_000), (150, 2_000, 5_000), (200, 3_000, 5_000),
    ]  # fmt: skip
    first = (steps or ())[0][1]
    assert first == Rates(D(1_000), D(1_000), D(6_000), D(4_000), D(7_000_000),
                          web_searches=D(8_000_000), reasoning=D(9_000))  # fmt: skip


def test_what_is_not_quoted_is_free_or_pays_as_input_or_is_not_sold() -> None:
    def rates(name: str = "m", **prices: Any) -> Rates | None:
        steps = quoted(model(ModelPrice(**prices), name=name)).standard[0][1]
        return steps[0][1] if steps else None

    assert rates(input_mtok=D(1)) == Rates(D(1_000), D(1_000), D(1_000), D(0),
                                           cache_write_1h=D(1_000))  # fmt: skip
    assert rates(output_mtok=D(1)) == Rates(D(0), D(0), D(0), D(1_000), cache_write_1h=D(0))
    assert rates(input_mtok=D(1), cache_write_1h_mtok=D(2)).cache_write_1h == 2_000  # type: ignore[union-attr]
    assert rates(input_mtok=D(1), cache_write_mtok=D(2)).cache_write_1h is None  # type: ignore[union-attr]
    assert rates(requests_kcount=D(1)) is None
    assert rates(requests_kcount=D(1), name="m:free") is not None
    assert quoted(model([])).standard == ((None, None),)


def test_prices_by_day_are_tried_latest_first() -> None:
    since = [StartDateConstraint(date(2026, month, 1)) for month in (3, 6)]
    one, two, three = (ModelPrice(input_mtok=D(n)) for n in (1, 2, 3))
    rules = [ConditionalPrice(prices=one), ConditionalPrice(since[0], prices=two),
             ConditionalPrice(TimeOfDateConstraint(time(1), time(2)), prices=three)]  # fmt: skip
    assert input_of(quoted(model(rules))) == [
        (When(between=(time(1), time(2))), 3_000), (When(date(2026, 3, 1)), 2_000), (None, 1_000),
        (None, 1_000),
    ]  # fmt: skip


def test_a_tier_replaces_the_standard_price_unit_by_unit() -> None:
    batch = PriceVariant({"processing": "batch"}, ModelPrice(output_mtok=D(2)))
    prices = quoted(model(ModelPrice(input_mtok=D(1), output_mtok=D(4)), [batch]))
    ((when, steps), *rest) = prices.by_tier["batch"]
    assert when is None
    found: list[Any] = [(one.input, one.output) for _, one in steps or ()]
    assert found == [(1_000, 2_000)]
    assert {one for _, one in rest} == {None}
    assert prices.by_tier.keys() == {"standard", "batch"}


def test_a_tier_holds_before_its_first_day_while_the_standard_price_was_the_same() -> None:
    rules = [ConditionalPrice(prices=ModelPrice(input_mtok=D(9))),
             ConditionalPrice(StartDateConstraint(date(2026, 3, 1)),
                              prices=ModelPrice(input_mtok=D(4)))]  # fmt: skip
    tiers = [PriceVariant({"service_tier": "flex"}, ModelPrice(input_mtok=D(price)),
                          StartDateConstraint(date(2026, month, 1)))
             for month, price in ((7, 1), (5, 2))]  # fmt: skip
    flex = quoted(model(rules, tiers)).by_tier["flex"]

    def at(month: int) -> Any:
        moment = datetime(2026, month, 2, tzinfo=UTC)
        steps = next(steps for when, steps in flex if when is None or when.active(moment))
        return steps and steps[0][1].input

    assert [at(month) for month in (2, 4, 6, 8)] == [None, 2_000, 2_000, 1_000]


def test_a_price_holds_in_one_time_of_the_day() -> None:
    night, noon = (TimeOfDateConstraint(time(hour), time(hour + 1)) for hour in (1, 12))
    rules = [ConditionalPrice(prices=ModelPrice(input_mtok=D(4))),
             ConditionalPrice(night, prices=ModelPrice(input_mtok=D(2)))]  # fmt: skip

    def flex(when: TimeOfDateConstraint) -> Prices:
        variant = PriceVariant({"service_tier": "flex"}, ModelPrice(input_mtok=D(1)), when)
        return quoted(model(rules, [variant]))

    assert input_of(flex(night), "flex")[0] == (When(between=(time(1), time(2))), 1_000)
    with pytest.raises(TypeError, match="two times of the day"):
        flex(noon)


def test_audio_of_google_is_input_where_it_has_no_other_price() -> None:
    plain, heard = ModelPrice(input_mtok=D(1)), ModelPrice(input_mtok=D(1), input_audio_mtok=D(3))
    found = [quoted(model(prices), provider).standard[0][1] for prices, provider in (
        (plain, "google"), (heard, "google"), (plain, "openai"))]  # fmt: skip
    assert [steps and steps[0][1].input_audio for steps in found] == [1_000, 3_000, None]


# What an own entry says


def test_an_entry_has_its_rates_and_input_or_output_stand_for_the_others() -> None:
    nano = {"web_searches": 10**6, "request": 10**9}
    every = {name: D(rate) * nano.get(name, 1_000) for name, rate in EVERY.items()}
    assert own(**EVERY).rates == Rates(**every)
    assert own(input="2", output="8").rates == Rates(
        D(2_000), D(2_000), D(2_000), D(8_000), D(0), D(2_000), D(2_000), D(2_000), D(8_000),
        D(8_000),
    )  # fmt: skip
    none = D(0)
    assert own(request="1").rates == Rates(none, none, none, none, D(10**9), *[none] * 5)
    assert own(cache_write="2").rates == Rates(none, none, D(2_000), none, none, D(2_000),
                                               none, none, none, none)  # fmt: skip
    assert own(discount="5").rates is own(alias="gpt-4o").rates is None


@pytest.mark.parametrize(("entry", "asked", "covered"), [
    ({}, ("openai", "m"), True), ({}, (None, "m"), True), ({}, (None, "n"), False),
    ({}, (None, "any/m"), True), ({"provider": "openai"}, ("OpenAI", "m"), True),
    ({"provider": "openai"}, (None, "m"), False),
    ({"provider": "openai"}, (None, "openai/m"), True),
    ({"provider": "openai"}, ("azure", "openai/m"), False),
    ({"service_tier": "batch"}, (None, "m"), True),
    ({"service_tier": "batch"}, (None, "m", "batch"), True),
    ({"service_tier": "batch"}, (None, "m", "standard"), False), ({}, (None, "m", "batch"), True),
])  # fmt: skip
def test_an_entry_speaks_of_models_and_tiers(entry: Any, asked: Any, covered: bool) -> None:
    assert own(input="1", **entry).covers(*asked) is covered


def test_an_entry_is_kept_as_a_row_and_read_again() -> None:
    entry = own(provider="openai", service_tier="batch", note="n", **EVERY)
    assert Entry.of(SimpleNamespace(_asdict=lambda: entry.row() | {"id": 1})) == entry
    assert "id" not in entry.row()
    assert entry.as_dict() == {
        "provider": "openai", "model": "m", "service_tier": "batch", "from": "2026-01-01", **EVERY,
        "alias": None, "discount": None, "note": "n",
    }  # fmt: skip
    amounts = own(input="1E+2", output="0.50").as_dict()
    assert (amounts["input"], amounts["output"]) == ("100", "0.5")
    assert own(input="1").since == micros(datetime(2026, 1, 1, tzinfo=UTC))
    assert (own(input="1").id, own(input="1").at, own(input="1").who) == (1, 0, "")


# What the book answers


def test_of_the_entries_that_have_begun_the_closest_holds() -> None:
    raws = [{"model": "m*", "input": "1"}, {"model": "m", "input": "2"},
            {"model": "m", "input": "3", "from": "2026-06-01"},
            {"model": "m", "input": "4", "service_tier": "batch"},
            {"model": "m", "input": "5", "provider": "openai", "from": "2027-01-01"},
            {"model": "*", "input": "6", "from": "2026-08-01"}]  # fmt: skip
    book = PriceBook(draft({"from": "2026-01-01"} | raw, n) for n, raw in enumerate(raws, 1))

    def day(*parts: int) -> int:
        return micros(datetime(*parts, tzinfo=UTC))  # type: ignore[misc,arg-type]

    def held(provider: str | None, name: str, *parts: int) -> int | None:
        found = book.holding(provider, name, day(*parts))
        return found.id if found else None

    assert [held(None, name, 2026, 6, 1) for name in ("m", "mm", "n")] == [3, 1, None]
    assert (held(None, "m", 2026, 5, 31), held(None, "m", 2025, 12, 31)) == (2, None)
    assert (held("openai", "m", 2026, 12, 1), held("openai", "m", 2027, 1, 1)) == (3, 5)
    assert (held(None, "mm", 2026, 12, 1), held(None, "n", 2026, 12, 1)) == (1, 6)
    assert book.price(None, "m", day(2026, 6, 1), 1) == 3_000
    (((start, first),)) = book.steps(None, "m", day(2026, 6, 1)) or ()
    assert (start, first) == (-1, own(input="3").rates)
    assert book.price(None, "m", day(2026, 6, 1) - 1, 1) == 2_000
    batch = NONE | {"model": "m", "ts": day(2026, 7, 1), "input_tokens": 1, "service_tier": "batch"}
    assert book.price_of(batch) == (4_000, None)


def test_a_call_is_priced_whole_and_a_sum_of_calls_by_the_first_step() -> None:
    book = PriceBook()
    long = NONE | {"provider": "google", "model": "gemini-2.5-pro", "ts": NOON}
    long |= {"input_tokens": 200_001}
    dear, none = book.price_of(long)
    cheap, _ = book.price_of(long | {"input_tokens": 200_000})
    assert none is None
    assert (dear, cheap) == (200_001 * 2_500, 200_000 * 1_250)
    # The answer is no part of the prompt.
    answered = long | {"input_tokens": 200_000, "output_tokens": 5}
    assert book.price_of(answered) == (200_000 * 1_250 + 5 * 10_000, None)
    searched, _ = book.price_of(long | {"web_searches": 1})
    search = (searched or 0) - (dear or 0)
    assert search > 0
    for many in ({"request_count": 2}, {"tags": '{"many_prompts":true}'}):
        assert book.price_of(long | many) == (200_001 * 1_250, None)
        both = book.price_of(long | many | {"web_searches": 1})
        assert both == (200_001 * 1_250 + search, None)
    assert book.price_of(long | {"request_count": 1, "tags": "{}"}) == (dear, None)
    assert book.price("google", "gemini-2.5-pro", NOON, None, None, None, 1) == 10_000


def test_of_rules_none_of_which_holds_the_last_does() -> None:
    rates = [Rates(D(n), D(n), D(n), D(n)) for n in (1, 2)]
    later = [(When(date(2030, month, 1)), ((-1, one),)) for month, one in enumerate(rates, 1)]
    known = SimpleNamespace(start=BEGINNING, prices=Prices({"standard": tuple(later)}))
    public: Any = SimpleNamespace(plan=lambda *_: (known,), stretch=lambda *_: known)
    book = PriceBook(public=public)
    first = micros(datetime(2030, 1, 1, tzinfo=UTC))
    assert [book.price(None, "m", ts, 1) for ts in (first - 1, first)] == [2, 1]


def test_who_has_no_prices_of_their_own_has_the_public_ones() -> None:
    assert public_prices() is PUBLIC
    assert PUBLIC.entries == ()


def test_a_cost_that_cannot_be_stored_is_none() -> None:
    book = PriceBook([own(input="1")])
    call = NONE | {"model": "m", "ts": NOON}
    most = LARGEST_COUNT // 1_000
    assert book.price_of(call | {"input_tokens": most}) == (LARGEST_COUNT, None)
    cost, reason = book.price_of(call | {"input_tokens": most + 1})
    assert (cost, bool(reason)) == (None, True)


def test_a_model_that_nobody_knows_is_unknown_in_every_tier() -> None:
    call = NONE | {"provider": "openai", "model": "nothing-like-it", "ts": NOON, "input_tokens": 1}
    for tier in (None, "standard", "batch"):
        assert PUBLIC.price_of(call | {"service_tier": tier}) == (None, "unknown model")


def test_rates_are_those_of_short_prompts_or_none() -> None:
    book, day = PriceBook([own(input="1")]), datetime(2026, 11, 20, tzinfo=UTC)
    found = book.rates(None, "m", day)
    assert found is not None
    assert found.input == 1_000
    assert book.rates(None, "nothing-like-it", day) is None
    pro = book.rates("google", "gemini-2.5-pro", day)
    assert pro is not None
    assert pro.input == 1_250
