"""The Budgets tab: how each budget stands, and when limits were crossed; as chart and as table."""

from __future__ import annotations

from typing import Any, Final

from dash import dcc, html

from components import ids
from components.settings.budget_rows import STEPS
from components.settings.resource import Button, Card, Column, Field, Form, Row, card
from data.budgets.budget import KINDS, PERIODS

EVERY: Final = "all"
EVERY_BUDGET: Final = {EVERY: "All budgets"}
SUBJECTS: Final = {
    "everything": "",
    "project": "Project id",
    "user": "User id",
    "model": "Models whose name begins with, or with * for anything",
}
# Full names of classes: a cell's bar is as long as its class says (assets/budgets.css).
BARS: Final = {f"fill-{step}": f"params.data.fill === {step}" for step in range(STEPS + 1)}
LEVELS: Final = {
    f"level-{name}": f"params.data.level === '{name}'" for name in ("good", "amber", "red")
}


def _selected() -> list[Any]:
    """Which budget is selected, and where its events are."""
    link = dcc.Link("Show in Analytics", id=ids.BUDGET_LINK, href="", className="quiet")
    return [
        html.Span(id=ids.BUDGET_CHOSEN, className="help", **ids.testid(ids.BUDGET_CHOSEN)),
        html.Span(link, id=ids.BUDGET_SHOW, hidden=True, **ids.testid(ids.BUDGET_SHOW),
                  title="What it counts in its current period"),
    ]  # fmt: skip


def _changes(row: Row) -> bool:
    return bool(row["changes"])


def _sure(row: Row) -> str:
    return f"Delete the budget “{row['subject']}” ({row['period']})?"


FORM: Final = Form(
    fields=(
        Field("kind", "What is limited", "choice", options=KINDS, initial="everything"),
        Field("subject", "Which one", suggests=True),
        Field("hard", "Limit (US dollars)", "decimal"),
        Field("soft", "Soft limit (US dollars, optional)", "decimal"),
        Field("period", "Period", "choice", options=PERIODS, initial="monthly"),
        Field("days", "Days in a period", "decimal"),
        Field("zone", "Time zone", initial="UTC"),
        Field("start", "Counts from", "date"),
    ),
    save="Save", save_key="budget-save", drawer="New budget", class_name="",
)  # fmt: skip
BUDGETS: Final = Card(
    "budgets", "budget", "Budgets", "Spent in the current period, against the limit.",
    columns=(
        Column("subject", "Budget", 180, 2),
        Column("share", "Share", 98, number=True, more={"cellClassRules": BARS | LEVELS}),
        Column("spent", "Spent", 106, number=True), Column("hard", "Limit", 106, number=True),
        Column("soft", "Soft limit", 106, number=True),
        Column("projected", "Projected", 106, number=True,
               help="What will have been spent at the reset if it goes on at this pace."),
        Column("period", "Period", 126),
        Column("reset", "Resets", 226, tip="zoned"),  # its zone stands in the tooltip
    ),
    empty="No budget is set for anything of which you may see all that it counts.",
    buttons=(
        Button("budget-new", "New budget", hides=True),
        Button("budget-edit", "Edit", needs=_changes, hides=True, title="Edit budget"),
        Button("budget-delete", "Delete", needs=_changes, hides=True, confirm=_sure),
    ),
    form=FORM, chart=True, file="/api/v1/budgets.csv", named="key", tools=_selected,
)  # fmt: skip
CROSSINGS: Final = Card(
    "crossings", "crossing", "Limits crossed",
    "Each time: the call after which it was too much.",
    columns=(
        Column("at", "Crossed", 166, tip="zoned"), Column("subject", "Budget", 180, 2),
        Column("limit", "Which limit", 106), Column("most", "Limit", 106, number=True),
        Column("user", "By a call of", 150),
        Column("over", "Over in the end", 106, number=True,
               help="How far over the limit at the period's end, or so far."),
        Column("period", "Period from", 126),
    ),
    empty="No limit was crossed in the periods that are remembered.",
    search=(Field("budget", "Of which budget", "choice", options=EVERY_BUDGET, initial=EVERY),),
    page_size=20, chart=True, file="/api/v1/budgets/crossings.csv",
)  # fmt: skip


def page() -> html.Div:
    """The tab, empty: callbacks fill charts and tables."""
    return html.Div([card(BUDGETS), card(CROSSINGS)], className="sections tab-budgets budgets-page")


def choices(rows: list[Row]) -> dict[str, str]:
    """The budgets whose history there is to see."""
    return EVERY_BUDGET | {str(row["id"]): called(row) for row in rows}


def called(row: Row) -> str:
    """A budget in the words of its row."""
    return f"{row['subject']}, {row['period'].lower()}"
