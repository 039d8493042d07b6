"""The Budgets tab: how each budget stands, and when limits were crossed; as chart and as table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from dash import html

from components import ids
from components.settings.draw import card
from components.settings.resource import Button, Card, Column, Field, Form, Row, cells, pair
from components.wiring import Link
from data.budgets.budget import KINDS, LIMITS, PERIODS, Budget
from data.budgets.crossings import Crossed, Crossing
from data.budgets.spending import BudgetStatus
from data.events.money import in_dollars
from data.query.units import DAY, INSTANT, SHARE, USD, ZONED_INSTANT, day

Names = dict[tuple[str, str], str]
STEPS: Final = 20
EVERYTHING: Final = "Everything"
EVERY: Final = "all"
EVERY_BUDGET: Final = {EVERY: "All budgets"}
SUBJECTS: Final = {
    "project": "Project id",
    "user": "User id",
    "model": "Models whose name begins with, or with * for anything",
}
# Full names of classes: a cell's bar is as long as its class says (assets/budgets.css).
BARS: Final = {f"fill-{step}": f"params.data.fill === {step}" for step in range(STEPS + 1)}
LEVELS: Final = {
    f"level-{name}": f"params.data.level === '{name}'" for name in ("good", "amber", "red")
}


# --- in words


def label(budget: Budget, names: Names) -> str:
    """What a budget is for, in the words people use."""
    if budget.kind == "everything":
        return EVERYTHING
    name = names.get((budget.kind, budget.subject), budget.subject)
    return f"{KINDS[budget.kind]}: {name}"


def remaining(us: int) -> str:
    """`7 days 22 h`, `3 h 20 min`, `12 min`: how long until an instant."""
    minutes = max(0, us) // 60_000_000
    days, hours, minutes = minutes // 1_440, minutes % 1_440 // 60, minutes % 60
    if days:
        return f"{days} {'day' if days == 1 else 'days'} {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def reset(one: BudgetStatus) -> str:
    """`1 Dec 2026, in 10 days 12 h`."""
    return f"{day(one.period.end, one.budget.zone)}, in {remaining(one.left)}"


def called(row: Row) -> str:
    """A budget in the words of its row."""
    return f"{row['subject']}, {row['period'].lower()}"


def choices(rows: list[Row]) -> dict[str, str]:
    """The budgets whose history there is to see."""
    return EVERY_BUDGET | {str(row["id"]): called(row) for row in rows}


def _selected() -> list[Any]:
    """Which budget is selected, and where its events are."""
    link = Link("Show in Analytics", id=ids.BUDGET_LINK, href="", className="quiet")
    return [
        html.Span(id=ids.BUDGET_CHOSEN, className="help", **ids.testid(ids.BUDGET_CHOSEN)),
        html.Span(link, id=ids.BUDGET_SHOW, hidden=True, **ids.testid(ids.BUDGET_SHOW),
                  title="What it counts in its current period"),
    ]  # fmt: skip


def _confirm_removal(row: Row) -> str:
    return f"Delete the budget “{row['subject']}” ({row['period']})?"


# --- the cards


FORM: Final = Form(
    fields=(
        Field("kind", "Limit for", "choice", options=KINDS, initial="everything"),
        Field("subject", "Name", when={"kind": tuple(SUBJECTS)}, suggests=True),
        Field("hard", "Limit (US dollars)", "decimal"),
        Field("soft", "Soft limit (US dollars, optional)", "decimal"),
        Field("period", "Period", "choice", options=PERIODS, initial="monthly"),
        Field("days", "Days in a period", "decimal", when={"period": ("days",)}),
        Field("zone", "Time zone", initial="UTC"),
        Field("start", "Starts on", "date"),
    ),
    save="Save", save_key="budget-save", drawer=True,
)  # fmt: skip
BUDGETS: Final = Card(
    "budgets", "budget", "Budgets", "Spent in the current period, against the limit.",
    columns=(
        Column("subject", "Budget", 180, 2, of=lambda one: one.budget.subject),
        Column("share", "Share", 98, unit=SHARE, more={"cellClassRules": BARS | LEVELS}),
        Column("spent", "Spent", 106, unit=USD),
        Column("hard", "Limit", 106, unit=USD, of=lambda one: one.budget.hard),
        Column("soft", "Soft limit", 106, unit=USD, of=lambda one: one.budget.soft),
        Column("projected", "Projected", 106, unit=USD,
               help="What will have been spent at the reset if it goes on at this pace."),
        Column("period", "Period", 126, of=lambda one: one.budget.every.capitalize()),
        # Its zone stands in the tooltip.
        Column("reset", "Resets", 226, unit=DAY, of=lambda one: one.period.end, tip="zoned"),
    ),
    empty="No budget is set for anything of which you may see all that it counts.",
    buttons=(
        Button("budget-new", "New budget", "new", hides=True),
        Button("budget-edit", "Edit", "edit", needs=lambda row: bool(row["changes"]), hides=True,
               title="Edit budget"),
        Button("budget-delete", "Delete", "remove", needs=lambda row: bool(row["changes"]),
               hides=True, confirm=_confirm_removal),
    ),
    form=FORM, chart=True, file=True, named="key", tools=_selected,
)  # fmt: skip
CROSSINGS: Final = Card(
    "crossings", "crossing", "Limits crossed",
    "Each time a limit was exceeded, and the call that did it.",
    columns=(
        Column("at", "Crossed", 166, unit=INSTANT, tip="zoned"),
        Column("subject", "Budget", 180, 2, of=lambda one: one.crossed.budget.subject),
        Column("limit", "Limit reached", 106, of=lambda one: LIMITS[one.crossed.limit]),
        Column("most", "Limit", 106, unit=USD,
               of=lambda one: getattr(one.crossed.budget, one.crossed.limit)),
        Column("user", "User", 150),
        Column("over", "Over at the end", 106, unit=USD, of=lambda one: one.crossed.over,
               help="How far over the limit at the period's end, or so far."),
        Column("period", "Period from", 126, unit=DAY, of=lambda one: one.crossed.period.start),
    ),
    empty="No limit was crossed in the periods that are remembered.",
    search=(Field("budget", "Budget", "choice", options=EVERY_BUDGET, initial=EVERY),),
    page_size=20, chart=True, file=True,
)  # fmt: skip


def page() -> html.Div:
    """The tab, empty: callbacks fill charts and tables."""
    return html.Div([card(BUDGETS), card(CROSSINGS)], className="sections tab-budgets budgets-page")


# --- their rows


def row(one: BudgetStatus, names: Names, changes: bool, link: str) -> Row:
    """A budget's row; `changes` says whether the reader may edit it, `link` leads to its events."""
    budget = one.budget
    return cells(BUDGETS.columns, one, budget.zone) | {
        "id": budget.id, "key": str(budget.id), "changes": changes, "link": link,
        "level": one.level, "fill": min(STEPS, int(one.share * STEPS)),
        "reset_text": reset(one), "reset_zoned": f"{reset(one)} ({budget.zone})",
        **pair("subject", label(budget, names)),
    }  # fmt: skip


def crossing_row(one: Crossing, names: Names) -> Row:
    """A crossing's row."""
    budget = one.crossed.budget
    user = names.get(("user", one.user), one.user) if one.user else None
    return cells(CROSSINGS.columns, replace(one, user=user), budget.zone) | {
        "at_zoned": ZONED_INSTANT.text(one.at, budget.zone),
        **pair("subject", label(budget, names)),
    }


def point(one: Crossed, names: Names) -> Row:
    """A crossing as a chart draws it: to the hour, so that no call needs to be looked for."""
    budget = one.budget
    return {
        "id": budget.id, "subject": label(budget, names), "period": budget.every.capitalize(),
        "limit": one.limit, "hour": one.hour, "at_text": INSTANT.text(one.hour, budget.zone),
        "over_text": USD.text(in_dollars(one.over)),
    }  # fmt: skip
