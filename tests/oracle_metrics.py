"""What every metric of the catalog is, in plain Python over the rows of a group.

Each is a function of the rows by kind: `of["llm"]` are the calls, `of[""]` all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import mean, median
from typing import Any

import pandas as pd

from tests.oracle import bucket

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


class Of(dict[str, pd.DataFrame]):
    """The rows by kind, each looked for when it is asked for."""

    def __missing__(self, kind: str) -> pd.DataFrame:
        self[kind] = self[""][self[""]["kind"] == kind]
        return self[kind]


def measured(
    names: Sequence[str], rows: pd.DataFrame, tz: str = "UTC", whole: int = 0
) -> dict[str, Any]:
    """The metrics of some rows, None where one is unknown; `whole` is the cost of all groups."""
    of = Of({"": rows})
    special = {
        "active_days": lambda: len({bucket(ts, "day", tz) for ts in rows["ts"]}),
        "cost_share": lambda: over(added(billed(of)["cost_nano"]), whole),
    }
    return {name: special[name]() if name in special else METRICS[name][1](of) for name in names}


def kinds(names: Sequence[str]) -> set[str]:
    """The kinds of events that metrics speak of."""
    spoken = [METRICS[name][0].split() for name in names]
    return {kind for one in spoken for kind in one} if all(spoken) else set(KINDS)


def known(values: pd.Series) -> list[Any]:
    return [value for value in values if value is not None]


def added(values: pd.Series) -> int | None:
    return sum(known(values)) if known(values) else None


def over(part: Any, whole: Any) -> float | None:
    return None if part is None or not whole else part / whole


def status(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    return rows[rows["status"] == name]


def share(rows: pd.DataFrame, name: str) -> float | None:
    return over(len(status(rows, name)), len(rows))


def tokens(calls: pd.DataFrame) -> int | None:
    return added(pd.Series([v for name in TOKENS for v in known(calls[name])], dtype=object))


def dollars(calls: pd.DataFrame) -> float | None:
    return over(added(calls["cost_nano"]), 10**9)


def made(calls: pd.DataFrame) -> int:
    """How many calls they are: a sum of many counts as many."""
    return sum(1 if count is None else int(count) for count in calls["request_count"])


def priced(calls: pd.DataFrame) -> pd.DataFrame:
    return calls[calls["cost_nano"].notna()]


def priced_share(of: Of) -> float | None:
    used = of["llm"][of["llm"][TOKENS].notna().any(axis=1)]
    return over(made(priced(used)), made(used))


def cached_share(of: Of) -> float | None:
    return over(
        added(of["llm"]["cached_input_tokens"]), tokens(of["llm"].assign(output_tokens=None))
    )


def average(values: pd.Series) -> float | None:
    return mean(known(values)) if known(values) else None


def percentile(values: pd.Series, hundredth: int) -> int | None:
    """The smallest value that so many of a hundred do not exceed."""
    ordered = sorted(known(values))
    return ordered[-(-hundredth * len(ordered) // 100) - 1] if ordered else None


def distinct(values: pd.Series) -> int:
    return len(set(known(values)))


def last(values: pd.Series, ts: pd.Series) -> Any:
    found = [(at, value) for at, value in zip(ts, values, strict=True) if value is not None]
    return max(found)[1] if found else None


def per(values: pd.Series, how: Callable[[list[int]], Any]) -> Any:
    counts = [known(values).count(value) for value in set(known(values))]
    return how(counts) if counts else None


def sat(calls: pd.DataFrame, how: Callable[[list[int]], Any]) -> Any:
    talks = set(known(calls["conversation_id"]))
    counts = [made(calls[calls["conversation_id"] == talk]) for talk in talks]
    return how(counts) if counts else None


def paid(calls: pd.DataFrame) -> float | None:
    """Dollars; nothing for no call, unknown where no call's cost is known."""
    return dollars(calls) if len(calls) else 0


def cost_through(channel: str) -> Callable[[Of], float | None]:
    return lambda of: paid(billed(of)[billed(of)["channel"] == channel])


def billed(of: Of) -> pd.DataFrame:
    """Calls, and what bills took back."""
    return of[""][of[""]["kind"].isin(("llm", "adjustment"))]


def cached(calls: pd.DataFrame, worth: str, tokens: str) -> float | None:
    """Dollars; nothing where nothing was cached, unknown where nobody knows its price."""
    some = calls[calls[tokens].map(bool)]
    return over(added(some[worth]), 10**9) if len(some) else 0


def compared(calls: pd.DataFrame) -> pd.DataFrame:
    return calls[calls["list_cost_nano"].notna()]


def person(rows: pd.DataFrame) -> pd.Series:
    return rows["user_name"].where(rows["user_name"].notna(), rows["user"])


