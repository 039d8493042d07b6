"""The form of a budget: what is limited, by how much, in which period."""

from __future__ import annotations

from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import html

from components import ids
from data.budgets.budget import FIELDS, KINDS, PERIODS

LABELS: Final = {
    "kind": "What is limited",
    "subject": "Which one",
    "hard": "Limit (US dollars)",
    "soft": "Soft limit (US dollars, optional)",
    "period": "Period",
    "days": "Days in a period",
    "zone": "Time zone",
    "start": "Counts from",
}
SUBJECTS: Final = {
    "everything": "",
    "project": "Project id",
    "user": "User id",
    "model": "Models whose name begins with, or with * for anything",
}
CHOICES: Final = {"kind": KINDS, "period": PERIODS}
TYPED: Final = tuple(name for name in LABELS if name not in CHOICES)
NUMERIC: Final = ("hard", "soft", "days")
PROBLEMS: Final = (*FIELDS, "")
BLANK: Final = {
    "kind": "everything", "subject": "", "hard": "", "soft": "", "period": "monthly",
    "days": "", "zone": "UTC", "start": "",
}  # fmt: skip


def form() -> dbc.Offcanvas:
    """The form, closed; who may set what arrives with its opening."""
    return dbc.Offcanvas(
        [
            *(_field(name) for name in LABELS),
            _problem(""),
            html.Button("Save", id=ids.BUDGET_SAVE, className="toggle", **ids.testid("budget-save"),
                        **{"aria-pressed": "true"}),
            html.Datalist(id=ids.BUDGET_OFFERED),
        ],
        id=ids.BUDGET_FORM, labelledby=ids.BUDGET_TITLE,
        title=html.Span("New budget", id=ids.BUDGET_TITLE), placement="end", is_open=False,
        class_name="budget-form", scrollable=True,
    )  # fmt: skip


def _field(name: str) -> html.Div:
    label = html.Label(LABELS[name], htmlFor=ids.budget_field(name), id=ids.budget_label(name))
    return html.Div(
        [label, _control(name), _problem(name)], id=ids.budget_box(name), className="field"
    )


def _control(name: str) -> Any:
    key = ids.budget_field(name)
    if name in CHOICES:
        return dbc.Select(id=key, value=BLANK[name], options=options(CHOICES[name]))
    more = {"list": ids.BUDGET_OFFERED} if name == "subject" else {}
    return dbc.Input(
        id=key, type="date" if name == "start" else "text", value="", autocomplete="off",
        inputmode="decimal" if name in NUMERIC else "text", **more,
    )  # fmt: skip


def _problem(name: str) -> html.Div:
    return html.Div(
        id=ids.budget_problem(name), className="problem", role="alert",
        **ids.testid(f"budget-problem-{name}"),
    )  # fmt: skip


def options(known: dict[str, str]) -> list[dict[str, str]]:
    """A select's options of keys and labels."""
    return [{"value": key, "label": label} for key, label in known.items()]


def values(said: dict[str, Any]) -> list[Any]:
    """What the controls hold for a budget, in the order of `LABELS`."""
    return [_typed(said.get(name)) for name in LABELS]


def _typed(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.9f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)
