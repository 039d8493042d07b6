"""The pages about one user, project, model or assistant: which sections stand on each.

They are sections of the tabs under the same keys, asked about one value; here they may have other
breakdowns first, another title or width.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from components.sections import activity, cost
from components.sections.section import Section
from components.shapes.headline import Headline
from components.shapes.ranking import Ranking

_DECLARED: Final = {
    one.key: one
    for sections in (
        cost.OVERVIEW, cost.SPENDING, cost.SPENT_BY, cost.MODELS,
        activity.ASSISTANTS, activity.TOOLS, activity.INTEGRATIONS,
    )
    for one in sections
}  # fmt: skip


def _here(key: str, title: str = "", by: tuple[str, ...] = (), **more: Any) -> Section:
    """A section as it stands on one of these pages."""
    one = _DECLARED[key]
    return replace(one, title=title or one.title, by=by or one.by, **more)


def _headline(counted: str, shape: Headline = cost.LARGE) -> Section:
    """The headline without the number of what there is one of."""
    metrics = tuple(name for name in _DECLARED["headline"].metrics if name != counted)
    return _here("headline", shape=shape, metrics=metrics)


_ONE_PERSON: Final = replace(cost.LARGE, large=cost.LARGE.alone)
# Here they stand in full: a tab has them of everything.
_RANKED: Final[dict[str, Any]] = {"shape": Ranking(), "width": 6, "more": ""}
_MODELS: Final = _here("top-models", "Models", **_RANKED)
_PROJECTS: Final = _here("top-projects", "Projects", **_RANKED)
_USERS: Final = _here("top-users", "Users", **_RANKED)
_ASSISTANTS: Final = _here("cost-by-assistant", "Assistants")
_TOOLS: Final = _here("tools", width=6)
_INTEGRATIONS: Final = _here("integrations", width=6)
_CLIENTS: Final = _here("cost-by-provider", "Clients", ("client", "channel", "provider"))
_HOURS: Final = _here("utilisation")
_FAILURES: Final = _here("errors-by-class")

USER: Final = (
    _headline("active_users", _ONE_PERSON),
    _here("cost-over-time", by=("model", "project", "assistant", "workflow", "channel")),
    _MODELS, _PROJECTS, _ASSISTANTS, _TOOLS, _CLIENTS, _INTEGRATIONS, _HOURS,
    _FAILURES,
)  # fmt: skip
PROJECT: Final = (
    _headline("active_projects"),
    _here("cost-over-time", by=("user", "model", "assistant", "workflow", "channel")),
    _USERS, _MODELS, _ASSISTANTS, _here("cost-by-workflow", "Workflows"), _TOOLS, _CLIENTS,
    _here("activity-over-time"), _FAILURES,
)  # fmt: skip
MODEL: Final = (
    _here("headline"),
    _here("cost-over-time", by=("project", "user", "assistant", "workflow", "channel", "provider")),
    _PROJECTS, _USERS, _here("token-mix"), _here("caching"), _here("latency"),
    _CLIENTS, _HOURS, _here("errors-by-class", by=("error_class", "provider")),
)  # fmt: skip
ASSISTANT: Final = (
    _here("headline"),
    _here("cost-over-time", by=("user", "model", "project", "workflow", "channel")),
    _USERS, _PROJECTS, _MODELS, _TOOLS, _here("activity-over-time"), _here("latency"), _HOURS,
    _FAILURES,
)  # fmt: skip
