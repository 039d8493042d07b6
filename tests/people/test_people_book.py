"""The book of aliases: what is refused, what is written down, who may, and what is suggested."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from data.access.people import NO_ALIASES
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.errors import Forbidden, Refused, Unknown
from data.events.table import Event, micros
from data.people import hints
from data.people.aliases import PersonDirectory, add, dismiss, dismissed, remove, stored_aliases
from data.people.hints import Hint, suggestions
from data.state.audit import Actor, entries
from data.state.store import State
from tests.accounts import add_account
from tests.serving import ADMIN, Claims, Served

NOW = micros(datetime(2026, 11, 20, 12, tzinfo=UTC))
ROOT = Actor(Scope.of({"sub": "root", "isAdmin": True}), "Root", NOW)
OTHERS = ({"sub": "ana"}, {"sub": "lena", "applications_admin": "web"})
Make = Callable[..., Event]


def tell(state: State, store: EventStore, **aliases: str) -> None:
    for alias, person in aliases.items():
        add(state, ROOT, {"alias": alias, "person": person}, store)


def pairs(state: State) -> dict[str, str]:
    return {one.id: one.person for one in stored_aliases(state, ROOT.scope)}


# --- the book


def test_an_alias_is_kept_with_who_and_when(state: State, store: EventStore, event: Make) -> None:
    store.write([event(user="ana", user_name="Ana Lopes"), event(user="a@x", user_name="a@x")])
    kept = add(state, ROOT, {"alias": " a@x ", "person": "ana"}, store)
    assert kept == ("a@x", "ana", "Ana Lopes", "root", NOW)
    assert stored_aliases(state, ROOT.scope) == [kept]
    remove(state, ROOT, "a@x")
    assert stored_aliases(state, ROOT.scope) == []
    gone, made = entries(state, ROOT.scope, 5)
    said = {"alias": "a@x", "person": "ana", "name": "Ana Lopes"}
    assert (made.action, made.thing, made.before, made.after) == ("create", "alias a@x", None, said)
    assert (gone.action, gone.before, gone.after) == ("delete", said, None)


def test_a_person_without_events_is_called_as_said(state: State, store: EventStore) -> None:
    add(state, ROOT, {"alias": "a@x", "person": "00u1", "name": "Ana"}, store)
    add(state, ROOT, {"alias": "a@y", "person": "00u1"}, store)
    assert {one.name for one in stored_aliases(state, ROOT.scope)} == {"Ana"}
    add(state, ROOT, {"alias": "a@y", "person": "00u1", "name": "Ana Lopes"}, store)
    assert {one.name for one in stored_aliases(state, ROOT.scope)} == {"Ana Lopes"}
    assert entries(state, ROOT.scope, 1)[0].changes() == [("name", "Ana", "Ana Lopes")]


def test_the_alias_of_an_alias_is_the_persons(state: State, store: EventStore) -> None:
    tell(state, store, b="a", c="b")
    assert pairs(state) == {"b": "a", "c": "a"}


@pytest.mark.parametrize(
    ("alias", "person", "field", "said"),
    [
        ("z", "z", "alias", "'z' cannot be an alias of itself"),
        ("a", "b", "alias", "'b' is an alias of 'a' already"),
        ("a", "z", "alias", "'a' is a person with aliases: remove those first"),
        ("b", "z", "alias", "'b' is an alias of 'a': remove that first"),
        ("", "z", "alias", "the alias is missing"),
        (7, "z", "alias", "the alias is not text"),
        ("z", None, "person", "the person is missing"),
        ("me", "z", "alias", "me is a word of the filters and nobody's id"),
        ("z", "(None)", "person", r"\(None\) is a word of the filters"),
        ("z\x00", "a", "alias", "a character that cannot be stored"),
        ("z" * 1_001, "a", "alias", "longer than 1,000 characters"),
    ],
)
def test_what_contradicts_is_refused_in_a_sentence(
    state: State, store: EventStore, alias: Any, person: Any, field: str, said: str
) -> None:
    tell(state, store, b="a")
    with pytest.raises(Refused, match=said) as refused:
        add(state, ROOT, {"alias": alias, "person": person}, store)
    assert refused.value.parameter == field
    assert pairs(state) == {"b": "a"}
    assert len(entries(state, ROOT.scope, 9)) == 1


def test_saying_the_same_again_changes_nothing(state: State, store: EventStore) -> None:
    tell(state, store, b="a")
    first = stored_aliases(state, ROOT.scope)
    later = Actor(ROOT.scope, "Root", NOW + 9)
    assert add(state, later, {"alias": "b", "person": "a"}, store) == first[0]
    assert (stored_aliases(state, ROOT.scope), len(entries(state, ROOT.scope, 9))) == (first, 1)


def test_there_is_a_most(state: State, store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.people.aliases.MOST", 2)
    tell(state, store, b="a", c="a")
    with pytest.raises(Refused, match="there are 2 aliases, the most"):
        tell(state, store, d="a")


def test_removing_what_is_none_is_unknown(state: State) -> None:
    with pytest.raises(Unknown, match="'b' is no alias of anybody"):
        remove(state, ROOT, "b")


@pytest.mark.parametrize("claims", OTHERS)
def test_the_book_is_for_platform_administrators(
    state: State, store: EventStore, claims: Claims
) -> None:
    hand = Actor(Scope.of(claims), "x", NOW)
    raw = {"alias": "b", "person": "ana"}
    for attempt in (
        lambda: add(state, hand, raw, store),
        lambda: remove(state, hand, "b"),
        lambda: dismiss(state, hand, raw),
        lambda: stored_aliases(state, hand.scope),
        lambda: dismissed(state, hand.scope),
        lambda: suggestions(state, hand.scope, store),
    ):
        with pytest.raises(Forbidden, match="platform administrators"):
            attempt()
    assert pairs(state) == {}


def test_the_roll_is_read_again_when_something_changed(
    state: State, store: EventStore, state_url: str
) -> None:
    roll = PersonDirectory(state)
    assert roll.now() == NO_ALIASES
    tell(state, store, b="a")
    first = roll.now()
    assert first.ids("a") == ("a", "b")
    assert roll.now() is first
    other = State(state_url)
    remove(other, ROOT, "b")
    other.close()
    assert roll.now() == NO_ALIASES


# --- suggestions


def test_ids_that_look_alike_are_suggested_with_the_reason(
    state: State, store: EventStore, event: Make
) -> None:
    held = [("ana", "Ana Lopes", 3), ("ana@x.org", None, 2), ("u-7", " ana  LOPES ", 1),
            ("Bob", None, 1), ("bob", None, 2), ("k-1", "cyd@x.org", 1), ("cyd@x.org", "Cyd", 4),
            ("dan", "Dan", 1), (None, "Ana Lopes", 1)]  # fmt: skip
    store.write([event(user=who, user_name=name) for who, name, n in held for _ in range(n)])
    assert suggestions(state, ROOT.scope, store) == [
        Hint("ana@x.org", "ana", "one word, as an id, before an @ or as a name: ana"),
        Hint("Bob", "bob", "one word, as an id, before an @ or as a name: bob"),
        Hint("k-1", "cyd@x.org", "the same e-mail address: cyd@x.org"),
        Hint("u-7", "ana", "the same name: ana lopes"),
    ]


def test_spellings_of_a_name_and_a_machine_of_theirs_are_suggested(
    state: State, store: EventStore, event: Make
) -> None:
    held = [("u-77", "Ann Lee", 5), ("ann.lee@x.com", None, 3), ("ann-laptop", None, 1),
            ("annlee", None, 2), ("Bo_Tan", None, 2), ("tan bo", None, 1), ("1-2", None, 1),
            ("2-1", None, 1), ("cy-laptop", None, 1), ("cy.day", None, 1), ("cy.may", None, 1),
            ("dev-laptop", None, 1)]  # fmt: skip
    store.write([event(user=who, user_name=name) for who, name, n in held for _ in range(n)])
    words = "the same words in some order, as an id, before an @ or as a name"
    same = "the same letters without dots, dashes and spaces"
    assert suggestions(state, ROOT.scope, store) == [
        Hint("ann.lee@x.com", "u-77", f"{same}: annlee"),
        Hint("annlee", "u-77", f"{same}: annlee"),
        Hint("ann-laptop", "u-77",
             "perhaps a key or a machine of theirs: only “ann lee” shares “ann”"),
        Hint("tan bo", "Bo_Tan", f"{words}: bo tan"),
    ]  # fmt: skip


def test_the_owner_of_a_key_is_suggested_for_an_id_of_its_name(
    state: State, store: EventStore, event: Make
) -> None:
    def used(user: str | None, key: str) -> None:
        store.write([event(user=user, tags=json.dumps({"key_alias": key}))])

    for user, key in (("u-77", "ci-key"), ("u-77", "ci-key"), ("a", "shared"), ("b", "shared"),
                      (None, "lost")):  # fmt: skip
        used(user, key)
    store.write([event(user=who) for who in ("CI_key", "shared", "lost")])
    assert suggestions(state, ROOT.scope, store) == [
        Hint("CI_key", "u-77", "all calls with the key of this name are theirs: ci-key")
    ]


def test_what_is_decided_is_not_suggested_again(
    state: State, store: EventStore, event: Make
) -> None:
    store.write([event(user=who, user_name="Ana") for who in ("a", "a", "b", "c")])
    assert [hint[:2] for hint in suggestions(state, ROOT.scope, store)] == [("b", "a"), ("c", "a")]
    dismiss(state, ROOT, {"alias": "b", "person": "a"})
    dismiss(state, ROOT, {"alias": "a", "person": "b"})
    assert len(entries(state, ROOT.scope, 9)) == 1
    tell(state, store, c="a")
    scope = Scope.of(ADMIN, PersonDirectory(state).now())
    assert suggestions(state, scope, store) == []


def test_an_account_is_the_person_and_its_address_a_hint(
    state: State, store: EventStore, event: Make
) -> None:
    add_account(state, "lopes", "Ana", "a long enough password", "ana@x.org")
    store.write([event(user="ana@x.org"), event(user="zoe")])
    assert suggestions(state, ROOT.scope, store) == [
        Hint("ana@x.org", "lopes", "the same e-mail address: ana@x.org")
    ]


def test_a_name_that_many_share_is_nobodys(state: State, store: EventStore, event: Make) -> None:
    many = [f"u{n}" for n in range(hints.MOST_ALIKE + 1)]
    store.write([event(user=who, user_name="CI") for who in many])
    assert suggestions(state, ROOT.scope, store) == []


# --- the doors for scripts


def test_scripts_read_and_change_them(served: Served) -> None:
    served.load([{"event_id": "1", "ts": "2026-11-01", "user": "a@x"}])
    made = served.ask("post", "aliases", json={"alias": "a@x", "person": "ana"})
    told = {"alias": "a@x", "person": "ana", "name": None, "who": "root",
            "at": "2026-11-20T12:00:00+00:00"}  # fmt: skip
    assert (made.status_code, made.json) == (201, told)
    assert served.ask("get", "aliases").json == {"aliases": [told | {"events": 1}]}
    assert served.ask("delete", "aliases", query_string={"alias": "a@x"}).status_code == 204
    assert served.ask("delete", "aliases", query_string={"alias": "a@x"}).status_code == 404
    assert served.ask("get", "aliases").json == {"aliases": []}


def test_scripts_read_and_dismiss_suggestions(served: Served) -> None:
    served.load(
        {"event_id": one, "ts": "2026-11-01", "user": one, "user_name": "Ana"} for one in "ab"
    )
    (one,) = served.ask("get", "aliases/suggestions").json["suggestions"]
    assert one == {"alias": "b", "person": "a", "why": "the same name: ana"}
    pair = {"alias": "b", "person": "a"}
    assert served.ask("post", "aliases/dismissed", json=pair).status_code == 204
    assert served.ask("get", "aliases/suggestions").json == {"suggestions": []}


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"{", b'{"alias": "a", "person": "b", "x": 1}'])
def test_a_body_that_says_nothing_is_refused(served: Served, body: bytes) -> None:
    for path in ("aliases", "aliases/dismissed"):
        answer = served.ask("post", path, data=body)
        assert answer.status_code == 400 or (path != "aliases" and b"alias" in body)


@pytest.mark.parametrize("claims", OTHERS)
def test_others_are_forbidden_at_every_door(served: Served, claims: Claims) -> None:
    pair = {"alias": "a", "person": claims["sub"]}
    for answer in (
        served.ask("get", "aliases", claims),
        served.ask("get", "aliases/suggestions", claims),
        served.ask("post", "aliases", claims, json=pair),
        served.ask("post", "aliases/dismissed", claims, json=pair),
        served.ask("delete", "aliases", claims, query_string={"alias": "a"}),
    ):
        assert (answer.status_code, answer.json["error"]["code"]) == (403, "forbidden")
    assert served.client.get("/api/v1/aliases").status_code == 401
