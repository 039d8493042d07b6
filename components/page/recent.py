"""What happened last, on a page about one thing: conversations, runs, and events of neither."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from dash import html

from components import ids
from components.page.about import name_link
from components.sections.declared import TIMELINES
from data.query.listing import Row
from data.query.units import moment

MOST: Final = 8
KINDS: Final = {"conversation_id": "Conversation", "run_id": "Run", "": "Event"}
CALLED: Final = ("assistant", "workflow", "client", "tool", "integration", "model")
WITHIN: Final = (("user", "user_name"), ("project", "project_name"))


class Thing(NamedTuple):
    """A conversation, a run or an event (`field` is empty), by its latest event that is seen."""

    field: str
    value: str
    row: Row


def things(rows: Sequence[Row]) -> list[Thing]:
    """The latest of them, of events with the newest first."""
    found: dict[tuple[str, str], Thing] = {}
    for row in rows:
        field = next((name for name in ("conversation_id", "run_id") if row[name]), "")
        value = str(row[field or "event_id"])
        found.setdefault((field, value), Thing(field, value, row))
    return list(found.values())[:MOST]


def card(of: str) -> html.Section:
    """The card, empty: a callback fills it under the filters."""
    head = html.Header(
        [html.H2("Latest activity"), html.Span(className="spring"),
         html.Button("All events", className="quiet", **ids.testid("all-events"),
                     **{"data-events-of": of})],
        className="card-head",
    )  # fmt: skip
    return html.Section(
        [head, html.Ul(id=ids.RECENT, className="recent", **{"data-of": of})],
        className="card-section recent-card", **ids.testid("recent"),
        **{"aria-label": "Latest activity"},
    )  # fmt: skip


def items(found: Sequence[Thing], of: str, zone: str) -> list[html.Li]:
    """Its rows; who or what the page is about is not said again."""
    if not found:
        return [html.Li("No activity under these filters in this window.", className="help")]
    return [_item(one, of.partition(":")[0], zone) for one in found]


def _item(one: Thing, of: str, zone: str) -> html.Li:
    row = one.row
    name = next((str(row[field]) for field in CALLED if row[field] and field != of), one.value)
    failed = ": ".join(str(row[field]) for field in ("status", "error_class") if row[field])
    parts: list[Any] = [
        html.Span([_link(one, name), html.Small(KINDS[one.field])], className="recent-name"),
        html.Span(_within(row, of), className="recent-within"),
        html.Span("" if row["status"] == "ok" else failed, className=f"recent-{row['status']}"),
        html.Time(moment(row["ts"], zone)),
    ]
    return html.Li(parts)


def _link(one: Thing, name: str) -> html.A | str:
    place = next((place for place, field in TIMELINES.items() if field == one.field), "")
    if not place:
        return name
    path = f"/settings/analytics/{place}/{quote(one.value, safe='')}"
    return html.A(name, href=path, **{"data-turn": one.field})


def _within(row: Row, of: str) -> list[Any]:
    links = [
        name_link(field, row[field], row[naming] or row[field])
        for field, naming in WITHIN
        if row[field] and field != of
    ]
    return [part for link in links for part in (" · ", link)][1:]
