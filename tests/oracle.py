"""What the answers must be, in plain pandas over the raw events: rights, filters, buckets, numbers.

Nothing of `data/` is used here, so that a mistake there has no twin here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

Choice = Mapping[str, Any]
Key = tuple[Any, ...]
TOKENS = ["input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens"]
LISTS = ("user", "project", "model", "provider", "channel", "assistant", "workflow", "status")
FLOORS = {
    "minute": "%Y-%m-%d %H:%M %z",
    "hour": "%Y-%m-%d %H %z",
    "day": "%Y-%m-%d",
    "week": "%G-%V",
    "month": "%Y-%m",
}


def frame(raws: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """The events with every column, missing as None."""
    return pd.DataFrame([{c: raw.get(c) for c in columns} for raw in raws], columns=list(columns),
                        dtype=object)  # fmt: skip


def visible(events: pd.DataFrame, claims: Choice) -> pd.DataFrame:
    """The rows these claims open."""
    told = claims.get("applications_admin")
    told = told if isinstance(told, list) else [told]
    mine = {p.strip() for item in told if isinstance(item, str) for p in item.split(",")} - {""}
    everything = claims.get("isAdmin") in (True, "true")
    rows = (events["user"] == claims["sub"]) | events["project"].isin(mine) | everything
    return events[rows.astype(bool)]


def window(choice: Choice, now: datetime) -> tuple[datetime, datetime]:
    """The two instants a choice means."""
    zone = ZoneInfo(choice.get("tz", "UTC"))
    preset, here = choice.get("preset", "last_n_days"), now.astimezone(zone)
    if preset == "custom":
        start, end = (datetime.fromisoformat(choice[name]) for name in ("from", "to"))
        return tuple(t if t.tzinfo else t.replace(tzinfo=zone) for t in (start, end))  # type: ignore[return-value]
    if preset == "last_month":
        first = here.date().replace(day=1)
        before = (first - timedelta(days=1)).replace(day=1)
        return _midnight(before, zone), _midnight(first, zone)
    if preset == "last_n_days":
        return _midnight(here.date() - timedelta(days=int(choice.get("n", 7)) - 1), zone), now
    hours = 1 if preset == "last_hour" else int(choice.get("n", 24))
    return now - timedelta(hours=hours), now


def _midnight(day: Any, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def kept(events: pd.DataFrame, choice: Choice, me: str, now: datetime) -> pd.DataFrame:
    """The rows these filters leave."""
    start, end = (t.timestamp() * 1e6 for t in window(choice, now))
    rows = (events["ts"].astype("int64") >= start) & (events["ts"].astype("int64") < end)
    for name in LISTS:
        wanted = {me if (name, v) == ("user", "me") else v for v in choice.get(name, ())}
        if wanted:
            rows &= events[name].map(lambda v, w=wanted: ("(none)" if v is None else v) in w)
    return events[rows.astype(bool)]


def bucket(ts: int, grain: str, tz: str) -> str:
    """The local minute, hour, day, week or month of an instant, as text."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(ts))
    return at.astimezone(ZoneInfo(tz)).strftime(FLOORS[grain])


def groups(events: pd.DataFrame, by: Sequence[str], grain: str, tz: str) -> dict[Key, pd.DataFrame]:
    """The rows of each combination of values; without dimensions, all of them."""
    keyed: dict[Key, list[Any]] = {} if by else {(): list(events.index)}
    for at, row in events.iterrows() if by else ():
        key = tuple(bucket(row["ts"], grain, tz) if b == "time" else row[b] for b in by)
        keyed.setdefault(key, []).append(at)
    return {key: events.loc[rows] for key, rows in keyed.items()}


def measure(name: str, rows: pd.DataFrame) -> Any:
    """A metric of some rows, None where it is unknown."""
    calls = rows[rows["kind"] == "llm"]
    return NUMBERS[name](rows) if name in NUMBERS else CALLS[name](calls)


def _sum(values: pd.Series) -> int | None:
    known = [int(v) for v in values if v is not None]
    return sum(known) if known else None


def _over(part: Any, whole: Any) -> float | None:
    return None if part is None or not whole else part / whole


def _tokens(calls: pd.DataFrame) -> int | None:
    known = [s for s in (_sum(calls[name]) for name in TOKENS) if s is not None]
    return sum(known) if known else None


def _cost(calls: pd.DataFrame) -> float | None:
    return _over(_sum(calls["cost_nano"]), 10**9)


def _errors(calls: pd.DataFrame) -> int:
    return int((calls["status"] == "error").sum())


def _priced(calls: pd.DataFrame) -> float | None:
    used = calls[calls[TOKENS].notna().any(axis=1)]
    return _over(int(used["cost_nano"].notna().sum()), len(used))


def _cached(calls: pd.DataFrame) -> float | None:
    return _over(_sum(calls["cached_input_tokens"]), _tokens(calls.assign(output_tokens=None)))


def _each(calls: pd.DataFrame) -> float | None:
    priced = calls[calls["cost_nano"].notna()]
    return _over(_cost(priced), (_tokens(priced) or 0) / 1_000)


def _average(calls: pd.DataFrame) -> float | None:
    return _over(_sum(calls["duration_ms"]), calls["duration_ms"].notna().sum())


def _p95(calls: pd.DataFrame) -> int | None:
    known = sorted(int(v) for v in calls["duration_ms"] if v is not None)
    return known[-(-95 * len(known) // 100) - 1] if known else None


CALLS = {
    "cost": _cost,
    "requests": len,
    "tokens": _tokens,
    **{name: (lambda c, n=name: _sum(c[n])) for name in (*TOKENS, "reasoning_tokens")},
    "errors": _errors,
    "error_rate": lambda calls: _over(_errors(calls), len(calls)),
    "priced_share": _priced,
    "cached_share": _cached,
    "cost_per_1k_tokens": _each,
    "duration_avg": _average,
    "duration_p95": _p95,
}
NUMBERS = {
    "active_users": lambda rows: rows["user"].nunique(),
    "active_projects": lambda rows: rows["project"].nunique(),
    "events": len,
    "first_event": lambda rows: rows["ts"].min() if len(rows) else None,
    "last_event": lambda rows: rows["ts"].max() if len(rows) else None,
}
