"""The Budgets tab: how each budget stands, and when limits were crossed."""

from __future__ import annotations

from typing import Any, Final

import dash_ag_grid as dag
from dash import dcc, html

from components import ids
from components.budget_form import form
from components.cards import GRID
from components.numbers import DASH, moment, text
from data.budget_crossings import Crossing
from data.budget_spending import Standing
from data.budgets import KINDS, LIMITS, Budget, in_dollars
from data.local_time import instant

Row = dict[str, Any]
STEPS: Final = 20
EVERYTHING: Final = "Everything"
NOTHING: Final = "No budget is set for anything of which you may see all that it counts."
NEVER: Final = "No limit was crossed in the periods that are remembered."
BUDGET_COLUMNS: Final = (
    ("subject", "Budget"), ("share", "Share"), ("spent", "Spent"), ("hard", "Limit"),
    ("soft", "Soft limit"), ("projected", "Projected"), ("period", "Period"),
    ("reset", "Resets"),
)  # fmt: skip
CROSSING_COLUMNS: Final = (
    ("at", "Crossed"), ("subject", "Budget"), ("limit", "Which limit"), ("most", "Limit"),
    ("user", "By a call of"), ("over", "Over in the end"), ("period", "Period from"),
)  # fmt: skip
PARTS: Final = {
    "budgets": (ids.BUDGETS, ids.BUDGETS_CARD, ids.BUDGETS_SAID),
    "crossings": (ids.CROSSINGS, ids.CROSSINGS_CARD, ids.CROSSINGS_SAID),
}
WIDTHS: Final = {"subject": 180, "reset": 226, "at": 166, "user": 150, "period": 126, "share": 98}
ZONED: Final = ("at", "reset")  # their zone stands in the tooltip
HELP: Final = {
    "projected": "What will have been spent at the reset if it goes on at this pace.",
    "over": "How far over the limit at the period's end, or so far.",
}
ROWS: Final[Row] = {
    "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
    "domLayout": "autoHeight",
}
NUMBERS: Final = ("spent", "hard", "soft", "share", "projected", "most", "over")
# Full names of classes: a cell's bar is as long as its class says (assets/budgets.css).
BARS: Final = {f"fill-{step}": f"params.data.fill === {step}" for step in range(STEPS + 1)}
LEVELS: Final = {
    f"level-{name}": f"params.data.level === '{name}'" for name in ("good", "amber", "red")
}


def page() -> html.Div:
    """The tab, empty: callbacks fill the tables."""
    return html.Div(
        [
            dcc.Store(id=ids.BUDGETS_CHANGED), dcc.Store(id=ids.BUDGET_EDITED),
            dcc.ConfirmDialog(id=ids.BUDGET_CONFIRM),
            _card("budgets", "Budgets", "Spent in the current period, against the limit.",
                  _buttons(), BUDGET_COLUMNS),
            _card("crossings", "Limits crossed",
                  "The newest twenty: the call after which it was too much.", [],
                  CROSSING_COLUMNS),
            form(),
        ],
        className="sections tab-budgets budgets-page",
    )  # fmt: skip


def _card(
    key: str, title: str, help_: str, tools: list[Any], columns: tuple[tuple[str, str], ...]
) -> html.Section:
    table, card, said = PARTS[key]
    head = html.Div([html.H2(title), html.Span(help_, className="help")])
    return html.Section(
        [
            html.Header([head, html.Div(tools, className="tools")], className="card-head"),
            html.P(id=said, className="budgets-said", role="status", **ids.testid("state")),
            html.Div(_grid(table, columns), className="budgets-grid", **ids.testid("table")),
        ],
        id=card, className="card-section", **ids.testid(f"section-{key}"),
        **{"aria-label": title, "data-state": "loading"},
    )  # fmt: skip


def _buttons() -> list[Any]:
    keys = {ids.BUDGET_NEW: "New budget", ids.BUDGET_EDIT: "Edit", ids.BUDGET_DELETE: "Delete"}
    return [
        html.Button(label, id=key, className="quiet", hidden=True, **ids.testid(key))
        for key, label in keys.items()
    ]


def _grid(key: str, columns: tuple[tuple[str, str], ...]) -> dag.AgGrid:
    return dag.AgGrid(
        id=key, columnDefs=[_column(*one) for one in columns], rowData=[], columnSize=None,
        dashGridOptions=GRID | {"pagination": key == ids.BUDGETS, **ROWS}, className="grid",
        defaultColDef={"sortable": True, "resizable": True, "suppressHeaderMenuButton": True},
        style={"width": "100%"},
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


def label(budget: Budget, names: dict[tuple[str, str], str]) -> str:
    """What a budget is for, in the words people use."""
    if budget.kind == "everything":
        return EVERYTHING
    name = names.get((budget.kind, budget.subject), budget.subject)
    return f"{KINDS[budget.kind]}: {name}"


def row(one: Standing, names: dict[tuple[str, str], str], changes: bool) -> Row:
    """A budget's row; `changes` says whether the reader may edit it."""
    budget, zone = one.budget, one.budget.zone
    reset = f"{day(one.period.end, zone)}, in {remaining(one.left)}"
    return {
        "id": budget.id, "changes": changes, "level": one.level,
        "fill": min(STEPS, int(one.share * STEPS)),
        **_pair("subject", label(budget, names)), **_pair("period", budget.every.capitalize()),
        **_money("spent", one.spent), **_money("hard", budget.hard),
        **_money("soft", budget.soft), **_money("projected", one.projected),
        "share": one.share, "share_text": text(one.share, "share"),
        "reset": one.period.end, "reset_text": reset, "reset_zoned": f"{reset} ({zone})",
    }  # fmt: skip


def crossing_row(one: Crossing, names: dict[tuple[str, str], str]) -> Row:
    """A crossing's row."""
    found, zone = one.crossed, one.crossed.budget.zone
    who = names.get(("user", one.user), one.user) if one.user else DASH
    return {
        "at": one.at, "at_text": moment(one.at, zone), "at_zoned": f"{moment(one.at, zone)} {zone}",
        **_pair("subject", label(found.budget, names)), **_pair("limit", LIMITS[found.limit]),
        **_money("most", getattr(found.budget, found.limit)), **_pair("user", who),
        **_money("over", found.over), "period": found.period.start,
        "period_text": day(found.period.start, zone),
    }  # fmt: skip


def day(us: int, zone: str) -> str:
    """`1 Dec 2026`: the local day of an instant."""
    at = instant(us, zone)
    return f"{at.day} {at:%b %Y}"


def remaining(us: int) -> str:
    """`7 days 22 h`, `3 h 20 min`, `12 min`: how long until an instant."""
    minutes = max(0, us) // 60_000_000
    days, hours, minutes = minutes // 1_440, minutes % 1_440 // 60, minutes % 60
    if days:
        return f"{days} {'day' if days == 1 else 'days'} {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _pair(field: str, value: str) -> Row:
    return {field: value, f"{field}_text": value}


def _money(field: str, nano: int | None) -> Row:
    dollars = in_dollars(nano)
    return {field: dollars, f"{field}_text": text(dollars, "usd")}
