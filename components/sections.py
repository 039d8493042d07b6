"""The dashboard as a list: tabs, and the sections they show.

A section is a question (metrics by a dimension, over time or not) and how to draw it. To add one
is to add an entry here; no callback, route or export knows any section by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from data.catalog import METRICS, TIME
from data.errors import Unknown

Shape = Literal["time", "ranking", "headline"]


@dataclass(frozen=True, slots=True)
class Section:
    """`by` are the breakdowns to choose from, the first by default; `measures` what can be drawn.

    `metrics` are the columns of table, CSV and API; a chart draws one measure of them. Over time,
    the `top` values are kept and the others gathered; a ranking lists every value and draws `top`.
    """

    key: str
    title: str
    metrics: tuple[str, ...]
    by: tuple[str, ...]
    shape: Shape
    measures: tuple[str, ...] = ()
    top: int = 8
    help: str = ""

    def dimensions(self, by: str) -> tuple[str, ...]:
        if self.shape == "headline":
            return ()
        return (TIME, by) if self.shape == "time" else (by,)


@dataclass(frozen=True, slots=True)
class Tab:
    key: str
    title: str
    sections: tuple[Section, ...]


HEADLINE: Final = Section(
    "headline",
    "Headline numbers",
    ("cost", "requests", "tokens", "input_tokens", "cached_input_tokens", "output_tokens",
     "active_users", "active_projects", "error_rate", "priced_share"),
    (), "headline",
)  # fmt: skip
MONEY: Final = ("cost", "requests", "tokens")
BREAKDOWNS: Final = ("project", "user", "model", "provider", "channel")

COST_BY_CHANNEL: Final = Section(
    "cost-by-channel", "Cost over time by channel", MONEY, ("channel",), "time", ("cost",),
    help="Stacked: the parts are the whole.",
)  # fmt: skip
TOP_MODELS: Final = Section("top-models", "Top models", MONEY, ("model",), "ranking")
TOP_PROJECTS: Final = Section(
    "top-projects", "Top projects", (*MONEY, "active_users"), ("project",), "ranking"
)
TOP_USERS: Final = Section("top-users", "Top users", MONEY, ("user",), "ranking")

COST_OVER_TIME: Final = Section(
    "cost-over-time", "Cost over time", MONEY, BREAKDOWNS, "time",
    help="The eight largest, and all others together.",
)  # fmt: skip
SPENDING: Final = (
    "cost", "requests", "tokens", "cost_per_1k_tokens", "active_users", "priced_share",
)  # fmt: skip
COST_BY_PROJECT: Final = Section(
    "cost-by-project", "Cost by project", SPENDING, ("project",), "ranking", ("cost",)
)
COST_BY_USER: Final = Section(
    "cost-by-user", "Cost by user",
    ("cost", "requests", "tokens", "cost_per_1k_tokens", "active_projects", "priced_share"),
    ("user",), "ranking", ("cost",),
)  # fmt: skip
COST_BY_PROVIDER: Final = Section(
    "cost-by-provider", "Cost by provider", SPENDING, ("provider",), "ranking", ("cost",)
)

MODEL_METRICS: Final = (
    "cost", "requests", "tokens", "input_tokens", "cached_input_tokens", "cache_write_tokens",
    "output_tokens", "cost_per_1k_tokens", "cached_share", "errors", "error_rate",
    "duration_avg", "duration_p95",
)  # fmt: skip
MODELS: Final = Section("models", "Models", MODEL_METRICS, ("model",), "ranking")
MODELS_OVER_TIME: Final = Section(
    "models-over-time", "Models over time", MODEL_METRICS, ("model",), "time",
    help="The eight largest by the measure, and all others together.",
)  # fmt: skip

TABS: Final = (
    Tab("overview", "Overview", (HEADLINE, COST_BY_CHANNEL, TOP_MODELS, TOP_PROJECTS, TOP_USERS)),
    Tab("spending", "Spending", (COST_OVER_TIME, COST_BY_PROJECT, COST_BY_USER, COST_BY_PROVIDER)),
    Tab("models", "Models", (MODELS_OVER_TIME, MODELS)),
)
SECTIONS: Final = {section.key: section for tab in TABS for section in tab.sections}


def section(key: str) -> Section:
    """The declared section of a key, or `Unknown`."""
    if key not in SECTIONS:
        raise Unknown("section", f"there is no section {key[:40]!r}; see {', '.join(SECTIONS)}")
    return SECTIONS[key]


def tab(key: str) -> Tab:
    """The tab of a key, or `Unknown`."""
    for one in TABS:
        if one.key == key:
            return one
    raise Unknown("tab", f"there is no tab {key[:40]!r}")


def measures(one: Section) -> tuple[str, ...]:
    """The metrics a section's chart can draw."""
    return one.measures or tuple(name for name in one.metrics if METRICS[name].unit != "instant")
