"""A conversation or a run as its timeline: its events in order, each with a bar on one axis of
time, and what they add up to above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from dash import html

from components import ids
from components.page.about import name_link, way_back
from components.shapes.axes import cut_name
from data.local_time import instant
from data.query.catalog import METRICS
from data.query.listing import Row
from data.query.units import DURATION, moment

NAMES: Final = {"conversation_id": "Conversation", "run_id": "Run"}
# What an event is called by: the first of these that it has.
CALLED: Final = {
    "llm": ("model", "provider"), "message": ("assistant", "model"), "workflow": ("workflow",),
    "tool": ("tool", "tool_type"), "integration": ("integration", "integration_type"),
    "session": ("client", "repository"), "adjustment": ("model", "provider"),
}  # fmt: skip
KINDS: Final = {
    "llm": "model call", "message": "reply", "workflow": "run", "tool": "tool",
    "integration": "integration", "session": "session", "adjustment": "adjustment",
}  # fmt: skip
WITHIN: Final = (("User", "user", "user_name"), ("Project", "project", "project_name"),
                 ("Assistant", "assistant", "assistant"),
                 ("Workflow", "workflow", "workflow"))  # fmt: skip
MOST_NAMED: Final = 3
LEAST: Final = 0.4  # percent of the axis: the shortest bar
MS: Final = 1_000  # µs


class Timeline(NamedTuple):
    """The first `rows` of all `totals["events"]` events, in order, from `start` to `end` (µs UTC);
    how many `failed`; `file` is the address of all of them."""

    field: str
    value: str
    rows: Sequence[Row]
    totals: Mapping[str, Any]
    failed: int
    start: int
    end: int
    zone: str
    file: str


def page(one: Timeline) -> html.Div:
    """The whole of it."""
    return html.Div([_head(one), _totals(one), _events(one)], className="timeline")


def _head(one: Timeline) -> html.Div:
    took = DURATION.text((one.end - one.start) / MS)
    facts: list[tuple[str, Any]] = [("Id", one.value)]
    facts += [(label, found) for label, *of in WITHIN if (found := _within(one.rows, *of))]
    facts += [("Began", moment(one.start, one.zone)), ("Took", took)]
    return html.Div(
        [
            way_back("Analytics", "/settings/analytics"),
            html.H2(f"{NAMES[one.field]} {cut_name(one.value)}"),
            html.Dl([html.Div([html.Dt(label), html.Dd(text)]) for label, text in facts]),
        ],
        className="about-head", **ids.testid("about"),
        **{"data-name": f"{NAMES[one.field]} {cut_name(one.value)}"},
    )  # fmt: skip


def _within(rows: Sequence[Row], field: str, naming: str) -> list[Any]:
    """Who and what took part, each with the way to its page."""
    named = {row[field]: str(row[naming] or row[field]) for row in rows if row[field] is not None}
    links = [name_link(field, value, name) for value, name in list(named.items())[:MOST_NAMED]]
    more = [f"and {len(named) - MOST_NAMED} more"] if len(named) > MOST_NAMED else []
    return [part for link in (*links, *more) for part in (", ", link)][1:]


def _totals(one: Timeline) -> html.Div:
    metrics = [(METRICS[name], value) for name, value in one.totals.items()]
    numbers = [(m.name, m.label, m.unit.brief(value), value) for m, value in metrics]
    numbers.append(("failed", "Failed", f"{one.failed:,}", one.failed))
    numbers = [
        html.Div(
            [
                html.Span(label, className="kpi-label"),
                html.Span(text, className="kpi-value", **ids.testid(f"timeline-{name}"),
                          **{"data-value": "" if value is None else repr(value)}),
            ],
            className="kpi",
        )
        for name, label, text, value in numbers
    ]  # fmt: skip
    return html.Div(html.Div(numbers, className="kpis"), className="headline")


def _events(one: Timeline) -> html.Section:
    count, shown = int(one.totals["events"]), len(one.rows)
    more = [f"The first {shown:,} of {count:,} events; the file has all. "] if count > shown else []
    head = html.Header(
        [html.H2("Events"), html.Span(more, className="help"), html.Span(className="spring"),
         html.A("CSV", href=one.file, download="", className="quiet",
                title="All of these events as CSV", **ids.testid("timeline-csv"))],
        className="card-head",
    )  # fmt: skip
    took = DURATION.text((one.end - one.start) / MS)
    titles = ("Time", "What", html.Div([html.Span("0"), html.Span(took)]), "Took", "Tokens",
              "Cost", "Status")  # fmt: skip
    table = html.Table(
        [html.Thead(html.Tr([html.Th(title) for title in titles])),
         html.Tbody([_row(one, row, one.rows[place - 1] if place else None)
                     for place, row in enumerate(one.rows)])],
        className="timeline-events", **ids.testid("timeline-list"),
    )  # fmt: skip
    return html.Section([head, table], className="card-section", **{"aria-label": "Events"})


def _row(one: Timeline, row: Row, before: Row | None) -> html.Tr:
    kind, status = str(row["kind"]), str(row["status"])
    numbers = [_text("duration_ms", row), _text("tokens", row), _text("cost", row)]
    outcome = status if row["error_class"] is None else f"{status}: {row['error_class']}"
    return html.Tr(
        [
            html.Td(_clock(row["ts"], before["ts"] if before else None, one.zone), className="at"),
            html.Td([_name(kind, row), html.Small(KINDS.get(kind, kind))], className="what"),
            html.Td(html.Span(className="bar", style=_place(one, row)), className="axis"),
            *(html.Td(text, className="number") for text in numbers),
            html.Td("" if status == "ok" else outcome, className="status"),
        ],
        className=f"kind-{kind} status-{status}",
    )


def _name(kind: str, row: Row) -> Any:
    field = next((name for name in CALLED.get(kind, ()) if row[name] is not None), None)
    return "–" if field is None else name_link(field, row[field], row[field])


def _text(name: str, row: Row) -> str:
    unit = DURATION if name == "duration_ms" else METRICS[name].unit
    return "" if row[name] is None else unit.text(row[name])


def _clock(us: int, before: int | None, zone: str) -> str:
    """The time to the second; the day where it is another."""
    at, last = instant(us, zone), None if before is None else instant(before, zone)
    day = "" if last and last.date() == at.date() else f"{at.day} {at:%b} "
    return f"{day}{at:%H:%M:%S}"


def _place(one: Timeline, row: Row) -> dict[str, str]:
    """Where on the axis an event is, and how long."""
    whole = max(one.end - one.start, 1)
    left = 100 * (row["ts"] - one.start) / whole
    width = max(100 * MS * (row["duration_ms"] or 0) / whole, LEAST)
    return {"left": f"{min(left, 100 - LEAST):.2f}%", "width": f"{min(width, 100 - left):.2f}%"}
