"""A section on the page: one component of our own, which `assets/card.js` draws.

Its declaration is written here once; a callback writes the `answer`, the browser all the rest.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from components import ids
from components.own import OwnComponent
from components.page import tables
from components.page.pivot import pivot
from components.page.views import AS_DECLARED, View
from components.sections.declared import TABS, Section
from components.shapes.marks import marked_rows
from components.values import change, period_text
from data.query.answers import Answer
from data.query.catalog import DIMENSIONS, METRICS
from data.query.comparison import before_name
from data.query.series import or_none

MOST_ROWS: Final = 10_000
GRAPH: Final[dict[str, Any]] = {
    "displayModeBar": False,
    "displaylogo": False,
    # Plotly 7 offers to upload a chart to its cloud unless it is told not to, twice.
    "showSendToCloud": False,
    "plotlyServerURL": "",
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
    "suppressColumnVirtualisation": True,
}
# A page of a card's table is whole on the page: it does not scroll by itself.
PAGES: Final[dict[str, Any]] = {
    "domLayout": "autoHeight",
    "paginationPageSize": 10,
    "paginationPageSizeSelector": [10, 20, 50, 200],
}
Props = dict[str, Any]
LOADING: Final[Props] = {"state": "loading"}


class Card(OwnComponent):
    """`declared` is what the section is, `answer` what came of its question; `measure` and `by`
    are chosen on it, `mode` is chart or table, `form` that of a table over time, `of` what its page
    is about (`user:ana`), `retries` counts the clicks on Retry."""

    _type: ClassVar[str] = "Card"
    _prop_names: ClassVar[list[str]] = [
        "id", "declared", "answer", "measure", "by", "mode", "form", "of", "retries",
    ]  # fmt: skip
    available_properties: ClassVar[list[str]] = _prop_names

    def __init__(
        self, declared: Props, measure: str, by: str, form: str = "", of: str = ""
    ) -> None:
        self.id, self.declared = ids.card(declared["key"]), declared
        self.answer, self.measure, self.by = LOADING, measure, by
        self.form, self.of = form, of


def chart(one: Section, view: View = AS_DECLARED, of: str = "") -> Card:
    """The card of a section with a chart, as a reader chose to see it."""
    measures = one.shape.choices(one.measures)
    by = view.by if view.by in one.by else (*one.by, "")[0]
    return Card(_chart(one), view.measure or (*measures, "")[0], by, view.form, of)


def _chart(one: Section) -> Props:
    measures = one.shape.choices(one.measures)
    return named(one) | {
        "className": f"card-section {one.shape.css_class} span-{one.width}{_legend_class(one)}",
        "help": one.help,
        "asList": one.shape.as_list,
        "more": _more(one),
        "measures": [
            choice(name, METRICS[name].label) | {"help": METRICS[name].help} for name in measures
        ],
        "breakdowns": [choice(name, f"by {DIMENSIONS[name].label.lower()}") for name in one.by],
        "metrics": [choice(name, METRICS[name].label) for name in one.metrics],
        "graph": GRAPH,
        "grid": GRID | PAGES,
    }


def _legend_class(one: Section) -> str:
    """The class of a chart of one measure and no breakdown: it has no legend to make room for."""
    drawn = one.shape.drawn(one.measures, (*one.measures, "")[0])
    return " alone" if len(drawn) < 2 and not one.by else ""


def _more(one: Section) -> Props | None:
    """The way to the tab that has all of it."""
    if not one.more:
        return None
    title = next(tab.title for tab in TABS if tab.key == one.more)
    return {"tab": one.more, "label": f"All {title.lower()}"}


def named(one: Section) -> Props:
    """What its card is called."""
    return {"key": one.key, "title": one.title}


def choice(value: str, label: str) -> dict[str, str]:
    """Something to choose, or to be called by a label."""
    return {"value": value, "label": label}


def chart_answer(one: Section, answered: Answer, reason: str, file: str) -> Props:
    """A section's answer as its card shows it; `reason` says why there is nothing, `file` is the
    address of all of it."""
    rows = marked_rows(tables.rows(answered, MOST_ROWS), answered)
    metric = METRICS[answered.measure]
    return {
        "state": "empty" if reason else "ready",
        "sentence": reason,
        "figure": one.shape.draw(answered),
        "columns": tables.columns(answered),
        "rows": rows,
        "total": tables.total(answered),
        "pivot": pivot(answered, rows),
        # The chart in a sentence, for those who hear the page.
        "summary": f"{metric.label}: {metric.unit.text(answered.total)} in total{_was(answered)}"
        f"{_largest(answered, rows)}",
        "file": file,
    }


def _largest(answered: Answer, rows: list[Props]) -> str:
    """The largest of several rows, in words."""
    measure = answered.measure
    known = [row for row in rows if row.get(measure) is not None]
    if len(known) < 2:
        return ""
    most = max(known, key=lambda row: float(row[measure]))
    named = ", ".join(str(most[f"{name}{tables.TEXT}"]) for name in answered.dimensions)
    return f". Largest: {named} with {most[f'{measure}{tables.TEXT}']}"


def _was(answered: Answer) -> str:
    """What the total was, in words."""
    if answered.comparison is None:
        return ""
    metric, window = METRICS[answered.measure], answered.comparison.window
    before = answered.totals[before_name(metric.name)].iloc[0]
    if or_none(before) is None:
        return ""
    moved = change(metric, answered.total, before).text
    period = period_text(window, answered.window)
    return f", {metric.unit.text(before)} on {period} ({moved})"


def failed(sentence: str) -> Props:
    """What went wrong, in the card's place."""
    return {"state": "failed", "sentence": sentence}
