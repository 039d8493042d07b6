"""A section on the page: its head, its chart and table side by side in the tree, its state.

Callbacks write leaf properties only (figure, rows, text); nothing here is built twice.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import dash_ag_grid as dag
import dash_bootstrap_components as dbc
from dash import dcc, html

from components import ids
from components.page import tables
from components.sections.declared import Section, Tab
from data.query.catalog import DIMENSIONS, METRICS
from data.query.units import DASH

GRAPH: Final[dict[str, Any]] = {
    "displaylogo": False,
    # Plotly 7 offers to upload a chart to its cloud unless it is told not to, twice.
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "zoom2d", "pan2d", "autoScale2d"],
    "responsive": True,
}
GRID: Final[dict[str, Any]] = {
    "rowHeight": 34,
    "headerHeight": 40,
    "pagination": True,
    "paginationPageSize": 20,
    "paginationPageSizeSelector": [20, 50, 200],
    "suppressCellFocus": False,
    "maintainColumnOrder": True,
    "enableCellTextSelection": True,
    "tooltipShowDelay": 400,
    "animateRows": False,
}


def paged(rows: int) -> dict[str, Any]:
    """The options of a grid of so many rows: those that fill one page need no pages."""
    return GRID | {"pagination": rows > GRID["paginationPageSize"]}


def body(tab: Tab) -> list[Any]:
    """The sections of one tab."""
    return [_section(one) for one in tab.sections]


def _section(one: Section) -> Any:
    return _chart_card(one) if one.shape.has_chart else _number_band(one)


def _chart_card(one: Section) -> html.Section:
    key = one.key
    return html.Section(
        [
            html.Header([title(one.title, one.help), _tools(one)], className="card-head"),
            html.P(id=ids.part("summary", key), className="summary", **{"aria-live": "polite"}),
            chart_or_table(partial(ids.part, section=key), _grid(one)),
        ],
        id=ids.part("card", key), className=f"card-section {one.shape.css_class} span-{one.width}",
        **ids.testid(f"section-{key}"), **{"data-state": "loading", "data-section": key},
        **{"aria-label": one.title},
    )  # fmt: skip


def title(text: str, help_: str) -> html.Div:
    """What a card is called, and what it is about."""
    return html.Div([html.H2(text), html.Span(help_, className="help")])


def chart_or_table(part: Callable[[str], ids.Id], grid: dag.AgGrid) -> html.Div:
    """The chart, the table, and what stands there instead; `part` makes their ids."""
    chart = dcc.Graph(id=part("chart"), config=GRAPH, responsive=True)
    return html.Div(
        [
            html.Div(chart, id=part("frame"), className="as-chart", **ids.testid("chart")),
            html.Div(grid, className="as-table", **ids.testid("table")),
            html.Div(id=part("state"), className="state", role="status", **ids.testid("state")),
            html.Button("Retry", id=part("retry"), className="retry quiet"),
        ],
        className="card-body",
    )


def modes(part: Callable[[str], ids.Id], text: str) -> html.Div:
    """The buttons for chart or table."""
    return html.Div(
        [
            html.Button(
                label, id=part(name), className=f"mode {name}", **ids.testid(name),
                **{"aria-pressed": "true" if label == "Chart" else "false"},
            )
            for name, label in (("mode-chart", "Chart"), ("mode-table", "Table"))
        ],
        className="modes", role="group", **{"aria-label": f"Show {text} as"},
    )  # fmt: skip


def csv_link(key: ids.Id) -> html.A:
    """All rows as a file; a callback knows the address."""
    return html.A("CSV", id=key, className="quiet", download="", title="All rows as CSV",
                  **ids.testid("export-csv"))  # fmt: skip


def _tools(one: Section) -> html.Div:
    key = one.key
    return html.Div(
        [
            _choice("measure", key, _measures(one), "Measure"),
            _choice("by", key, [(n, f"by {_lower(n)}") for n in one.by], "Break down"),
            _table_tools(one),
            modes(partial(ids.part, section=key), one.title),
            _events(ids.part("events", key), f"behind {one.title}"),
            csv_link(ids.part("export", key)),
        ],
        className="tools",
    )  # fmt: skip


def _table_tools(one: Section) -> html.Div:
    """Search within the table, and which columns to show; both work in the browser alone."""
    options = [{"label": METRICS[name].label, "value": name} for name in one.metrics]
    chosen = dcc.Checklist(
        id=ids.part("columns", one.key), options=options, value=list(one.metrics),
        className="columns-list", persistence=True, persistence_type="local",
    )  # fmt: skip
    return html.Div(
        [
            dbc.Input(id=ids.part("search", one.key), type="search", placeholder="Search table",
                      debounce=200, size="sm"),
            html.Details([html.Summary("Columns", className="quiet"), chosen],
                         className="columns-box"),
        ],
        id=ids.part("table-tools", one.key), className="table-tools",
        **ids.testid("table-tools"),
    )  # fmt: skip


def _events(key: ids.Id, which: str) -> html.Button:
    return html.Button(
        "Events", id=key, className="quiet show-events", title=f"Show the events {which}",
        **ids.testid("show-events"), **{"aria-label": f"Show the events {which}"},
    )  # fmt: skip


def _measures(one: Section) -> list[tuple[str, str]]:
    return [(name, METRICS[name].label) for name in one.shape.choices(one.measures)]


def _lower(dimension: str) -> str:
    return DIMENSIONS[dimension].label.lower()


def _choice(name: str, key: str, options: list[tuple[str, str]], label: str) -> dbc.Select:
    # Always in the tree, as a missing part would silence the section's callback.
    return dbc.Select(
        id=ids.part(name, key), value=options[0][0] if options else "", size="sm",
        class_name="choice",
        options=[{"value": value, "label": text} for value, text in options],
        html_size=None, style={"display": "none"} if len(options) < 2 else {},
        name=f"{label} ({key})",
    )  # fmt: skip


def _grid(one: Section) -> dag.AgGrid:
    return dag.AgGrid(
        id=ids.part("table", one.key), columnDefs=tables.columns(one, (*one.by, "")[0]),
        rowData=[], dashGridOptions=GRID, columnSize=None, className="grid",
        defaultColDef={"sortable": True, "resizable": True, "suppressHeaderMenuButton": True},
        style={"height": "100%", "width": "100%"},
    )  # fmt: skip


def _number_band(one: Section) -> html.Section:
    return html.Section(
        [
            html.H2(one.title, className="visually-hidden"),
            html.Div([_number(name, one.key) for name in one.metrics], className="kpis"),
            html.Div(id=ids.band("state", one.key), className="state", role="status",
                     **ids.testid("state")),
        ],
        id=ids.band("card", one.key), className=one.shape.css_class,
        **ids.testid(f"section-{one.key}"), **{"data-state": "loading"},
    )  # fmt: skip


def _number(name: str, key: str) -> html.Div:
    declared = METRICS[name]
    return html.Div(
        [
            html.Div(declared.label, className="kpi-label"),
            html.Div(DASH, id=ids.headline("value", name, key), className="kpi-value",
                     **ids.testid(f"kpi-{name}"), **{"data-value": ""}),
            html.Div(" ", id=ids.headline("change", name, key), className="kpi-change"),
            _events(ids.headline("events", name, key), f"behind {declared.label}"),
        ],
        className="kpi", title=f"{declared.help} The change is against the window before it.",
    )  # fmt: skip
