"""Metrics of activity: people, conversations, workflow runs, tools, integrations, sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa
from sqlalchemy import func

from data.dialect import Statistic
from data.local_time import WIDTHS
from data.query.metric import (
    CALL,
    E,
    Metric,
    calls_per_group,
    count_of,
    distinct,
    latest,
    per_group,
    percentile,
    ratio,
    total,
)

MESSAGE: Final = E.kind == "message"
SESSION: Final = E.kind == "session"
CLI_CALL: Final = sa.and_(CALL, E.channel == "cli")
SAID: Final = frozenset({"message"})
SAT: Final = frozenset({"session"})
RAN: Final = frozenset({"workflow"})
PERSON: Final = func.coalesce(E.user_name, E.user)
OF: Final[tuple[tuple[Statistic, str], ...]] = (
    ("min", "Fewest"), ("median", "Median"), ("avg", "Average"), ("max", "Most"),
)  # fmt: skip

PEOPLE: Final = (
    *(
        Metric(
            name, label, "count", distinct(E[column]),
            f"Distinct {plural} with any event.", better="more", additive=False,
        )
        for name, label, column, plural in (
            ("active_users", "Active users", "user", "users"),
            ("active_projects", "Active projects", "project", "projects"),
            ("assistants_used", "Assistants", "assistant", "assistants"),
            ("workflows_used", "Workflows", "workflow", "workflows"),
            ("tools_used", "Tools", "tool", "tools"),
            ("integrations_used", "Integrations", "integration", "integrations"),
            ("models_used", "Models", "model", "models"),
            ("repositories", "Repositories", "repository", "repositories"),
            ("clients", "Clients", "client", "clients and versions"),
        )
    ),
    Metric(
        "active_days", "Active days", "count",
        lambda local: distinct(local - local % WIDTHS["day"]),
        "Distinct days with any event, in the reader's zone.", better="more", additive=False,
    ),
    Metric("events", "Events", "count", func.count(), "Everything recorded, of every kind."),
    Metric("first_event", "First seen", "instant", func.min(E.ts), "First event.", additive=False),
    Metric("last_event", "Last seen", "instant", func.max(E.ts), "Latest event.", additive=False),
    Metric(
        "last_user", "Most recent user", "text", latest(PERSON, sa.true()),
        "Who was active last.", additive=False,
    ),
)  # fmt: skip

TALK: Final = (
    Metric(
        "conversations", "Conversations", "count", distinct(E.conversation_id, MESSAGE),
        "Distinct conversations with a reply.", SAID, additive=False,
    ),
    Metric("messages", "Messages", "count", count_of(MESSAGE), "Replies of assistants.", SAID),
    *(
        Metric(
            f"messages_{how}", f"{word} messages", "number",
            per_group(E.conversation_id, MESSAGE, how),
            f"{word} replies in a conversation.", SAID, additive=False,
        )
        for how, word in OF
    ),
    Metric(
        "cost_per_message", "Cost per good message", "usd_each",
        ratio(func.sum(E.cost_nano), count_of(sa.and_(MESSAGE, E.status == "ok"))),
        "Cost of the calls over the replies that succeeded.", frozenset({"llm", "message"}),
        "less", additive=False,
    ),
)  # fmt: skip


def _runs() -> Iterator[Metric]:
    ran = E.kind == "workflow"
    runs = distinct(E.run_id, ran)
    yield Metric("runs", "Runs", "count", runs, "Distinct workflow runs.", RAN, additive=False)
    for status, name, said in (
        ("ok", "succeeded", "Runs that succeeded."),
        ("error", "failed", "Runs that failed."),
        ("aborted", "aborted", "Runs that somebody stopped."),
    ):
        yield Metric(
            f"runs_{name}", name.capitalize(), "count",
            distinct(E.run_id, sa.and_(ran, E.status == status)), said, RAN,
            "more" if status == "ok" else "less", additive=False,
        )  # fmt: skip
    yield Metric(
        "run_success_rate", "Success rate", "share",
        ratio(distinct(E.run_id, sa.and_(ran, E.status == "ok")), runs),
        "Succeeded runs among all that finished.", RAN, "more", additive=False,
    )  # fmt: skip
    yield Metric(
        "cost_per_run", "Cost per run", "usd_each", ratio(func.sum(E.cost_nano), runs),
        "Cost of the workflow's calls over its runs.", RAN | {"llm"}, "less", additive=False,
    )  # fmt: skip
    yield Metric(
        "run_duration_avg", "Avg run", "ms", func.avg(E.duration_ms).filter(ran),
        "Mean duration of a run.", RAN, "less", additive=False,
    )  # fmt: skip
    yield from _common("run", "run", "workflow")


def _used(name: str) -> Iterator[Metric]:
    """What tools and integrations have in common: they are called."""
    called, kinds = E.kind == name, frozenset({name})
    failed = sa.and_(called, E.status == "error")
    yield Metric(f"{name}_calls", "Calls", "count", count_of(called), f"Calls of a {name}.", kinds)
    yield Metric(
        f"{name}_users", "Users", "count", distinct(E.user, called),
        f"Distinct users of a {name}.", kinds, additive=False,
    )  # fmt: skip
    yield Metric(
        f"{name}_success_rate", "Success rate", "share",
        ratio(count_of(sa.and_(called, E.status == "ok")), count_of(called)),
        "Calls that succeeded among all.", kinds, "more", additive=False,
    )  # fmt: skip
    yield Metric(
        f"{name}_errors", "Errors", "count", count_of(failed), "Calls that failed.", kinds, "less"
    )
    yield Metric(
        f"{name}_last_error", "Last error", "text", latest(E.error_class, failed),
        "The class of the latest failure.", kinds, additive=False,
    )  # fmt: skip
    yield from _common(name, "call", name)


def _common(name: str, one: str, kind: str) -> Iterator[Metric]:
    done, kinds = E.kind == kind, frozenset({kind})
    yield Metric(
        f"{name}_duration_p95", f"p95 {one}", "ms", percentile(E.duration_ms, 0.95, done),
        "95 of 100 had this duration or a shorter one (exact).", kinds, "less", additive=False,
    )  # fmt: skip
    yield Metric(
        f"last_{name}", f"Last {one}", "instant", func.max(E.ts).filter(done),
        f"The latest {one}.", kinds, additive=False,
    )  # fmt: skip


SESSIONS: Final = (
    Metric("sessions", "Sessions", "count", count_of(SESSION), "Coding sessions.", SAT),
    Metric(
        "session_users", "Users", "count", distinct(E.user, SESSION),
        "Distinct users with a session.", SAT, additive=False,
    ),
    *(
        Metric(name, label, "count", total(E[name]), f"{label} in coding sessions.", SAT)
        for name, label in (
            ("lines_added", "Lines added"), ("lines_removed", "Lines removed"),
            ("files_changed", "Files changed"),
        )
    ),
    Metric(
        "session_avg", "Avg session", "ms", func.avg(E.duration_ms).filter(SESSION),
        "Mean length of a session.", SAT, additive=False,
    ),
    Metric(
        "session_max", "Longest session", "ms", func.max(E.duration_ms).filter(SESSION),
        "The longest session.", SAT, additive=False,
    ),
    *(
        Metric(
            f"session_calls_{how}", f"{word} calls", "number",
            calls_per_group(E.conversation_id, CLI_CALL, how),
            f"{word} model calls in a session.", frozenset({"llm"}), additive=False,
        )
        for how, word in OF
    ),
)  # fmt: skip
ACTIVITY: Final = (
    *PEOPLE, *TALK, *_runs(), *_used("tool"), *_used("integration"), *SESSIONS,
)  # fmt: skip