def used(kind: str) -> dict[str, Any]:
    """What tools and integrations have in common."""
    return {
        f"{kind}_calls": lambda of: len(of[kind]),
        f"{kind}_users": lambda of: distinct(of[kind]["user"]),
        f"{kind}_success_rate": lambda of: share(of[kind], "ok"),
        f"{kind}_errors": lambda of: len(status(of[kind], "error")),
        f"{kind}_last_error": lambda of: last(
            status(of[kind], "error")["error_class"], status(of[kind], "error")["ts"]
        ),
        f"{kind}_duration_p95": lambda of: percentile(of[kind]["duration_ms"], 95),
        f"last_{kind}": lambda of: max(of[kind]["ts"], default=None),
    }


HOWS = {"min": min, "median": median, "avg": mean, "max": max}
CALLS: dict[str, Any] = {
    "cost": lambda of: dollars(billed(of)),
    "adjustments": lambda of: paid(of["adjustment"]),
    **{f"cost_{one}": cost_through(one) for one in CHANNELS},
    "cost_of_errors": lambda of: paid(status(of["llm"], "error")),
    "cost_of_aborted": lambda of: paid(status(of["llm"], "aborted")),
    "cost_share": None,
    "cost_per_request": lambda of: over(dollars(of["llm"]), made(priced(of["llm"]))),
    "cost_per_user": lambda of: over(dollars(of["llm"]), distinct(of["llm"]["user"])),
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
    "list_cost": lambda of: over(added(of["llm"]["list_cost_nano"]), 10**9),
    "reported_minus_list": lambda of: over(
        added(compared(of["llm"])["cost_nano"] - compared(of["llm"])["list_cost_nano"]), 10**9
    ),
    "priced_share": priced_share,
    "requests": lambda of: made(of["llm"]),
    "tokens": lambda of: tokens(of["llm"]),
    **{n: (lambda of, n=n: added(of["llm"][n])) for n in (*TOKENS, *PARTS, "web_searches")},
    "cached_share": cached_share,
    "errors": lambda of: made(status(of["llm"], "error")),
    "error_rate": lambda of: over(made(status(of["llm"], "error")), made(of["llm"])),
    "last_error": lambda of: last(
        status(of["llm"], "error")["error_class"], status(of["llm"], "error")["ts"]
    ),
    "duration_avg": lambda of: average(of["llm"]["duration_ms"]),
    **{
        f"{kind}_p{part}": (lambda of, k=kind, p=part: percentile(of["llm"][f"{k}_ms"], p))
        for kind in ("duration", "ttft")
        for part in (50, 95)
    },
    **{
        f"session_calls_{how}": lambda of, f=f: sat(of["llm"][of["llm"]["channel"] == "cli"], f)
        for how, f in HOWS.items()
    },
}
ANY: dict[str, Any] = {
    "active_users": lambda of: distinct(of[""]["user"]),
    "active_projects": lambda of: distinct(of[""]["project"]),
    **{
        f"{name}s_used": (lambda of, n=name: distinct(of[""][n]))
        for name in ("assistant", "workflow", "tool", "integration", "model")
    },
    "repositories": lambda of: distinct(of[""]["repository"]),
    "clients": lambda of: distinct(of[""]["client"]),
    "active_days": None,
    "events": lambda of: len(of[""]),
    "first_event": lambda of: min(of[""]["ts"], default=None),
    "last_event": lambda of: max(of[""]["ts"], default=None),
    "last_user": lambda of: last(person(of[""]), of[""]["ts"]),
}
MESSAGES: dict[str, Any] = {
    "conversations": lambda of: distinct(of["message"]["conversation_id"]),
    "messages": lambda of: len(of["message"]),
    **{
        f"messages_{how}": (lambda of, f=f: per(of["message"]["conversation_id"], f))
        for how, f in HOWS.items()
    },
}
RUNS: dict[str, Any] = {
    "runs": lambda of: distinct(of["workflow"]["run_id"]),
    **{
        f"runs_{name}": (lambda of, s=s: distinct(status(of["workflow"], s)["run_id"]))
        for s, name in (("ok", "succeeded"), ("error", "failed"), ("aborted", "aborted"))
    },
    "run_success_rate": lambda of: over(
        distinct(status(of["workflow"], "ok")["run_id"]), distinct(of["workflow"]["run_id"])
    ),
    "run_duration_avg": lambda of: average(of["workflow"]["duration_ms"]),
    "run_duration_p95": lambda of: percentile(of["workflow"]["duration_ms"], 95),
    "last_run": lambda of: max(of["workflow"]["ts"], default=None),
}
SESSIONS: dict[str, Any] = {
    "sessions": lambda of: len(of["session"]),
    "session_users": lambda of: distinct(of["session"]["user"]),
    **{
        name: (lambda of, n=name: added(of["session"][n]))
        for name in ("lines_added", "lines_removed", "files_changed")
    },
    "session_avg": lambda of: average(of["session"]["duration_ms"]),
    "session_max": lambda of: max(known(of["session"]["duration_ms"]), default=None),
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
            dollars(of["llm"]), distinct(of["workflow"]["run_id"]))}),
    )
    for name, function in some.items()
}  # fmt: skip
PAID = ("cost", "adjustments", "cost_share", *(f"cost_{one}" for one in CHANNELS))
METRICS |= {name: ("llm adjustment", METRICS[name][1]) for name in PAID}
