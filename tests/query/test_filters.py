"""Filters as a WHERE clause: exactly the rows that were asked for, and what cannot be asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
import sqlalchemy as sa

from data.access.people import Alias, People
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.errors import Refused
from data.events.table import EVENTS, Event
from data.query.filters import Filters, operator_of, parse, spell_about
from data.query.windows import Window

NOW: Final = 1_795_176_000_000_000  # 2026-11-20T12:00Z, a Friday
SECOND: Final = 1_000_000
ANA: Final = Scope.of({"sub": "a@x"}, People([Alias("a@x", "ana")]))
HOUR: Final = {"preset": "last_n_hours", "n": "1"}
Make = Callable[..., Event]


def kept(filters: Filters, scope: Scope, store: EventStore) -> set[str]:
    with store.sql.connect() as connection:
        found = sa.select(EVENTS.c.event_id).where(filters.predicate(scope))
        return set(connection.execute(found).scalars())


def test_a_window_holds_its_start_and_not_its_end(store: EventStore, event: Make) -> None:
    hour = 3_600 * SECOND
    instants = {"before": NOW - hour - 1, "first": NOW - hour, "last": NOW - 1, "after": NOW}
    store.write([event(event_id=name) | {"ts": ts} for name, ts in instants.items()])
    assert kept(Filters(parse(HOUR, NOW).window), ANA, store) == {"first", "last"}


@pytest.mark.parametrize(("choice", "wanted"), [
    ({"model": ["m1"]}, {"m1"}),
    ({"model": ["m1", "m2", "m1"]}, {"m1", "m2"}),
    ({"model": ["(none)"]}, {"none"}),
    ({"model": ["m1", "(none)"]}, {"m1", "none"}),
    ({"not_model": ["m1"]}, {"m2", "none"}),
    ({"not_model": ["m1", "(none)"]}, {"m2"}),
    ({"not_model": ["(none)"]}, {"m1", "m2"}),
    ({"model": ["m1", "m2"], "not_model": ["m2"]}, {"m1"}),
    ({"model": []}, {"m1", "m2", "none"}),
])  # fmt: skip
def test_values_are_kept_or_left_out(
    store: EventStore, event: Make, choice: dict[str, Any], wanted: set[str]
) -> None:
    names = {"m1": "m1", "m2": "m2", "none": None}
    store.write([event(event_id=name, model=model) for name, model in names.items()])
    assert kept(parse(choice, NOW + SECOND), ANA, store) == wanted


@pytest.mark.parametrize(("choice", "wanted"), [
    ({"user": ["me"]}, {"ana", "a@x"}),
    ({"user": ["me", "bob"]}, {"ana", "a@x", "bob"}),
    ({"user": ["a@x"]}, {"ana", "a@x"}),
    ({"user": ["bob", "(none)"]}, {"bob", "none"}),
    ({"not_user": ["me"]}, {"bob", "me", "none"}),
    ({"not_user": ["bob"]}, {"ana", "a@x", "me", "none"}),
    ({"not_user": ["ana", "(none)"]}, {"bob", "me"}),
    ({"project": ["me"]}, {"bob"}),
])  # fmt: skip
def test_me_is_the_reader_under_any_id_and_a_user_all_their_ids(
    store: EventStore, event: Make, choice: dict[str, Any], wanted: set[str]
) -> None:
    users = {name: name for name in ("ana", "a@x", "bob", "me")} | {"none": None}
    store.write([event(event_id=name, user=user, project="me" if user == "bob" else "web")
                 for name, user in users.items()])  # fmt: skip
    assert kept(parse(choice, NOW + SECOND), ANA, store) == wanted


@pytest.mark.parametrize(("choice", "wanted"), [
    ({"hour": ["1"]}, {"late"}), ({"weekday": ["4"]}, {"late", "noon"}),
    ({"weekday": ["4"], "not_hour": ["1"]}, {"noon"}),
    ({"hour": ["13"], "not_weekday": ["4"]}, set()),
    ({"hour": ["0", "13"]}, {"noon"}),
])  # fmt: skip
def test_hours_and_weekdays_are_of_the_readers_zone(
    store: EventStore, event: Make, choice: dict[str, Any], wanted: set[str]
) -> None:
    store.write([event(event_id="late", ts="2026-11-20T00:30:00Z"),
                 event(event_id="noon", ts="2026-11-20T12:00:00Z")])  # fmt: skip
    assert kept(parse({"tz": "Europe/Berlin", **choice}, NOW + SECOND), ANA, store) == wanted


def test_a_zone_is_the_readers_until_they_choose_one() -> None:
    assert parse({}, NOW).window.zone == "UTC"
    assert parse({}, NOW, "Asia/Tokyo").window.zone == "Asia/Tokyo"
    assert parse({"tz": "Europe/Berlin"}, NOW, "Asia/Tokyo").window.zone == "Europe/Berlin"


def test_a_window_of_ones_own_has_the_ends_that_were_chosen() -> None:
    ends = {"from": "2026-11-20T10:00", "to": "2026-11-20T11:00"}
    window = parse({"preset": "custom", **ends, "tz": "Europe/Berlin"}, NOW).window
    assert (window.start, window.end) == (NOW - 3 * 3_600 * SECOND, NOW - 2 * 3_600 * SECOND)


def test_n_is_read_where_it_means_something() -> None:
    assert parse({"preset": "last_month", "n": "many"}, NOW).window.n is None
    assert [parse({"n": n}, NOW).window.n for n in (None, "", "3", 3)] == [7, 7, 3, 3]
    with pytest.raises(Refused, match="N must be a whole number, not 'many'"):
        parse({"n": "many"}, NOW)


@pytest.mark.parametrize(("values", "sentence"), [
    ("m1", "model must be a list of names"),
    (["m1", 7], "model must be a list of names"),
    ([str(n) for n in range(501)], "model takes at most 500 values"),
    (["x" * 1_001], "a model is a name of at most 1,000 characters"),
    (["a\x00"], "a model is a name of at most 1,000 characters"),
])  # fmt: skip
def test_what_is_no_list_of_names_is_refused(values: Any, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence) as refusal:
        parse({"model": values}, NOW)
    assert refusal.value.parameter == "model"


def test_five_hundred_long_names_are_taken_each_once() -> None:
    names = [f"{n:01000}" for n in range(500)]
    assert parse({"model": names}, NOW).fields == (("model", tuple(names)),)
    assert parse({"model": ["a", "b", "a"]}, NOW).fields == (("model", ("a", "b")),)


@pytest.mark.parametrize(("name", "offered"), [
    ("channel", "platform, cli, api, other"), ("not_channel", "platform, cli, api, other"),
    ("weekday", "0, 1, 2, 3, 4, 5, 6"),
])  # fmt: skip
def test_a_refusal_names_the_values_there_are(name: str, offered: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse({name: ["fax"]}, NOW)
    assert str(refusal.value) == f"{name} is 'fax'; use one of {offered}"


def test_the_same_is_asked_about_the_earlier_window() -> None:
    earlier, model = Window(0, 2, "UTC"), (("model", ("m1",)),)
    asked = Filters(Window(2, 4, "UTC"), model, me=True, compared=earlier)
    assert asked.before() == Filters(earlier, model, me=True)
    assert asked.before().compared is None
    with pytest.raises(ValueError, match="nothing to compare with"):
        asked.before().before()


def test_a_window_is_answered_once_whatever_it_is_compared_with() -> None:
    window = Window(2, 4, "UTC")
    assert Filters(window) == Filters(window, compared=Window(0, 2, "UTC"))


def test_what_is_narrowed_goes_by_its_field() -> None:
    asked = Filters(Window(0, 2, "UTC"), (("not_model", ("m1",)), ("project", ("p",))), me=True)
    assert asked.names == {"model", "project", "user"}


@pytest.mark.parametrize(("name", "said"), [
    ("user", ""), ("not_user", "not_"), ("contains_user", "contains_"), ("not_model", "not_"),
])  # fmt: skip
def test_a_list_says_of_its_field_whether_it_is_or_is_not(name: str, said: str) -> None:
    assert operator_of(name) == said


def test_nobody_is_found_by_a_text_that_nobody_looked_for(store: EventStore, event: Make) -> None:
    store.write([event(event_id="one") | {"ts": NOW - 1}])
    everything = parse(HOUR, NOW).window
    assert kept(Filters(everything), ANA, store) == {"one"}
    assert kept(Filters(everything, (("user", ()),)), ANA, store) == set()
    assert kept(Filters(everything, (("found_user", ()),)), ANA, store) == set()
    with pytest.raises(ValueError, match="nobody looked whom contains_user means"):
        kept(Filters(everything, (("contains_user", ("a",)),)), ANA, store)


def test_what_is_asked_about_is_said_by_its_parameter() -> None:
    about = (("run_id", "r1"), ("user", "ana"))
    assert spell_about(about) == {"run_id": "r1", "of": "user:ana"}
