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
    SPENT,
    Aggregate,
    E,
    Metric,
    calls_per_group,
    count_of,
    distinct,
    largest,
    latest,
    mean,
    per_group,
    percentile,
    ratio,
    total,
)
from data.query.units import COUNT, DURATION, INSTANT, NUMBER, SHARE, TEXT, USD_EACH

MESSAGE: Final = E.kind == "message"
SESSION: Final = E.kind == "session"
CLI_CALL: Final = sa.and_(CALL, E.channel == "cli")
MESSAGE_KIND: Final = frozenset({"message"})
SESSION_KIND: Final = frozenset({"session"})
RUN_KIND: Final = frozenset({"workflow"})
PERSON: Final = func.coalesce(E.user_name, E.user)
EVENT_COUNT: Final = Aggregate(func.count())
FIRST: Final = Aggregate(func.min(E.ts))
LAST: Final = Aggregate(func.max(E.ts))
PER_GROUP: Final[tuple[tuple[Statistic, str], ...]] = (
    ("min", "Fewest"), ("median", "Median"), ("avg", "Average"), ("max", "Most"),
)  # fmt: skip

USAGE: Final = (
    *(
        Metric(
            name, label, COUNT, distinct(E[column]),
            f"Distinct {plural} with any event; events that name none are left out.",
            better="more", additive=False,
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
        "active_days", "Active days", COUNT,
        lambda local: distinct(local - local % WIDTHS["day"]),
        "Distinct days with any event, in the reader's zone.", better="more", additive=False,
    ),
    Metric("events", "Events", COUNT, EVENT_COUNT, "Everything recorded, of every kind."),
    Metric("first_event", "First seen", INSTANT, FIRST, "First event.", additive=False),
    Metric("last_event", "Last seen", INSTANT, LAST, "Latest event.", additive=False),
    Metric(
        "last_user", "Most recent user", TEXT, latest(PERSON, sa.true()),
        "Who was active last.", additive=False,
    ),
)  # fmt: skip

CONVERSATIONS: Final = (
    Metric(
        "conversations", "Conversations", COUNT, distinct(E.conversation_id, MESSAGE),
        "Distinct conversations with a reply.", MESSAGE_KIND, additive=False,
    ),
    Metric(
        "messages", "Messages", COUNT, count_of(MESSAGE), "Replies of assistants.", MESSAGE_KIND,
    ),
    *(
        Metric(
            f"messages_{how}", f"{word} messages", NUMBER,
            per_group(E.conversation_id, MESSAGE, how),
            f"{word} replies in a conversation; replies outside of one are left out.",
            MESSAGE_KIND, additive=False,
        )
        for how, word in PER_GROUP
    ),
    Metric(
        "cost_per_message", "Cost per good message", USD_EACH,
        ratio(SPENT, count_of(sa.and_(MESSAGE, E.status == "ok"))),
        "Cost of the calls ÷ the replies that succeeded.", frozenset({"llm", "message"}),
        "less", additive=False,
    ),
)  # fmt: skip


def _runs() -> Iterator[Metric]:
    ran = E.kind == "workflow"
    runs = distinct(E.run_id, ran)
    yield Metric("runs", "Runs", COUNT, runs, "Distinct workflow runs.", RUN_KIND, additive=False)
    for status, name, help_ in (
        ("ok", "succeeded", "Runs that succeeded."),
        ("error", "failed", "Runs that failed."),
        ("aborted", "aborted", "Runs that somebody stopped."),
    ):
        yield Metric(
            f"runs_{name}", name.capitalize(), COUNT,
            distinct(E.run_id, sa.and_(ran, E.status == status)), help_, RUN_KIND,
            "more" if status == "ok" else "less", additive=False,
        )  # fmt: skip
    yield Metric(
        "run_success_rate", "Success rate", SHARE,
        ratio(distinct(E.run_id, sa.and_(ran, E.status == "ok")), runs),
        "Runs that succeeded ÷ all runs.", RUN_KIND, "more", additive=False,
    )  # fmt: skip
    yield Metric(
        "cost_per_run", "Cost per run", USD_EACH, ratio(SPENT, runs),
        "Cost of the workflow's calls ÷ its runs.", RUN_KIND | {"llm"}, "less", additive=False,
    )  # fmt: skip
    yield Metric(
        "run_duration_avg", "Avg run", DURATION, mean(E.duration_ms, ran),
        "Mean duration; runs that report none are left out.", RUN_KIND, "less", additive=False,
    )  # fmt: skip
    yield from _common("run", "run", "workflow")


def _used(name: str) -> Iterator[Metric]:
    """What tools and integrations have in common: they are called."""
    called, kinds, names = E.kind == name, frozenset({name}), f"{name}s"
    failed = sa.and_(called, E.status == "error")
    yield Metric(f"{name}_calls", "Calls", COUNT, count_of(called), f"Calls of {names}.", kinds)
    yield Metric(
        f"{name}_users", "Users", COUNT, distinct(E.user, called),
        f"Distinct users of {names}; calls of nobody known are left out.", kinds, additive=False,
    )  # fmt: skip
    yield Metric(
        f"{name}_success_rate", "Success rate", SHARE,
        ratio(count_of(sa.and_(called, E.status == "ok")), count_of(called)),
        "Calls that succeeded ÷ all calls.", kinds, "more", additive=False,
    )  # fmt: skip
    yield Metric(
        f"{name}_errors", "Errors", COUNT, count_of(failed), "Calls that failed.", kinds, "less"
    )
    yield Metric(
        f"{name}_last_error", "Last error", TEXT, latest(E.error_class, failed),
        "The class of the latest failure.", kinds, additive=False,
    )  # fmt: skip
    yield from _common(name, "call", name)


def _common(name: str, one: str, kind: str) -> Iterator[Metric]:
    done, kinds = E.kind == kind, frozenset({kind})
    yield Metric(
        f"{name}_duration_p95", f"p95 {one}", DURATION, percentile(E.duration_ms, 0.95, done),
        "95 of 100 had this duration or a shorter one (exact);"
        " those that report none are left out.",
        kinds, "less", additive=False,
    )  # fmt: skip
    yield Metric(
        f"last_{name}", f"Last {one}", INSTANT, largest(E.ts, done),
        f"The latest {one}.", kinds, additive=False,
    )  # fmt: skip


SESSIONS: Final = (
    Metric("sessions", "Sessions", COUNT, count_of(SESSION), "Coding sessions.", SESSION_KIND),
    Metric(
        "session_users", "Users", COUNT, distinct(E.user, SESSION),
        "Distinct users with a session; sessions of nobody known are left out.",
        SESSION_KIND, additive=False,
    ),
    *(
        Metric(name, label, COUNT, total(E[name]), f"{label} in coding sessions.", SESSION_KIND)
        for name, label in (
            ("lines_added", "Lines added"), ("lines_removed", "Lines removed"),
            ("files_changed", "Files changed"),
        )
    ),
    Metric(
        "session_avg", "Avg session", DURATION, mean(E.duration_ms, SESSION),
        "Mean length; sessions that report none are left out.", SESSION_KIND, additive=False,
    ),
    Metric(
        "session_max", "Longest session", DURATION, largest(E.duration_ms, SESSION),
        "The longest session.", SESSION_KIND, additive=False,
    ),
    *(
        Metric(
            f"session_calls_{how}", f"{word} calls", NUMBER,
            calls_per_group(E.conversation_id, CLI_CALL, how),
            f"{word} model calls in a session of a CLI; calls outside of one are left out.",
            frozenset({"llm"}), additive=False,
        )
        for how, word in PER_GROUP
    ),
)  # fmt: skip
ACTIVITY: Final = (
    *USAGE, *CONVERSATIONS, *_runs(), *_used("tool"), *_used("integration"), *SESSIONS,
)  # fmt: skip
