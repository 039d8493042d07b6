"""A choice from any door becomes the same filters, or one sentence."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callbacks.analytics import choices
from data.errors import Refused
from data.events.table import micros
from data.query.filters import LISTS, LONGEST_VALUE, MOST_VALUES, NAMES, parse, read_choice
from data.query.windows import PRESETS

NOW = micros(datetime.fromisoformat("2026-11-20T12:00:00+00:00"))
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20)


def test_nothing_chosen_is_the_last_seven_days_of_everything() -> None:
    filters = parse({}, NOW)
    assert (filters.window.preset, filters.window.n) == ("last_n_days", 7)
    assert (filters.fields, filters.me) == ((), False)


def test_what_is_not_said_or_blank_is_not_chosen() -> None:
    assert read_choice({}) == {}
    assert read_choice({"preset": ["", " "], "user": [" "], "colour": ["red"]}) == {}
    assert read_choice({"preset": [" last_hour "], "user": ["a", "a", "", "b"]}) == {
        "preset": "last_hour",
        "user": ["a", "b"],
    }


def test_me_is_no_name_and_is_kept_beside_others() -> None:
    filters = parse({"user": ["me", "ana", "me", "ana"]}, NOW)
    assert filters.me
    assert filters.fields == (("user", ("ana",)),)
    assert parse({"project": ["me"]}, NOW).fields == (("project", ("me",)),)


@pytest.mark.parametrize("values", [
    "ana", 7, {"a": 1}, [["ana"]], [None], ["x" * (LONGEST_VALUE + 1)], ["a\x00"],
    [str(n) for n in range(MOST_VALUES + 1)],
])  # fmt: skip
@pytest.mark.parametrize("name", ["user", "project", "model"])
def test_a_list_that_is_none_is_refused(name: str, values: Any) -> None:
    with pytest.raises(Refused) as refusal:
        parse({name: values}, NOW)
    assert refusal.value.parameter == name
    assert name in str(refusal.value)


@pytest.mark.parametrize("name", sorted({"channel", "status"}))
def test_a_value_that_cannot_be_is_refused_with_those_that_can(name: str) -> None:
    with pytest.raises(Refused, match=f"{name} is 'fax'; use one of "):
        parse({name: ["fax"]}, NOW)
    assert parse({name: ["(none)"]}, NOW).fields == ((name, ("(none)",)),)


@settings(derandomize=True, database=None, deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(sorted(LISTS)), st.lists(TEXT, min_size=1, unique=True)))
def test_an_address_says_a_choice_and_reads_back_the_same(lists: dict[str, list[str]]) -> None:
    choice: Any = {n: kept for n, v in lists.items() if (kept := [t for t in v if t.strip()])}
    choice["preset"] = "last_month"
    address = choices.to_address(choice)
    assert choices.from_address(address) == choice
    assert choices.to_address(choices.from_address(address)) == address


@settings(derandomize=True, database=None, deadline=None, max_examples=100)
@given(st.dictionaries(st.sampled_from(NAMES), st.one_of(
    st.none(), st.integers(), st.floats(), TEXT, st.lists(TEXT), st.sampled_from(sorted(PRESETS)),
    st.dictionaries(TEXT, TEXT),
)))  # fmt: skip
def test_any_store_is_filters_or_one_sentence(choice: dict[str, Any]) -> None:
    parameter, sentence = refused(choice)
    assert parameter in ("", *NAMES)
    assert bool(parameter) == (10 < len(sentence) < 2_500)


def refused(choice: dict[str, Any]) -> tuple[str, str]:
    """The parameter and the sentence of a refusal; empty where there are filters."""
    try:
        filters = parse(choice, NOW)
    except Refused as refusal:
        return refusal.parameter, str(refusal)
    assert filters.window.start < filters.window.end
    return "", ""


@pytest.mark.parametrize(("choice", "chip", "after"), [
    ({"user": ["a", "b"]}, ("user", "a"), {"user": ["b"], "not_user": ["a"]}),
    ({"user": ["b"], "not_user": ["a", "c"]}, ("not_user", ""), {"user": ["b", "a", "c"]}),
    ({"model": ["m"], "not_model": ["x"]}, ("model", "m"), {"not_model": ["x", "m"]}),
    # What is not chosen, or is no list, stays as it is.
    ({"user": ["a"]}, ("user", "z"), {"user": ["a"]}),
    ({"preset": "last_hour"}, ("time", "time"), {"preset": "last_hour"}),
])  # fmt: skip
def test_a_chip_turns_is_into_is_not(choice: Any, chip: tuple[str, str], after: Any) -> None:
    told = {"chip": chip[0], "value": chip[1], "flip": True}
    assert choices.remove_chips(choice, [told]) == after
