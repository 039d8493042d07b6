"""The ids of one person: what they mean, and how rows are read as the person's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
import sqlalchemy as sa

from data.access.people import NO_ALIASES, Alias, People, address
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.events.table import EVENTS, Event

PEOPLE: Final = People([Alias("a@x", "ana", "Ana Lopes"), Alias("key", "ana"), Alias("b", "bob")])
Make = Callable[..., Event]


def test_an_id_means_its_person_and_a_person_all_their_ids() -> None:
    people = [PEOPLE.person(one) for one in ("a@x", "ana", "b", "cyd")]
    assert people == ["ana", "ana", "bob", "cyd"]
    assert PEOPLE.ids("a@x") == PEOPLE.ids("ana") == ("ana", "a@x", "key")
    assert PEOPLE.every(("b", "a@x", "ana", "cyd")) == ("bob", "b", "ana", "a@x", "key", "cyd")
    assert PEOPLE.ids_by_person == {"ana": ("ana", "a@x", "key"), "bob": ("bob", "b")}
    assert (len(PEOPLE), len(NO_ALIASES)) == (3, 0)


def test_what_is_the_same_mapping_has_the_same_hash() -> None:
    one, two = (People([Alias("a", "x"), Alias("b", "y")][::step]) for step in (1, -1))
    assert one == two
    assert hash(one) == hash(two)
    assert one not in (NO_ALIASES, People([Alias("a", "x")]), People([Alias("a", "x", "X")]))
    assert one.__eq__(()) is NotImplemented


@pytest.mark.parametrize(
    ("id_", "found"),
    [("Ana@X.com", "ana@x.com"), ("Ana", None), ("ÁNA@x.com", None), ("ÁNA", None)],
)
def test_an_address_is_plain_letters_round_an_at_sign(id_: str, found: str | None) -> None:
    assert address(id_) == found


def test_claims_mean_the_person_and_never_by_their_email() -> None:
    assert Scope.of({"sub": "a@x"}, PEOPLE).user == "ana"
    assert Scope.of({"sub": "eve", "email": "a@x"}, PEOPLE).user == "eve"


UPPER: Final = (Alias("Ana@x.com", "ana@x.com"), Alias("key", "ana@x.com"))


@pytest.mark.parametrize(
    ("people", "user"),
    [
        (People(UPPER), "ana@x.com"),
        (People(), "ANA@X.com"),
        (People([Alias("key", "ana@x.com")]), "ANA@X.com"),  # nobody said that case is no matter
        (People([*UPPER, Alias("ANA@X.com", "bob")]), "bob"),
        (People([*UPPER, Alias("laptop", "ANA@X.com")]), "ANA@X.com"),
        (People([*UPPER, Alias("aNA@x.com", "bob")]), "ANA@X.com"),  # the address is two persons'
        (People(UPPER, distinct=("ANA@X.com",)), "ANA@X.com"),
    ],
)
def test_a_third_spelling_of_a_merged_address_signs_in_as_its_person(
    people: People, user: str, store: EventStore, event: Make
) -> None:
    users = ("ana@x.com", "Ana@x.com", "ANA@X.com", "aNa@X.COM", "key", "xana@x.com", "bob", None)
    store.write([event(user=one) for one in users])
    scope = Scope.of({"sub": "ANA@X.com"}, people)
    assert scope.user == user
    assert scope.is_me("ANA@X.com")
    with store.sql.connect() as connection:
        seen = set(connection.execute(sa.select(EVENTS.c.user).where(scope.predicate())).scalars())
    wanted = {"ana@x.com": {*users[:5]}, "ANA@X.com": {"ANA@X.com"}, "bob": {"ANA@X.com", "bob"}}
    assert seen == wanted[user]


def test_who_was_kept_apart_is_not_seen(store: EventStore, event: Make) -> None:
    store.write([event(user=one) for one in ("ana@x.com", "Ana@x.com", "ANA@X.com")])
    scope = Scope.of({"sub": "ana@x.com"}, People(UPPER, distinct=("ANA@X.com", "bob")))
    with store.sql.connect() as connection:
        seen = set(connection.execute(sa.select(EVENTS.c.user).where(scope.predicate())).scalars())
    assert seen == {"ana@x.com", "Ana@x.com"}
    assert scope.people != People(UPPER)


def test_rows_are_read_as_the_persons(store: EventStore, event: Make) -> None:
    rows = [("a@x", "a@x"), ("key", "Key"), ("bob", "Bob"), ("cyd", None), (None, None)]
    store.write([event(user=user, user_name=name) for user, name in rows])
    statement = PEOPLE.reading(sa.select(EVENTS.c.user, EVENTS.c.user_name))
    with store.sql.connect() as connection:
        found = [tuple(row) for row in connection.execute(statement)]
    assert sorted(found, key=str) == sorted(
        [("ana", "Ana Lopes"), ("ana", "Key"), ("bob", "Bob"), ("cyd", None), (None, None)], key=str
    )
    assert sorted((PEOPLE.called(*row) for row in rows), key=str) == sorted(found, key=str)


def test_what_reads_no_person_is_left_alone() -> None:
    models, users = sa.select(EVENTS.c.model), sa.select(EVENTS.c.user)
    assert PEOPLE.reading(models) is models
    assert PEOPLE.read(EVENTS.c.model) is EVENTS.c.model
    assert NO_ALIASES.reading(users) is users
    assert NO_ALIASES.joined(EVENTS) is EVENTS
    assert NO_ALIASES.read(EVENTS.c.user) is EVENTS.c.user
