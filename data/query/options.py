"""What a reader may filter by: values they see, with their names, aliases resolved."""

from __future__ import annotations

from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.events.table import ME, NONE
from data.query.catalog import DIMENSIONS
from data.query.filters import NOT, PEOPLE, Choice, Filters, operator_of
from data.query.names import named
from data.query.query import Query
from data.query.run import run
from data.query.series import or_none, texts
from data.query.windows import ALL_TIME

About = tuple[tuple[str, str], ...]


def data_as_of(scope: Scope, store: EventStore, about: About = ()) -> int | None:
    """The latest instant (µs UTC) of which this reader can see an event, or one about something."""
    query = Query(("last_event",), (), Filters(ALL_TIME, about=about))
    last = run(query, scope, store)["last_event"].dropna()
    return int(last.iloc[0]) if len(last) else None


def last_events(scope: Scope, store: EventStore) -> dict[str, int]:
    """The latest instant (µs UTC) of each source of which this reader can see an event, the latest
    first."""
    query = Query(("last_event",), ("source",), Filters(ALL_TIME), order=(("last_event", True),))
    frame = run(query, scope, store)
    return {
        str(name): int(at) for name, at in zip(frame["source"], frame["last_event"], strict=True)
    }


def data_since(scope: Scope, store: EventStore) -> int | None:
    """The first instant (µs UTC) of which this reader can see an event."""
    first = run(Query(("first_event",), (), Filters(ALL_TIME)), scope, store)["first_event"]
    return int(first.iloc[0]) if len(first.dropna()) else None


def merge_aliases(choice: Choice, scope: Scope, store: EventStore) -> Choice:
    """The choice with persons in the place of their aliases, where this reader sees them."""
    for name in ("user", "not_user"):
        users = {value: resolve_alias("user", value, scope) for value in choice.get(name, ())}
        if aliases := tuple(value for value, person in users.items() if person != value):
            visible = _visible("user", aliases, scope, store)
            kept = [person if person in visible else value for value, person in users.items()]
            choice = choice | {name: list(dict.fromkeys(kept))}
    return choice


def unseen_values(filters: Filters, scope: Scope, store: EventStore) -> list[str]:
    """The users and projects asked for of which this reader has never seen an event."""
    unseen = []
    about = [(field, (value,)) for field, value in filters.about if value != ME]
    for field, values in (*filters.fields, *about):
        if field in PEOPLE:
            visible = _visible(field, values, scope, store)
            chosen = sorted(set(values))
            unseen += [v for v in chosen if resolve_alias(field, v, scope) not in visible]
    return unseen


def resolve_alias(field: str, value: str, scope: Scope) -> str:
    """The value that a filter's value stands for in answers: of an alias, the person."""
    return scope.people.person(value) if field == "user" else value


def _visible(field: str, values: tuple[str, ...], scope: Scope, store: EventStore) -> set[str]:
    filters = Filters(ALL_TIME, ((field, values),))
    frame = run(Query(("events",), (field,), filters), scope, store)
    return {NONE if value is None else value for value in texts(frame[field])}


def options(
    field: str, text: str, limit: int, scope: Scope, store: EventStore
) -> list[dict[str, str]]:
    """What the reader may filter a field by, as `value` and `label`: the most active values with
    `text` in id or name."""
    if field in PEOPLE:
        rows = named(field, text, limit, scope, store)
        return [
            {"value": value, "label": name or value} for value, name, _ in rows if value is not None
        ]
    query = Query(
        ("events",), (field,), Filters(ALL_TIME), order=(("events", True),), limit=limit,
        search=text,
    )  # fmt: skip
    return _labelled(field, query, scope, store)


def label_values(
    field: str, values: tuple[str, ...], scope: Scope, store: EventStore
) -> list[dict[str, str]]:
    """Values already chosen as options; one that this reader has not visible keeps its id."""
    chosen = tuple(value for value in values if value != ME or field != "user")
    query = Query(("events",), (field,), Filters(ALL_TIME, ((field, chosen),)))
    found = {option["value"]: option for option in _labelled(field, query, scope, store)}
    labels = [found.get(resolve_alias(field, value, scope), {"label": value}) for value in chosen]
    return [one | {"value": value} for one, value in zip(labels, chosen, strict=True)]


def _labelled(field: str, query: Query, scope: Scope, store: EventStore) -> list[dict[str, str]]:
    frame = run(query, scope, store)
    names = texts(frame[DIMENSIONS[field].naming or field])
    return [
        {"value": value, "label": DIMENSIONS[field].label_of(name or value)}
        for value, name in zip(texts(frame[field]), names, strict=True)
        if value is not None
    ]


def inactive_values(filters: Filters, scope: Scope, store: EventStore) -> set[tuple[str, str]]:
    """`(field, value)` of every choice of which these filters leave nothing."""
    chosen = [(field, values) for field, values in filters.fields if not operator_of(field)]
    active = {field: active_values(field, filters, scope, store) for field, _ in chosen}
    return {
        (field, value)
        for field, values in chosen
        for value in values
        if resolve_alias(field, value, scope) not in active[field]
    }


def active_values(field: str, filters: Filters, scope: Scope, store: EventStore) -> set[str]:
    """The values of a field that events under these filters have; `(none)` for the unknown."""
    frame = run(Query(("events",), (field,), filters), scope, store)
    # Hours and weekdays are numbers in a frame, and texts in a filter.
    return {NONE if or_none(value) is None else str(value) for value in frame[field]}


def value_names(choice: Choice, scope: Scope, store: EventStore) -> dict[tuple[str, str], str]:
    """What people call the people and projects of a choice."""
    return {
        (field, option["value"]): option["label"]
        for field in PEOPLE
        for option in label_values(field, tuple(_named_values(choice, field)), scope, store)
    }


def _named_values(choice: Choice, field: str) -> list[str]:
    values = (*choice.get(field, ()), *choice.get(f"{NOT}{field}", ()))
    return [value for value in dict.fromkeys(values) if value != ME]
