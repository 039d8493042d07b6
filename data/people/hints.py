"""Ids that look like the same person's, each with the reason: for an administrator to accept or
dismiss. Nothing here merges; a name or an address in an event proves nothing about its sender.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from data.access.people import People
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.people.aliases import dismissed
from data.people.key_owners import Owners, owners
from data.people.similar_names import letters_only, sorted_words, without_device_words, words
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.series import or_none
from data.query.windows import ALL_TIME
from data.state.store import State
from data.state.tables import ACCOUNTS

# A name that more ids share than this is a role's ("admin", "CI") and no person's.
MOST_ALIKE: Final = 6
MOST: Final = 200
Groups = dict[str, set[str]]
WHY: Final = {
    "mail": "the same e-mail address: {}",
    "id": "one word, as an id, before an @ or as a name: {}",
    "name": "the same name: {}",
    "letters": "the same letters without dots, dashes and spaces: {}",
    "words": "the same words in some order, as an id, before an @ or as a name: {}",
}
OWNER: Final = "all calls with the key of this name are theirs: {}"
DEVICE: Final = "perhaps a key or a machine of theirs: only {} shares “{}”"


@dataclass(frozen=True, slots=True)
class ObservedId:
    """An id as it is stored, what its events or account call it, and how many events it has."""

    id: str
    name: str | None
    events: int
    mail: str | None = None
    account: bool = False

    @property
    def spellings(self) -> list[str]:
        """All it may be known by."""
        return [text for text in (self.id, self.name, self.mail) if text]


class Hint(NamedTuple):
    """An id that may be an alias of a person, and why."""

    alias: str
    person: str
    why: str


def observed_ids(scope: Scope, store: EventStore) -> dict[str, ObservedId]:
    """Every id that events carry, nobody merged."""
    query = Query(("events",), ("user",), Filters(ALL_TIME))
    frame = run(query, scope.without_aliases(), store)
    rows = zip(frame["user"], frame["user_name"], frame["events"], strict=True)
    return {
        id_: ObservedId(id_, or_none(name), int(events))
        for id_, name, events in rows
        if or_none(id_) is not None
    }


def suggestions(state: State, scope: Scope, store: EventStore) -> list[Hint]:
    """Pairs that nobody decided about yet, those of the most events first; `Forbidden` likewise."""
    different = dismissed(state, scope)
    ids = observed_ids(scope, store)
    for one in _accounts(state):
        ids[one.id] = ObservedId(one.id, one.name, ids[one.id].events if one.id in ids else 0,
                           one.mail, account=True)  # fmt: skip
    found: dict[frozenset[str], Hint] = {}
    for hint in (*_owned(ids, scope.people, owners(scope.without_aliases(), store)),
                 *_alike(ids, scope.people)):  # fmt: skip
        found.setdefault(frozenset(hint[:2]), hint)
    open_ = [hint for pair, hint in found.items() if pair not in different]
    return sorted(open_, key=lambda one: (-ids[one.alias].events, one))[:MOST]


def _accounts(state: State) -> list[ObservedId]:
    columns = sa.select(ACCOUNTS.c.id, ACCOUNTS.c.name, ACCOUNTS.c.email)
    with state.reading() as connection:
        return [ObservedId(id_, name, 0, mail) for id_, name, mail in connection.execute(columns)]


def _alike(ids: dict[str, ObservedId], people: People) -> Iterator[Hint]:
    """Everybody of a group, paired with the one who would be the person."""
    rank = _ranking(ids, people)
    for reason, why in WHY.items():
        groups = _groups(ids.values(), people, reason)
        for key, group in groups.items():
            if 1 < len(group) <= MOST_ALIKE:
                yield from _paired(group, ids, people, rank, why.format(key[:80]))
    yield from _devices(ids, people, groups, rank)


def _owned(ids: dict[str, ObservedId], people: People, keys: Owners) -> Iterator[Hint]:
    """An id that is called as a key with which one other person alone makes calls."""
    by_name = {letters_only(key) or key.casefold(): key for key in keys}
    for one in ids.values():
        key = by_name.get(letters_only(one.id) or one.id.casefold())
        persons = {people.person(user) for user in keys[key]} - {one.id} if key else set()
        if len(persons) == 1 and len(people.ids(one.id)) == 1:
            yield Hint(one.id, persons.pop(), OWNER.format(key))


def _groups(all_: Iterable[ObservedId], people: People, reason: str) -> Groups:
    groups: Groups = {}
    observed = list(all_)
    for one in observed:
        for key in _keys(one, reason):
            groups.setdefault(key, set()).add(people.person(one.id))
    if reason == "id":
        for one in observed:
            groups.get(_name(one), set()).add(people.person(one.id))
    return groups


def _keys(one: ObservedId, reason: str) -> Iterable[str]:
    name, folded = _name(one), one.id.casefold()
    if reason == "id":
        return {folded, folded.partition("@")[0] or folded}
    if reason == "mail":
        return {text for text in (folded, name, (one.mail or "").casefold()) if "@" in text}
    if reason == "letters":
        return {letters_only(text) for text in one.spellings} - {""}
    if reason == "words":
        return {sorted_words(words(text)) for text in one.spellings} - {""}
    return {name} if len(name) > 1 else ()


def _devices(
    ids: dict[str, ObservedId], people: People, named: Groups, rank: Callable[[str], Any]
) -> Iterator[Hint]:
    """An id like `ann-laptop`, where one name alone has the words that are of nobody's laptop."""
    names_by_word: dict[str, set[str]] = {}
    for name in named:
        if not without_device_words(found := frozenset(name.split())):
            for word in found:
                names_by_word.setdefault(word, set()).add(name)
    for one in ids.values():
        rest = without_device_words(words(one.id))
        names = (
            set.intersection(*(names_by_word.get(word, set()) for word in rest)) if rest else set()
        )
        if len(names) != 1 or len(people.ids(one.id)) > 1:
            continue
        (name,) = names
        group = named[name] - {one.id}
        if 0 < len(group) <= MOST_ALIKE:
            shared = " ".join(sorted(rest))
            yield Hint(one.id, min(group, key=rank), DEVICE.format(f"“{name}”", shared))


def _name(one: ObservedId) -> str:
    return " ".join((one.name or "").casefold().split())


def _ranking(ids: dict[str, ObservedId], people: People) -> Callable[[str], Any]:
    """Who of a group is the person: who has aliases, has an account, has the most events."""

    def rank(id_: str) -> tuple[bool, bool, int, str]:
        one = ids.get(id_, ObservedId(id_, None, 0))
        return (len(people.ids(id_)) == 1, not one.account, -one.events, id_)

    return rank


def _paired(
    group: set[str],
    ids: dict[str, ObservedId],
    people: People,
    rank: Callable[[str], Any],
    why: str,
) -> Iterator[Hint]:
    person, *others = sorted(group, key=rank)
    for other in others:
        # Somebody with aliases is nobody's alias: that would be a chain.
        if len(people.ids(other)) == 1 and other in ids:
            yield Hint(other, person, why)
