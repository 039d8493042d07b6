"""Sections about what people do: assistants, workflows, tools, integrations, the CLI."""

from __future__ import annotations

from typing import Final

from components.sections.section import Section
from components.shapes.headline import Headline
from components.shapes.heatmap import Heatmap
from components.shapes.measures import Measures
from components.shapes.ranking import Ranking
from components.shapes.side_by_side import SideBySide
from components.shapes.time_series import TimeSeries

PER_TALK: Final = ("messages_min", "messages_median", "messages_avg", "messages_max")
ASSISTANTS: Final = (
    Section(
        "assistants-over-time", "Assistants over time", ("messages", "requests", "cost", "tokens"),
        ("assistant",), TimeSeries(), where=(("assistant", ()),),
    ),
    Section(
        "assistants", "Assistants",
        ("cost", "conversations", "messages", "active_users", *PER_TALK, "requests", "tokens",
         "cost_per_message", "error_rate", "duration_p95", "last_error", "last_user"),
        ("assistant",), Ranking(), where=(("assistant", ()),),
    ),
)  # fmt: skip
WORKFLOWS: Final = (
    Section(
        "runs-over-time", "Runs over time by outcome",
        ("runs_succeeded", "runs_failed", "runs_aborted", "runs", "run_success_rate"), (),
        Measures(stacked=True, filters=(("status", "ok"), ("status", "error"),
                                        ("status", "aborted"))),
        ("runs_succeeded", "runs_failed", "runs_aborted"),
    ),
    Section(
        "workflows", "Workflows",
        ("cost", "runs", "runs_succeeded", "runs_failed", "runs_aborted", "run_success_rate",
         "cost_per_run", "tokens", "run_duration_avg", "run_duration_p95", "active_users",
         "last_run"),
        ("workflow",), Ranking(), where=(("workflow", ()),),
    ),
)  # fmt: skip
TOOLS: Final = (
    Section(
        "tools-over-time", "Tools over time",
        ("tool_calls", "tool_errors", "tool_users", "tool_success_rate"), ("tool", "tool_type"),
        TimeSeries(), where=(("kind", ("tool",)),),
    ),
    Section(
        "tools", "Tools",
        ("tool_calls", "tool_users", "assistants_used", "tool_success_rate", "tool_errors",
         "tool_last_error", "tool_duration_p95", "last_tool"),
        ("tool",), Ranking(), where=(("kind", ("tool",)),),
    ),
    Section(
        "tools-by-type", "Tools by type",
        ("tool_calls", "tool_users", "tool_success_rate", "tool_errors", "tool_duration_p95"),
        ("tool_type",), Ranking(), where=(("kind", ("tool",)),),
    ),
)  # fmt: skip
CALLED: Final = (
    "integration_calls", "integration_users", "integration_success_rate", "integration_errors",
    "integration_last_error", "integration_duration_p95", "last_integration",
)  # fmt: skip
INTEGRATIONS: Final = (
    Section(
        "integrations-over-time", "Integrations over time", CALLED[:4],
        ("integration", "integration_type"), TimeSeries(),
    ),
    Section("integrations", "Integrations", CALLED, ("integration",), Ranking()),
    Section("integrations-by-type", "By type", CALLED, ("integration_type",), Ranking(), width=6),
    Section("integrations-by-user", "By user", CALLED, ("user",), Ranking(), width=6,
            people=True),
)  # fmt: skip

SPLIT: Final = ("cost_platform", "cost_cli", "cost_api", "cost_other")
USERS: Final = (
    Section(
        "users-over-time", "Users side by side", ("cost", "requests", "tokens", "active_days"),
        ("user",), SideBySide(), ("cost", "requests", "tokens"), people=True,
        help="The users you choose above, or the six largest, on one scale.",
    ),
    Section(
        "users", "Users",
        ("cost", "cost_share", *SPLIT, "tokens", "requests", "active_projects", "assistants_used",
         "active_days", "first_event", "last_event"),
        ("user",), Ranking(),
    ),
    *(
        Section(
            f"active-per-{grain}", f"Active per {grain}", ("active_users", "requests"), (),
            Measures(), ("active_users",), grain=grain, width=4, alone=("requests",),
            title_alone=f"Requests per {grain}",
        )
        for grain in ("day", "week", "month")
    ),
)  # fmt: skip
PROJECTS: Final = (
    Section(
        "projects-over-time", "Projects over time", ("cost", "requests", "tokens", "active_users"),
        ("project",), TimeSeries(),
    ),
    Section(
        "projects", "Projects",
        ("cost", "cost_share", *SPLIT, "active_users", "requests", "tokens", "assistants_used",
         "workflows_used", "last_event"),
        ("project",), Ranking(),
    ),
    Section(
        "projects-side-by-side", "Projects side by side",
        ("cost", "requests", "tokens", "active_users"), ("project",), SideBySide(),
        ("cost", "requests", "tokens"),
        help="The projects you choose above, or the six largest, on one scale.",
    ),
)  # fmt: skip

SESSION: Final = (
    "cost", "sessions", "session_users", "repositories", "tokens", "requests", "lines_added",
    "lines_removed", "files_changed", "tool_calls", "session_avg", "session_max",
)  # fmt: skip
CLI_ONLY: Final = (("channel", ("cli",)),)
CLI: Final = (
    Section(
        "cli-headline", "CLI in numbers",
        ("sessions", "session_users", "repositories", "clients", "models_used", "cost", "tokens",
         "lines_added", "session_avg", "session_max"),
        (), Headline(), where=CLI_ONLY,
    ),
    Section(
        "cli-over-time", "CLI over time",
        ("cost", "sessions", "tokens", "requests", "lines_added"),
        ("client", "repository", "model", "user"), TimeSeries(), where=CLI_ONLY,
    ),
    Section(
        "cli-sessions", "Sessions", SESSION, ("user", "client"), Ranking(),
        ("cost", "sessions", "lines_added"), where=CLI_ONLY,
    ),
    Section(
        "cli-by-repository", "By repository", SESSION, ("repository",), Ranking(),
        ("cost", "sessions", "lines_added"), where=CLI_ONLY, width=6,
    ),
    Section(
        "cli-by-model", "By model",
        ("cost", "requests", "tokens", "active_users", "cached_share", "error_rate",
         "cost_per_request"),
        ("model",), Ranking(), ("cost", "requests", "tokens"), where=CLI_ONLY, width=6,
    ),
    Section(
        "cli-depth", "Session depth",
        ("session_calls_avg", "session_calls_min", "session_calls_median", "session_calls_max"),
        ("client", "user", "repository"), Ranking(), width=6, where=CLI_ONLY,
        help="Model calls in a session.",
    ),
    Section(
        "cli-hours", "When the CLI is used", ("requests", "cost", "active_users"), (), Heatmap(),
        where=CLI_ONLY, width=6,
    ),
)  # fmt: skip
