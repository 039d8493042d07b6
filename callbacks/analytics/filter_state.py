"""The shared store, read: the reader's question, and a sentence where it has no answer."""

from __future__ import annotations

from typing import Any, NamedTuple

from components.page.filter_bar import window_text
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.errors import Refused
from data.events.table import EARLIEST, LATEST, micros
from data.local_time import iso
from data.query.earlier import CUSTOM, ENDS, PREVIOUS
from data.query.filters import ABOUT, LISTS, NAMES, OF, Choice, Filters, parse
from data.query.options import data_as_of, unseen_values
from data.query.query import Query
from data.query.run import totals
from data.query.units import moment
from data.query.windows import Window

FilterState = dict[str, Any]


class PageState(NamedTuple):
    """What the browser says beside its path: the query string, and the store of filters."""

    search: str
    state: Any


def new_state(choice: Choice, zone: str, now: int) -> FilterState:
    """What the store holds: what was chosen, the browser's zone, and the instant of asking."""
    return {"choice": choice, "zone": zone, "now": now}


def choice_of(state: Any) -> Choice:
    """What was chosen, of a store that came back from a browser."""
    choice = state.get("choice") if isinstance(state, dict) else None
    if not isinstance(choice, dict):
        raise Refused("question", "the store holds no question of this page")
    return choice


def about(state: Any, of: Any) -> Any:
    """The question of a store, about the one thing that a card is about."""
    return state | {"choice": choice_of(state) | {OF: of}} if of else state


def texts(sent: Any) -> list[str]:
    """The texts of a list that a browser sent."""
    return [one for one in sent if isinstance(one, str)] if isinstance(sent, list) else []


def filters_of(state: Any) -> Filters:
    """The filters of a store that came back from a browser, and so may be anything."""
    if not isinstance(state, dict):
        raise Refused("question", "there is no question in the store")
    choice, zone, now = (state.get(name) for name in ("choice", "zone", "now"))
    if not isinstance(choice, dict) or not isinstance(zone, str) or not isinstance(now, int):
        raise Refused("question", "the store holds no question of this page")
    if not micros(EARLIEST) <= now <= micros(LATEST):
        raise Refused("question", "the store asks from outside of time")
    return read({n: choice[n] for n in (*NAMES, *ABOUT) if n in choice}, now, zone)


def read(choice: Choice, now: int, zone: str) -> Filters:
    """The filters that a choice means on the page, where there is always something to compare with
    unless the reader wants none."""
    return parse({"compare": PREVIOUS} | choice, now, zone)


def pin_window(choice: Choice, window: Window) -> Choice:
    """A choice whose window stands still, so that a link gives what the page showed."""
    lists = {name: values for name, values in choice.items() if name in (*LISTS, *ABOUT)}
    start, end = (iso(us, window.zone) for us in (window.start, window.end))
    return {"preset": "custom", "from": start, "to": end, "tz": window.zone} | lists


def pin_comparison(window: Window) -> Choice:
    """The same of the window that is compared with."""
    ends = (iso(us, window.zone) for us in (window.start, window.end))
    return {"compare": CUSTOM, **dict(zip(ENDS, ends, strict=True))}


def notice(filters: Filters, scope: Scope, store: EventStore) -> str:
    """What of the filters this reader has no right to, or nobody knows; empty if nothing."""
    hidden = unseen_values(filters, scope, store)
    if not hidden:
        return ""
    names = ", ".join(name[:60] for name in hidden[:3]) + (" and more" if len(hidden) > 3 else "")
    why = "unknown" if scope.everything else "unknown, or outside what you may see"
    return f"{names}: {why}"


def empty_reason(filters: Filters, scope: Scope, store: EventStore) -> str:
    """Why there is nothing to show: one of four sentences."""
    if data_as_of(scope, store) is None:
        return "No events yet: connect a source in Settings → Data." if scope.everything else (
            "There is no activity of yours yet."
        )  # fmt: skip
    if hidden := notice(filters, scope, store):
        return f"Nothing to show: {hidden}."
    window = Filters(filters.window, about=filters.about)
    if totals(Query(("events",), (), window), scope, store)["events"]:
        return "No such activity under these filters in this window."
    latest, zone = data_as_of(scope, store, filters.about), filters.window.zone
    return f"Nothing happened in {window_text(filters.window)}." + (
        f" The latest event is of {moment(latest, zone)}." if latest is not None else ""
    )
