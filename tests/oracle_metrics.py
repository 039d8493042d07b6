"""What every metric of the catalog is, in plain Python over the rows of a group.

Each is a function of the rows by kind: `of["llm"]` are the calls, `of[""]` all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import mean, median
from typing import Any

from tests.oracle import Row, Rows, bucket

KINDS = ("llm", "message", "workflow", "tool", "integration", "session", "adjustment")
CHANNELS = ("platform", "cli", "api", "other")
TOKENS = ["input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens"]
# What is part of another count: each with its whole.
PARTS = {
    "reasoning_tokens": "output_tokens", "cache_write_1h_tokens": "cache_write_tokens",
    "input_audio_tokens": "input_tokens", "input_image_tokens": "input_tokens",
    "output_audio_tokens": "output_tokens", "output_image_tokens": "output_tokens",
}  # fmt: skip
# What the price book says of calls; random events do not have it, as their models have no price.
BOOKED = ("cache_saved_nano", "cache_write_nano", "list_cost_nano")


class Of(dict[str, Rows]):
    """The rows by kind, each looked for when it is asked for."""

    def __missing__(self, kind: str) -> Rows:
        self[kind] = [row for row in self[""] if row["kind"] == kind]
        return self[kind]


def measured(names: Sequence[str], rows: Rows, tz: str = "UTC", whole: int = 0) -> dict[str, Any]:
    """The metrics of some rows, None where one is unknown; `whole` is the cost of all groups."""
    of = Of({"": rows})
    special = {
        "active_days": lambda: len({bucket(row["ts"], "day", tz) for row in rows}),
        "cost_share": lambda: over(added(billed(of), "cost_nano"), whole),
    }
    return {name: special[name]() if name in special else METRICS[name][1](of) for name in names}


def kinds(names: Sequence[str]) -> set[str]:
    """The kinds of events that metrics speak of."""
    spoken = [METRICS[name][0].split() for name in names]
    return {kind for one in spoken for kind in one} if all(spoken) else set(KINDS)


def known(rows: Rows, name: str) -> list[Any]:
    """The values that are known, of each row that has one."""
    return [row[name] for row in rows if row[name] is not None]


def added(rows: Rows, *names: str) -> int | None:
    values = [value for name in names for value in known(rows, name)]
    return sum(values) if values else None


def over(part: Any, whole: Any) -> float | None:
    return None if part is None or not whole else part / whole


def status(rows: Rows, name: str) -> Rows:
    return [row for row in rows if row["status"] == name]


def share(rows: Rows, name: str) -> float | None:
    return over(len(status(rows, name)), len(rows))


def tokens(calls: Rows) -> int | None:
    return added(calls, *TOKENS)


def dollars(calls: Rows) -> float | None:
    return over(added(calls, "cost_nano"), 10**9)


def made(calls: Rows) -> int:
    """How many calls they are: a sum of many counts as many."""
    return sum(1 if row["request_count"] is None else int(row["request_count"]) for row in calls)


def priced(calls: Rows) -> Rows:
    return [row for row in calls if row["cost_nano"] is not None]


def priced_share(of: Of) -> float | None:
    used = [row for row in of["llm"] if any(row[name] is not None for name in TOKENS)]
    return over(made(priced(used)), made(used))


def cached_share(of: Of) -> float | None:
    return over(added(of["llm"], "cached_input_tokens"), added(of["llm"], *TOKENS[:-1]))


def average(rows: Rows, name: str) -> float | None:
    return mean(known(rows, name)) if known(rows, name) else None


def percentile(rows: Rows, name: str, hundredth: int) -> int | None:
    """The smallest value that so many of a hundred do not exceed."""
    ordered = sorted(known(rows, name))
    return ordered[-(-hundredth * len(ordered) // 100) - 1] if ordered else None


def distinct(rows: Rows, name: str) -> int:
    return len(set(known(rows, name)))


def first(rows: Rows) -> int | None:
    return min(known(rows, "ts"), default=None)


def last(rows: Rows) -> int | None:
    return max(known(rows, "ts"), default=None)


def latest(rows: Rows, value: Callable[[Row], Any]) -> Any:
    """The value that is known last."""
    found = [(row["ts"], value(row)) for row in rows if value(row) is not None]
    return max(found)[1] if found else None


def last_error(rows: Rows) -> Any:
    return latest(status(rows, "error"), lambda row: row["error_class"])


def per(rows: Rows, name: str, how: Callable[[list[int]], Any]) -> Any:
    counts = [*Counter(known(rows, name)).values()]
    return how(counts) if counts else None


def sat(calls: Rows, how: Callable[[list[int]], Any]) -> Any:
    talks = set(known(calls, "conversation_id"))
    counts = [made([row for row in calls if row["conversation_id"] == talk]) for talk in talks]
    return how(counts) if counts else None


def paid(calls: Rows) -> float | None:
    """Dollars; nothing for no call, unknown where no call's cost is known."""
    return dollars(calls) if calls else 0


