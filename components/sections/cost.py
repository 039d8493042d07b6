"""Sections about money and models."""

from __future__ import annotations

from typing import Final

from components.sections.section import Section
from components.shapes.changes import Changes
from components.shapes.headline import Headline
from components.shapes.heatmap import Heatmap
from components.shapes.measures import Measures
from components.shapes.ranking import Ranking
from components.shapes.time_series import TimeSeries

MONEY: Final = ("cost", "requests", "tokens")
FEW: Final = 6  # of a ranking that stands in full on a tab of its own
BREAKDOWNS: Final = ("project", "user", "model", "provider", "channel", "assistant", "workflow")
KINDS: Final = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens")
LARGE: Final = Headline(
    ("cost", "requests", "active_users", "error_rate"),
    ("cost", "requests", "cost_per_request", "error_rate"),
    "tokens", KINDS, ("priced_share", "prices"),
)  # fmt: skip

OVERVIEW: Final = (
    Section(
        "headline", "Headline numbers",
        ("cost", "requests", "tokens", *KINDS, "active_users", "active_projects",
         "cost_per_request", "error_rate", "priced_share"), (),
        LARGE,
    ),
    Section(
        "cost-by-channel", "Cost over time by channel", MONEY, ("channel",), TimeSeries(),
        ("cost",), help="Stacked: the parts are the whole.",
    ),
    Section(
        "top-models", "Top models", MONEY, ("model",), Ranking(FEW), width=4, width_alone=6,
        more="models",
    ),
    Section(
        "top-projects", "Top projects", (*MONEY, "active_users"), ("project",), Ranking(FEW),
        width=4, width_alone=6, more="projects",
    ),
    Section("top-users", "Top users", MONEY, ("user",), Ranking(FEW), width=4, people=True,
            more="users"),
    Section(
        "activity-over-time", "Activity over time",
        ("requests", "active_users", "active_projects", "errors"), (), Measures(),
        ("requests", "active_users"), width=6, help="Calls, and how many people made them.",
        alone=("requests",),
    ),
    Section(
        "utilisation", "When it is used", ("requests", "active_users", "cost", "tokens"), (),
        Heatmap(), width=6, help="By weekday and hour, in your time zone.",
    ),
    Section(
        "reach", "What is in use",
        ("models_used", "assistants_used", "workflows_used", "tools_used", "integrations_used"),
        (), Headline(),
    ),
)  # fmt: skip

SPENT: Final = (
    "cost", "requests", "tokens", "cost_per_1k_tokens", "active_users", "priced_share",
)  # fmt: skip
SPENDING: Final = (
    Section(
        "cost-over-time", "Cost over time", MONEY, BREAKDOWNS, TimeSeries(),
        help="The six largest, and all others together.",
    ),
    Section(
        "cost-changes", "What changed", SPENT, BREAKDOWNS, Changes(), MONEY, width=6,
        help="The largest differences from what is compared with; without it, the largest values.",
    ),
    Section(
        "unit-costs", "Unit costs over time",
        ("cost_per_request", "cost_per_user", "cost_per_1k_tokens", "cost"), (),
        Measures(together=False), ("cost_per_request", "cost_per_user", "cost_per_1k_tokens"),
        width=6, help="Cost over the calls, people and tokens of each stretch.",
    ),
    Section(
        "cost-by-provider", "Cost by provider", SPENT, ("provider", "channel", "client"),
        Ranking(), ("cost",), width=6,
    ),
    Section(
        "cost-of-failure", "Cost of failure", ("cost_of_errors", "cost_of_aborted", "errors"), (),
        Measures(filters=(("status", "error"), ("status", "aborted"))),
        ("cost_of_errors", "cost_of_aborted"), width=6,
        help="What failed and aborted calls cost all the same.",
    ),
)  # fmt: skip
# Rankings that stand on the tab of what they rank; scripts ask for them by these names.
SPENT_BY: Final = (
    Section("cost-by-project", "Cost by project", SPENT, ("project",), Ranking(), ("cost",)),
    Section(
        "cost-by-user", "Cost by user",
        ("cost", "requests", "tokens", "cost_per_1k_tokens", "active_projects", "priced_share"),
        ("user",), Ranking(), ("cost",), people=True,
    ),
    Section(
        "cost-by-assistant", "Cost by assistant", SPENT, ("assistant",), Ranking(), ("cost",),
        width=6, help="(none): calls outside of assistants.",
    ),
    Section(
        "cost-by-workflow", "Cost by workflow", (*SPENT, "runs", "cost_per_run"), ("workflow",),
        Ranking(), ("cost",), help="(none): calls outside of workflows.",
    ),
)  # fmt: skip

OF_MODELS: Final = (
    "cost", "requests", "tokens", *KINDS, "cost_per_1k_tokens", "cached_share", "errors",
    "error_rate", "duration_avg", "duration_p95",
)  # fmt: skip
MODELS: Final = (
    Section(
        "models-over-time", "Models over time", OF_MODELS, ("model",), TimeSeries(),
        help="The six largest by the measure, and all others together.",
    ),
    Section("models", "Models", OF_MODELS, ("model",), Ranking()),
    Section(
        "token-mix", "Token mix over time", (*KINDS, "tokens", "reasoning_tokens"), (), Measures(),
        KINDS, width=6, help="Four disjoint kinds.",
    ),
    Section(
        "caching", "Caching", ("cache_saved", "cache_write_cost", "cached_share", *KINDS[1:3]), (),
        Measures(grouped=True), ("cache_saved", "cache_write_cost"), width=6,
        help="Saved by cache reads, spent on cache writes; at list prices.",
    ),
    Section(
        "reported-and-list", "Reported and list cost",
        ("reported_cost", "list_cost", "reported_minus_list", "requests", "tokens"),
        ("model", "provider", "project"), Ranking(),
        ("reported_cost", "list_cost", "reported_minus_list"),
        help="Where a source reports a cost, what the price book says of the same calls.",
        where=(("list_cost_nano", ()),),
    ),
    Section(
        "latency", "Latency", ("duration_p50", "duration_p95", "ttft_p50", "ttft_p95"), (),
        Measures(below=("ttft_p50", "ttft_p95")), width=6,
        help="Of calls; below, to the first token.",
    ),
    Section(
        "errors-by-class", "Errors by class", ("errors", "cost_of_errors", "active_users"),
        ("error_class", "model", "provider"), Ranking(), ("errors",), width=6,
        where=(("kind", ("llm",)), ("status", ("error",))),
    ),
)  # fmt: skip
