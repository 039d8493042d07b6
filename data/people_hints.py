"""Ids that look like the same person's, each with the reason: for an administrator to accept or
dismiss. Nothing here merges; a name or an address in an event proves nothing about its sender.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import sqlalchemy as sa

from data.accounts import ACCOUNTS
from data.budget_subjects import ALWAYS
from data.engines import EventStore
from data.filters import Filters
from data.people import People
from data.people_book import dismissed
from data.query import Query, run
from data.scope import Scope
from data.series import known
from data.state import State

# A name that more ids share than this is a role's ("admin", "CI") and no person's.
MOST_ALIKE: Final = 6
MOST: Final = 200
WHY: Final = {
    "mail": "the same e-mail address: {}",
    "id": "one word, as an id, before an @ or as a name: {}",
    "name": "the same name: {}",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """An id as it is stored, what its events or account call it, and how many events it has."""

    id: str
    name: str | None
    events: int
    mail: str | None = None
    account: bool = False


class Hint(NamedTuple):
    """An id that may be an alias of a person, and why."""

    alias: str
    person: str
    why: str


def seen(scope: Scope, store: EventStore) -> dict[str, Seen]:
    """Every id that events carry, nobody merged."""
    asked = Query(("events",), ("user",), Filters(ALWAYS))
    frame = run(asked, scope.apart(), store)
    rows = zip(frame["user"], frame["user_name"], frame["events"], strict=True)
    return {
        id_: Seen(id_, known(name), int(events))
        for id_, name, events in rows
        if known(id_) is not None
    }


def suggestions(state: State, scope: Scope, store: EventStore) -> list[Hint]:
    """Pairs that nobody decided about yet, those of the most events first; `Forbidden` likewise."""
    apart = dismissed(state, scope)
    ids = seen(scope, store)
    for one in _accounts(state):
        ids[one.id] = Seen(one.id, one.name, ids[one.id].events if one.id in ids else 0,
                           one.mail, account=True)  # fmt: skip
    found: dict[frozenset[str], Hint] = {}
    for hint in _alike(ids, scope.people):
        found.setdefault(frozenset(hint[:2]), hint)
    open_ = [hint for pair, hint in found.items() if pair not in apart]
    return sorted(open_, key=lambda one: (-ids[one.alias].events, one))[:MOST]


def _accounts(state: State) -> list[Seen]:
    columns = sa.select(ACCOUNTS.c.id, ACCOUNTS.c.name, ACCOUNTS.c.email)
    with state.reading() as connection:
        return [Seen(id_, name, 0, mail) for id_, name, mail in connection.execute(columns)]


def _alike(ids: dict[str, Seen], people: People) -> Iterator[Hint]:
    """Everybody of a group, paired with the one who would be the person."""
    for reason, why in WHY.items():
        groups: dict[str, set[str]] = {}
        for one in ids.values():
            for key in _keys(one, reason):
                groups.setdefault(key, set()).add(people.person(one.id))
        if reason == "id":
            for one in ids.values():
                groups.get(_name(one), set()).add(people.person(one.id))
        for key, group in groups.items():
            if 1 < len(group) <= MOST_ALIKE:
                yield from _paired(group, ids, people, why.format(key[:80]))


def _keys(one: Seen, reason: str) -> Iterable[str]:
    name, folded = _name(one), one.id.casefold()
    if reason == "id":
        return {folded, folded.partition("@")[0] or folded}
    if reason == "mail":
        return {text for text in (folded, name, (one.mail or "").casefold()) if "@" in text}
    return {name} if len(name) > 1 else ()


def _name(one: Seen) -> str:
    return " ".join((one.name or "").casefold().split())


def _paired(group: set[str], ids: dict[str, Seen], people: People, why: str) -> Iterator[Hint]:
    def rank(id_: str) -> tuple[bool, bool, int, str]:
        one = ids.get(id_, Seen(id_, None, 0))
        return (len(people.ids(id_)) == 1, not one.account, -one.events, id_)

    person, *others = sorted(group, key=rank)
    for other in others:
        # Somebody with aliases is nobody's alias: that would be a chain.
        if len(people.ids(other)) == 1 and other in ids:
            yield Hint(other, person, why)