def through(rows: Rows, channel: str) -> Rows:
    return [row for row in rows if row["channel"] == channel]


def billed(of: Of) -> Rows:
    """Calls, and what bills took back."""
    return [row for row in of[""] if row["kind"] in ("llm", "adjustment")]


def cached(calls: Rows, worth: str, tokens: str) -> float | None:
    """Dollars; nothing where nothing was cached, unknown where nobody knows its price."""
    some = [row for row in calls if row[tokens]]
    return over(added(some, worth), 10**9) if some else 0


def compared(calls: Rows) -> Rows:
    return [row for row in calls if row["list_cost_nano"] is not None]


def reported_minus_list(of: Of) -> float | None:
    """A call without a cost of its own has no difference."""
    both = priced(compared(of["llm"]))
    less = [row["cost_nano"] - row["list_cost_nano"] for row in both]
    return over(sum(less) if less else None, 10**9)


def person(row: Row) -> Any:
    return row["user"] if row["user_name"] is None else row["user_name"]


def used(kind: str) -> dict[str, Any]:
    """What tools and integrations have in common."""
    return {
        f"{kind}_calls": lambda of: len(of[kind]),
        f"{kind}_users": lambda of: distinct(of[kind], "user"),
        f"{kind}_success_rate": lambda of: share(of[kind], "ok"),
        f"{kind}_errors": lambda of: len(status(of[kind], "error")),
        f"{kind}_last_error": lambda of: last_error(of[kind]),
        f"{kind}_duration_p95": lambda of: percentile(of[kind], "duration_ms", 95),
        f"last_{kind}": lambda of: last(of[kind]),
    }


