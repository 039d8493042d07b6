"""The Budgets tab: how each budget stands, and when limits were crossed; as chart and as table."""

from __future__ import annotations

from typing import Any, Final

import dash_ag_grid as dag
import dash_bootstrap_components as dbc
from dash import dcc, html

from components import ids
from components.page.cards import GRAPH, GRID
from components.settings.budget_form import form
from components.settings.budget_rows import STEPS, Row

BUDGETS: Final = "budgets"
CROSSINGS: Final = "crossings"
EVERY: Final = "all"
NOTHING: Final = "No budget is set for anything of which you may see all that it counts."
NEVER: Final = "No limit was crossed in the periods that are remembered."
COLUMNS: Final = {
    BUDGETS: (
        ("subject", "Budget"), ("share", "Share"), ("spent", "Spent"), ("hard", "Limit"),
        ("soft", "Soft limit"), ("projected", "Projected"), ("period", "Period"),
        ("reset", "Resets"),
    ),
    CROSSINGS: (
        ("at", "Crossed"), ("subject", "Budget"), ("limit", "Which limit"), ("most", "Limit"),
        ("user", "By a call of"), ("over", "Over in the end"), ("period", "Period from"),
    ),
}  # fmt: skip
FILES: Final = {BUDGETS: "/api/v1/budgets.csv", CROSSINGS: "/api/v1/budgets/crossings.csv"}
WIDTHS: Final = {"subject": 180, "reset": 226, "at": 166, "user": 150, "period": 126, "share": 98}
ZONED: Final = ("at", "reset")  # their zone stands in the tooltip
HELP: Final = {
    "projected": "What will have been spent at the reset if it goes on at this pace.",
    "over": "How far over the limit at the period's end, or so far.",
}
NUMBERS: Final = ("spent", "hard", "soft", "share", "projected", "most", "over")
OPTIONS: Final[dict[str, Row]] = {
    BUDGETS: {"rowSelection": {"mode": "singleRow", "checkboxes": False,
                               "enableClickSelection": True}},
    # It comes page by page from the server: only what a page shows is looked for in the events.
    CROSSINGS: {"pagination": False},
}  # fmt: skip
# Full names of classes: a cell's bar is as long as its class says (assets/budgets.css).
BARS: Final = {f"fill-{step}": f"params.data.fill === {step}" for step in range(STEPS + 1)}
LEVELS: Final = {
    f"level-{name}": f"params.data.level === '{name}'" for name in ("good", "amber", "red")
}


def page() -> html.Div:
    """The tab, empty: callbacks fill charts and tables."""
    return html.Div(
        [
            dcc.Store(id=ids.BUDGETS_CHANGED), dcc.Store(id=ids.BUDGET_EDITED),
            dcc.Store(id=ids.budgets_part("offset", CROSSINGS), data=0),
            dcc.ConfirmDialog(id=ids.BUDGET_CONFIRM),
            _card(BUDGETS, "Budgets", "Spent in the current period, against the limit.",
                  _buttons()),
            _card(CROSSINGS, "Limits crossed",
                  "Each time: the call after which it was too much.", _turning()),
            form(),
        ],
        className="sections tab-budgets budgets-page",
    )  # fmt: skip


def _card(key: str, title: str, help_: str, tools: list[Any]) -> html.Section:
    def part(what: str) -> ids.Id:
        return ids.budgets_part(what, key)

    head = html.Div([html.H2(title), html.Span(help_, className="help")])
    chart = dcc.Graph(id=part("chart"), config=GRAPH, responsive=True)
    return html.Section(
        [
            html.Header([head, html.Div([*tools, _modes(key, title), _file(key)],
                                        className="tools")], className="card-head"),
            html.P(id=part("problem"), className="problem", role="alert"),
            html.Div(
                [
                    html.Div(chart, id=part("frame"), className="as-chart", **ids.testid("chart")),
                    html.Div(_grid(key), className="as-table", **ids.testid("table")),
                    html.Div(id=part("said"), className="state", role="status",
                             **ids.testid("state")),
                    html.Button("Retry", id=part("retry"), className="retry quiet"),
                ],
                className="card-body",
            ),
        ],
        id=part("card"), className="card-section", **ids.testid(f"section-{key}"),
        **{"aria-label": title, "data-state": "loading"},
    )  # fmt: skip


