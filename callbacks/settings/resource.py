"""A settings resource and a settings page, declared once. How to add one:

1. `components/settings/<name>.py` says what is shown: a `Card` of columns, buttons and perhaps a
   `Form`. A column reads an attribute of a record, or what is made of it, in its unit.
2. `callbacks/settings/<name>.py` binds it: a `Resource` of that card with `allow` (raises
   `Forbidden` for whom it is not: the one check of every door), `read` and whichever there are of
   `one`, `create`, `change`, `remove` and `actions`. Auditors see what platform admins do, and
   change what is their `own` alone. Each takes a `Context`: who asks, when, in
   which zone, and the stores. They call `data/`, which writes the audit entries and raises
   `Refused(field, sentence)`: the sentence appears beside the field of that name.
3. `callbacks/settings/pages.py` lists its `Page`; a page has one resource or several.

Link, table, selection, form, confirmation and, with a `Route`, the addresses under /api/v1 follow
from that. No callback is registered for it: `tables.py` and `forms.py` have one set for all.

A button of a card opens its form (`does="new"`, or "edit" with the record of the chosen row; with
`form`, that of another card), removes the record of the chosen row ("remove"), or does what
`actions` says for its key. It asks first where it has a `confirm`. A form makes a record when it is
saved, or changes the one that it was opened with; where that is more than `create` and `change` do,
`save` does it. Its fields are there under the choices that they name (`when`); what else follows
from choices, `fields` says. After each change every table of the page is read again. A card with a
`chart` is that or its table at a click; what is drawn, `read` says with its records (`Found.draw`).

A card without columns is one record: `one` reads it, `opening` says what its form holds. A form
without a button that saves gives `save` the fields that were changed as soon as they are; what that
answers goes into the store `record` of the resource, where there is one. None: nothing was new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeVar

from callbacks.access.session import current_actor, current_person
from callbacks.stores import Stores
from components.settings import draw
from components.settings.resource import Card, Row
from data.access.rights import require_changes
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.errors import Forbidden, SpendscopeError
from data.people import preferences
from data.state.audit import Actor
from data.state.store import State

T = TypeVar("T")
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Context:
    """Who asks, and where what they ask for is kept. `limit` and `offset` are for those that are
    read by the page, `search` for those that are narrowed."""

    actor: Actor
    stores: Stores
    zone: str = "UTC"
    limit: int | None = None
    offset: int = 0
    search: Mapping[str, str] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        return self.actor.scope

    @property
    def state(self) -> State:
        return self.stores.state

    @property
    def store(self) -> EventStore:
        return self.stores.store


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """The records that were read. `count` is that of all pages, `sentence` stands above the table,
    `note` above that, `more` beside them in an answer over HTTP; `draw` makes `figure` and `style`
    of the chart of them and their rows."""

    records: Sequence[T]
    count: int | None = None
    sentence: str = ""
    note: str = ""
    more: Callable[[], Row] = dict
    draw: Callable[[list[Row]], Row] | None = None


@dataclass(frozen=True, slots=True)
class FieldState:
    """A field as the choices of a form have it; `offered` are values and how they are called."""

    label: str | None = None
    offered: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Opening:
    """A form that opens: for which record, with which values, over which options."""

    number: Any = None
    values: Values = field(default_factory=dict)
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class HalfSaved(SpendscopeError):
    """A record is kept, what was to follow failed: to save again is to change that record."""

    def __init__(self, number: Any, why: SpendscopeError) -> None:
        super().__init__(str(why))
        self.number = number


Post = Callable[[Context, Values], Any]


@dataclass(frozen=True, slots=True)
class Route(Generic[T]):
    """The addresses of a resource: `name` is the list in an answer, `page` the parameters that
    page through it with their default, least and most. `made` is a new record as JSON, where it
    differs; `posts` are addresses below, by what is done there. `body` reads the body of a request,
    where that is more than an object of fields."""

    path: str
    name: str
    as_dict: Callable[[T], dict[str, Any]]
    made: Callable[[Any], dict[str, Any]] | None = None
    page: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    change: Literal["PUT", "PATCH"] = "PUT"
    posts: Mapping[str, Post] = field(default_factory=dict)
    body: Callable[[], Any] | None = None


@dataclass(frozen=True, slots=True)
class File(Generic[T]):
    """All rows as CSV, at an address: its columns, and the lines of the records; with an address
    for that, as JSON too. A cell is what `cell` makes of a value."""

    path: str
    columns: tuple[str, ...]
    lines: Callable[[Context, Sequence[T]], Iterable[dict[str, Any]]]
    json: str = ""
    cell: Callable[[Any], Any] = lambda value: value


def _nothing(_: Context) -> Found[Any]:
    return Found(())


def _no_cards(_: Context) -> list[Any]:
    return []


@dataclass(frozen=True, slots=True)
class Resource(Generic[T]):
    """What a card shows and does, and the right that it needs. What the columns do not say of a
    row, `row` does; or `rows` makes all of them at once."""

    card: Card
    allow: Callable[[Scope], None]
    read: Callable[[Context], Found[T]] = _nothing
    row: Callable[[T, str], Row] | None = None
    rows: Callable[[Context, Sequence[T]], list[Row]] | None = None
    one: Callable[[Context, Any], T] | None = None
    create: Callable[[Context, Values], Any] | None = None
    change: Callable[[Context, Any, Values], T] | None = None
    remove: Callable[[Context, Any], T | None] | None = None
    actions: Mapping[str, Callable[[Context, Row], Any]] = field(default_factory=dict)
    rights: Mapping[str, Callable[[Scope], bool]] = field(default_factory=dict)  # to its buttons
    detail: Callable[[Context, Row], str] | None = None  # what the choice of a row shows
    opening: Callable[[Context, str, Row], Opening] | None = None
    fields: Callable[[Context, Values], Mapping[str, FieldState]] | None = None
    save: Callable[[Context, Any, Values], Any] | None = None
    secret: Callable[[Any], str] | None = None  # what is shown once of a new record
    route: Route[T] | None = None
    file: File[T] | None = None
    own: bool = False  # it is about the reader alone, who changes it whatever else they may

    @property
    def key(self) -> str:
        return self.card.key

    def is_for(self, scope: Scope) -> bool:
        """Whether the door is open; it is `allow` that decides."""
        try:
            self.allow(scope)
        except Forbidden:
            return False
        return True

    def require_changes(self, scope: Scope) -> None:
        """Raises `Forbidden` for whoever may look only; before anything is changed."""
        if not self.own:
            require_changes(scope)

    def draw(self, context: Context) -> Any:
        """Its card, empty; that of one record holds it. Who may look only gets no buttons."""
        if not self.card.single:
            looks_only = context.scope.changes_nothing and not self.own
            return draw.card(replace(self.card, buttons=(), form=None) if looks_only else self.card)
        opened = self.opening(context, "", {}) if self.opening else Opening()
        return draw.record(self.card, opened.values)

    def rows_of(self, context: Context, records: Sequence[T]) -> list[Row]:
        """The rows of some records."""
        if self.rows:
            return self.rows(context, records)
        more = self.row or (lambda _, __: {})
        return [self.card.row(one, context.zone) | more(one, context.zone) for one in records]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the settings: its address, what the link says, its cards, and others beside them
    (`before`, `after`), which callbacks of their own fill."""

    key: str
    label: str
    resources: tuple[Resource[Any], ...]
    before: Callable[[Context], list[Any]] = _no_cards
    after: Callable[[Context], list[Any]] = _no_cards

    def is_for(self, scope: Scope) -> bool:
        """Whether a reader finds it."""
        return any(one.is_for(scope) for one in self.resources)

    def draw(self, context: Context) -> Any:
        """The page, with the cards that are for who asks."""
        cards = [one.draw(context) for one in self.resources if one.is_for(context.scope)]
        return draw.page(self.key, cards, self.before(context), self.after(context))


def by_key(pages: Sequence[Page]) -> dict[str, Resource[Any]]:
    """Every resource of some pages; a key stands for one alone."""
    every = [one for page in pages for one in page.resources]
    found = {one.key: one for one in every}
    if len(found) != len(every):
        raise ValueError("two settings resources have one key")
    return found


def everybody(_: Scope) -> None:
    """The check of what is there for all; what each of them sees and may do, `data/` says."""


def current_context(stores: Stores, zone: Any = None, **more: Any) -> Context:
    """Who asks now, reading times in the zone they prefer, else in the browser's."""
    preferred = preferences.read(stores.state, *current_person().ids)
    return Context(current_actor(stores.settings), stores, preferred.zone_in(zone), **more)