HOWS = {"min": min, "median": median, "avg": mean, "max": max}
CALLS: dict[str, Any] = {
    "cost": lambda of: dollars(billed(of)),
    "adjustments": lambda of: paid(of["adjustment"]),
    **{f"cost_{one}": (lambda of, c=one: paid(through(billed(of), c))) for one in CHANNELS},
    "cost_of_errors": lambda of: paid(status(of["llm"], "error")),
    "cost_of_aborted": lambda of: paid(status(of["llm"], "aborted")),
    "cost_share": None,
    "cost_per_request": lambda of: over(dollars(of["llm"]), made(priced(of["llm"]))),
    "cost_per_user": lambda of: over(dollars(of["llm"]), distinct(of["llm"], "user")),
    "cost_per_1k_tokens": lambda of: over(
        dollars(of["llm"]), (tokens(priced(of["llm"])) or 0) / 1_000
    ),
    **{
        name: (lambda of, n=n, t=t: cached(of["llm"], n, t))
        for name, n, t in (
            ("cache_saved", "cache_saved_nano", "cached_input_tokens"),
            ("cache_write_cost", "cache_write_nano", "cache_write_tokens"),
        )
    },
    "reported_cost": lambda of: dollars(compared(of["llm"])),
    "list_cost": lambda of: over(added(of["llm"], "list_cost_nano"), 10**9),
    "reported_minus_list": reported_minus_list,
    "priced_share": priced_share,
    "requests": lambda of: made(of["llm"]),
    "tokens": lambda of: tokens(of["llm"]),
    **{n: (lambda of, n=n: added(of["llm"], n)) for n in (*TOKENS, *PARTS, "web_searches")},
    "cached_share": cached_share,
    "errors": lambda of: made(status(of["llm"], "error")),
    "error_rate": lambda of: over(made(status(of["llm"], "error")), made(of["llm"])),
    "last_error": lambda of: last_error(of["llm"]),
    "duration_avg": lambda of: average(of["llm"], "duration_ms"),
    **{
        f"{kind}_p{part}": (lambda of, k=kind, p=part: percentile(of["llm"], f"{k}_ms", p))
        for kind in ("duration", "ttft")
        for part in (50, 95)
    },
    **{
        f"session_calls_{how}": lambda of, f=f: sat(through(of["llm"], "cli"), f)
        for how, f in HOWS.items()
    },
}
ANY: dict[str, Any] = {
    "active_users": lambda of: distinct(of[""], "user"),
    "active_projects": lambda of: distinct(of[""], "project"),
    **{
        f"{name}s_used": (lambda of, n=name: distinct(of[""], n))
        for name in ("assistant", "workflow", "tool", "integration", "model")
    },
    "repositories": lambda of: distinct(of[""], "repository"),
    "clients": lambda of: distinct(of[""], "client"),
    "active_days": None,
    "events": lambda of: len(of[""]),
    "first_event": lambda of: first(of[""]),
    "last_event": lambda of: last(of[""]),
    "last_user": lambda of: latest(of[""], person),
}
MESSAGES: dict[str, Any] = {
    "conversations": lambda of: distinct(of["message"], "conversation_id"),
    "messages": lambda of: len(of["message"]),
    **{
        f"messages_{how}": (lambda of, f=f: per(of["message"], "conversation_id", f))
        for how, f in HOWS.items()
    },
}
RUNS: dict[str, Any] = {
    "runs": lambda of: distinct(of["workflow"], "run_id"),
    **{
        f"runs_{name}": (lambda of, s=s: distinct(status(of["workflow"], s), "run_id"))
        for s, name in (("ok", "succeeded"), ("error", "failed"), ("aborted", "aborted"))
    },
    "run_success_rate": lambda of: over(
        distinct(status(of["workflow"], "ok"), "run_id"), distinct(of["workflow"], "run_id")
    ),
    "run_duration_avg": lambda of: average(of["workflow"], "duration_ms"),
    "run_duration_p95": lambda of: percentile(of["workflow"], "duration_ms", 95),
    "last_run": lambda of: last(of["workflow"]),
}
SESSIONS: dict[str, Any] = {
    "sessions": lambda of: len(of["session"]),
    "session_users": lambda of: distinct(of["session"], "user"),
    **{
        name: (lambda of, n=name: added(of["session"], n))
        for name in ("lines_added", "lines_removed", "files_changed")
    },
    "session_avg": lambda of: average(of["session"], "duration_ms"),
    "session_max": lambda of: max(known(of["session"], "duration_ms"), default=None),
}
METRICS: dict[str, tuple[str, Any]] = {
    name: (spoken, function)
    for spoken, some in (
        ("llm", CALLS), ("", ANY), ("message", MESSAGES), ("workflow", RUNS),
        ("tool", used("tool")),
        ("integration", used("integration")), ("session", SESSIONS),
        ("llm message", {"cost_per_message": lambda of: over(
            dollars(of["llm"]), len(status(of["message"], "ok")))}),
        ("workflow llm", {"cost_per_run": lambda of: over(
            dollars(of["llm"]), distinct(of["workflow"], "run_id"))}),
    )
    for name, function in some.items()
}  # fmt: skip
PAID = ("cost", "adjustments", "cost_share", *(f"cost_{one}" for one in CHANNELS))
METRICS |= {name: ("llm adjustment", METRICS[name][1]) for name in PAID}