def _modes(key: str, title: str) -> html.Div:
    buttons = [
        html.Button(
            label, id=ids.budgets_part(name, key), className=f"mode {name}", **ids.testid(name),
            **{"aria-pressed": str(name == "mode-chart").lower()},
        )
        for name, label in (("mode-chart", "Chart"), ("mode-table", "Table"))
    ]  # fmt: skip
    return html.Div(buttons, className="modes", role="group", **{"aria-label": f"Show {title} as"})


def _file(key: str) -> html.A:
    return html.A(
        "CSV", id=ids.budgets_part("csv", key), href=FILES[key], className="quiet", download="",
        title="All rows as CSV", **ids.testid("export-csv"),
    )  # fmt: skip


def _buttons() -> list[Any]:
    """Which budget is selected, where its events are, and what can be done with it."""
    link = dcc.Link("Show in Analytics", id=ids.budgets_part("link", BUDGETS), href="",
                    className="quiet")  # fmt: skip
    keys = {ids.BUDGET_NEW: "New budget", ids.BUDGET_EDIT: "Edit", ids.BUDGET_DELETE: "Delete"}
    return [
        html.Span(id=ids.budgets_part("chosen", BUDGETS), className="help",
                  **ids.testid("budget-chosen")),
        html.Span(link, id=ids.budgets_part("show", BUDGETS), hidden=True,
                  title="What it counts in its current period", **ids.testid("budget-show")),
        *(html.Button(label, id=key, className="quiet", hidden=True, **ids.testid(key))
          for key, label in keys.items()),
    ]  # fmt: skip


def _turning() -> list[Any]:
    """Of which budget, and which page."""
    return [
        html.Span(id=ids.budgets_part("place", CROSSINGS), className="help place",
                  role="status", **ids.testid("crossings-place")),
        *(html.Button(word.capitalize(), id=ids.budgets_part(word, CROSSINGS), disabled=True,
                      className="quiet turn", **ids.testid(f"crossings-{word}"))
          for word in ("newer", "older")),
        dbc.Select(id=ids.budgets_part("of", CROSSINGS), value=EVERY, options=choices([]),
                   size="sm", class_name="choice", html_size=None, name="Of which budget"),
    ]  # fmt: skip


def choices(rows: list[Row]) -> list[Row]:
    """The budgets whose history there is to see."""
    told = [
        {"value": str(row["id"]), "label": f"{row['subject']}, {row['period'].lower()}"}
        for row in rows
    ]
    return [{"value": EVERY, "label": "All budgets"}, *told]


def _grid(key: str) -> dag.AgGrid:
    sorts = key == BUDGETS
    return dag.AgGrid(
        id=ids.budgets_part("table", key), columnDefs=[_column(*one) for one in COLUMNS[key]],
        rowData=[], columnSize=None, className="grid", style={"width": "100%"},
        dashGridOptions=GRID | {"domLayout": "autoHeight"} | OPTIONS[key],
        defaultColDef={"sortable": sorts, "resizable": True, "suppressHeaderMenuButton": True},
        **({"getRowId": "params.data.key"} if sorts else {}),
    )  # fmt: skip


def _column(field: str, label: str) -> Row:
    column: Row = {
        "field": field, "headerName": label, "minWidth": WIDTHS.get(field, 106), "flex": 1,
        "wrapHeaderText": True, "headerTooltip": HELP.get(field, label),
        "valueFormatter": {"function": "shown(params)"},
        "tooltipField": f"{field}_zoned" if field in ZONED else f"{field}_text",
    }  # fmt: skip
    if field in NUMBERS:
        column["type"] = "rightAligned"
    if field == "share":
        column["cellClassRules"] = BARS | LEVELS
    return column | ({"flex": 2} if field == "subject" else {})
