"""Metrics and dimensions, each declared once: name, label, unit, expression.

Calls and tokens are named as in the OpenTelemetry GenAI conventions, money as in FOCUS, the rest
as BI tools do. Metrics stand in `metrics_calls` and `metrics_activity`, dimensions below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import func

from data.dialect import Expression
from data.engines.partials import under
from data.errors import Refused, excerpt
from data.events.table import EVENTS
from data.query.metric import Metric
from data.query.metrics_activity import ACTIVITY
from data.query.metrics_calls import CALLS, MONEY
from data.query.units import INSTANT, TEXT, Unit

__all__ = ["DIMENSIONS", "METRICS", "Dimension", "Metric", "dimension", "metric"]


@dataclass(frozen=True, slots=True)
class Dimension:
    """A way to break numbers down; `naming` is the column with the name people use, `labels` are
    those of values that are ours, in the order of their colours."""

    name: str
    label: str
    naming: str | None = None
    unit: Unit = TEXT
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)

    def label_of(self, value: str) -> str:
        """How one of its values reads."""
        return self.labels.get(value, value)


METRICS: Final = {metric.name: metric for metric in (*MONEY, *CALLS, *ACTIVITY)}
# Of which fields that are no dimension a section asks that they be known (`where`), and for what:
# that stands in sums, too.
NARROWED: Final = {
    "list_cost_nano": ("reported_cost", "list_cost", "reported_minus_list", "requests", "tokens"),
}

TIME: Final = "time"
HOUR: Final = "hour"
WEEKDAY: Final = "weekday"
# A stored text is never empty, so the empty text is free to mean "all the others".
OTHER: Final = ""
OTHER_LABEL: Final = "Other"
CHANNELS: Final = {"cli": "CLI", "platform": "Platform", "api": "API", "other": "Other"}
_DIMENSIONS: Final = (
    Dimension(TIME, "Time", unit=INSTANT),
    Dimension(WEEKDAY, "Weekday"),
    Dimension(HOUR, "Hour"),
    Dimension("user", "User", "user_name"),
    Dimension("project", "Project", "project_name"),
    Dimension("model", "Model"),
    Dimension("provider", "Provider"),
    Dimension("channel", "Channel", labels=CHANNELS),
    Dimension("assistant", "Assistant"),
    Dimension("workflow", "Workflow"),
    Dimension("tool", "Tool"),
    Dimension("tool_type", "Tool type"),
    Dimension("integration", "Integration"),
    Dimension("integration_type", "Integration type"),
    Dimension("client", "Client"),
    Dimension("repository", "Repository"),
    Dimension("operation", "Operation"),
    Dimension("status", "Status"),
    Dimension("error_class", "Error class"),
    Dimension("service_tier", "Service tier"),
    Dimension("unpriced_reason", "Why unpriced"),
    Dimension("kind", "Kind"),
    Dimension("source", "Source"),
)
DIMENSIONS: Final = {dimension.name: dimension for dimension in _DIMENSIONS}


def aggregates() -> list[Expression]:
    """How every metric is made, for an engine that keeps sums of them; and those of `NARROWED`
    under their condition, with how many events meet it."""
    made = {name: one.of(EVENTS.c.ts).sql for name, one in METRICS.items()}
    narrowed = [
        under(one, EVENTS.c[field].is_not(None))
        for field, names in NARROWED.items()
        for one in (func.count(), *(made[name] for name in names))
    ]
    return [*made.values(), *narrowed]


def metric(name: str) -> Metric:
    """The declared metric of a name, or `Refused`."""
    return METRICS[name] if name in METRICS else _unknown("metrics", "metric", name, METRICS)


def dimension(name: str) -> Dimension:
    """The declared dimension of a name, or `Refused`."""
    return DIMENSIONS[name] if name in DIMENSIONS else _unknown("by", "dimension", name, DIMENSIONS)


def _unknown(parameter: str, what: str, name: str, declared: Iterable[str]) -> Any:
    raise Refused(parameter, f"{excerpt(name)} is no {what}; use one of {', '.join(declared)}")
