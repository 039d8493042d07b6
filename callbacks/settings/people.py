"""Settings → People: which ids are one person's, and which look so; over HTTP, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from callbacks.settings.resource import Context, Found, Page, Resource, Route, Shape, Values
from components.settings import people as shown
from components.settings.resource import Row
from data.access.people import Alias, People
from data.local_time import instant
from data.people.aliases import add, dismiss, listed, refuse, remove
from data.people.hints import Hint, ObservedId, observed_ids, suggestions
from data.people.table import Kept

MOST_OFFERED: Final = 2_000
PATH: Final = "/api/v1/aliases"
TOO_LARGE: Final = "an alias takes at most 16 KB"
NO_ALIAS: Final = "send an object with alias and person"


class Merged(NamedTuple):
    """An alias that is kept, all the ids of its person, and how many events carry it."""

    kept: Kept
    everybody: tuple[str, ...]
    events: int


class Suggested(NamedTuple):
    """A suggestion, and how many events carry each of the two ids."""

    hint: Hint
    events: int
    theirs: int


def _read(asking: Context) -> Found[Merged]:
    kept = listed(asking.state, asking.scope)
    everybody = People(Alias(one.id, one.person) for one in kept).ids_by_person
    ids = _ids(asking)
    return Found([Merged(one, everybody[one.person], _events(ids, one.id)) for one in kept])


def _suggest(asking: Context) -> Found[Suggested]:
    hints, ids = suggestions(asking.state, asking.scope, asking.store), _ids(asking)
    return Found([Suggested(one, _events(ids, one.alias), _events(ids, one.person))
                  for one in hints])  # fmt: skip


def _ids(asking: Context) -> dict[str, ObservedId]:
    return observed_ids(asking.scope, asking.store)


def _events(ids: Mapping[str, ObservedId], one: str) -> int:
    return ids[one].events if one in ids else 0


def alias_as_dict(one: Kept) -> dict[str, Any]:
    """An alias as JSON."""
    return one.as_dict() | {"who": one.who, "at": instant(one.at).isoformat()}


def _add(asking: Context, values: Values) -> Kept:
    return add(asking.state, asking.actor, values, asking.store)


def _remove(asking: Context, alias: Any) -> None:
    remove(asking.state, asking.actor, alias)


def _offered(asking: Context, _choices: Values, _button: str) -> dict[str, Shape]:
    """The ids of the most events, by the names they are known by."""
    most = sorted(_ids(asking).values(), key=lambda one: (-one.events, one.id))[:MOST_OFFERED]
    shape = Shape(offered=[(one.id, one.name or one.id) for one in most])
    return {"alias": shape, "person": shape}


def _pair(row: Row) -> dict[str, Any]:
    return {name: row.get(name) for name in ("alias", "person")}


PEOPLE: Final[Resource[Merged]] = Resource(
    shown.PEOPLE,
    allow=refuse,
    read=_read,
    row=lambda one, zone: shown.row(*one, zone),
    create=_add,
    remove=_remove,
    removes="people-remove",
    named="alias",
    number=str,
    shape=_offered,
    route=Route(
        PATH,
        "aliases",
        lambda one: alias_as_dict(one.kept) | {"events": one.events},
        made=alias_as_dict,
        too_large=TOO_LARGE,
        body=NO_ALIAS,
        by="alias",
    ),
)
HINTS: Final[Resource[Suggested]] = Resource(
    shown.HINTS,
    allow=refuse,
    read=_suggest,
    row=lambda one, _: shown.hint_row(*one),
    actions={
        "hint-accept": lambda asking, row: _add(asking, _pair(row)),
        "hint-dismiss": lambda asking, row: dismiss(asking.state, asking.actor, _pair(row)),
    },
    route=Route(f"{PATH}/suggestions", "suggestions", lambda one: one.hint._asdict()),
)
PAGE: Final = Page("people", "People", (PEOPLE, HINTS))
