"""Settings → People: which ids are one person's, and which look so; over HTTP, too."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, NamedTuple

from callbacks.settings.resource import Context, FieldState, Found, Page, Resource, Route, Values
from callbacks.settings.sessions import EVERYBODY as SESSIONS
from callbacks.settings.tokens import EVERYBODY as TOKENS
from callbacks.settings.viewings import EVERYBODY as VIEWINGS
from components.settings import people as cards
from components.settings.resource import Row
from components.values import hover_text
from data.access.people import Alias, People
from data.local_time import iso
from data.people.aliases import add, dismiss, remove, require_reader, stored_aliases
from data.people.hints import Hint, observed_ids, suggestions
from data.people.table import StoredAlias

MOST_OFFERED: Final = 2_000
PATH: Final = "/api/v1/aliases"


class Merged(NamedTuple):
    """An alias, all the ids of its person, and how many events carry it."""

    stored: StoredAlias
    ids: tuple[str, ...]
    events: int

    @property
    def tip(self) -> str | None:
        """All the ids of the person, to be read on hover."""
        return hover_text(self.stored.person, {self.stored.person: self.ids})


class Suggested(NamedTuple):
    """A suggestion, and how many events carry each of the two ids."""

    hint: Hint
    events: int
    theirs: int


def _read(context: Context) -> Found[Merged]:
    stored, events = stored_aliases(context.state, context.scope), _events(context)
    ids = People(Alias(one.id, one.person) for one in stored).ids_by_person
    return Found([Merged(one, ids[one.person], events[one.id]) for one in stored])


def _suggest(context: Context) -> Found[Suggested]:
    hints, events = suggestions(context.state, context.scope, context.store), _events(context)
    return Found([Suggested(one, events[one.alias], events[one.person]) for one in hints])


def _events(context: Context) -> Counter[str]:
    """How many events carry each id."""
    ids = observed_ids(context.scope, context.store)
    return Counter({name: one.events for name, one in ids.items()})


def alias_as_dict(one: StoredAlias) -> dict[str, Any]:
    """An alias as JSON."""
    return one.as_dict() | {"who": one.who, "at": iso(one.at)}


def _add(context: Context, values: Values) -> StoredAlias:
    return add(context.state, context.actor, values, context.store)


def _dismiss(context: Context, values: Values) -> None:
    dismiss(context.state, context.actor, values)


def _fields(context: Context, _: Values) -> dict[str, FieldState]:
    """The ids of the most events, by the names they are known by."""
    ids = observed_ids(context.scope, context.store).values()
    most = sorted(ids, key=lambda one: (-one.events, one.id))[:MOST_OFFERED]
    offered = FieldState(offered=[(one.id, one.name or one.id) for one in most])
    return {"alias": offered, "person": offered}


def _pair(row: Row) -> Values:
    return {name: row.get(name) for name in ("alias", "person")}


PEOPLE: Final[Resource[Merged]] = Resource(
    cards.PEOPLE,
    allow=require_reader,
    read=_read,
    row=lambda one, _: {"name_tip": one.tip},
    create=_add,
    remove=lambda context, alias: remove(context.state, context.actor, alias),
    fields=_fields,
    route=Route(
        PATH,
        "aliases",
        lambda one: alias_as_dict(one.stored) | {"events": one.events},
        made=alias_as_dict,
        posts={"dismissed": _dismiss},
    ),
)
HINTS: Final[Resource[Suggested]] = Resource(
    cards.HINTS,
    allow=require_reader,
    read=_suggest,
    actions={
        "hint-accept": lambda context, row: _add(context, _pair(row)),
        "hint-dismiss": lambda context, row: _dismiss(context, _pair(row)),
    },
    route=Route(f"{PATH}/suggestions", "suggestions", lambda one: one.hint._asdict()),
)
PAGE: Final = Page("people", "People", (PEOPLE, HINTS, SESSIONS, TOKENS, VIEWINGS))
