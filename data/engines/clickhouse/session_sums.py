"""The sums of sessions (`data/engines/session_sums.py`) as ClickHouse keeps them: what gives way is
worked out before anything is stored, so that both become visible together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from data.engines.clickhouse.rows import SESSION, Row, events_by, names, select, texts
from data.engines.clickhouse.turn import SUM, Turn
from data.engines.session_sums import is_sum, sessions_of_calls, time_of
from data.events.table import FIELDS, Event, id_hash

KNOWN: Final = "SELECT event_id, gave_way FROM session_sums WHERE event_id IN ({})"
OF_SESSIONS: Final = f"SELECT {names(SUM)} FROM session_sums WHERE conversation_id IN ({{}})"
CALL: Final = (
    "event_id", "ts", "kind", "user", "project", "conversation_id", "model", "request_count",
)  # fmt: skip
Call = dict[str, Any]


def given_way(turn: Turn, events: Sequence[Event]) -> set[str]:
    """Which of these events are sums that gave way before; those that are new are known from now
    on."""
    sums = {event["event_id"]: event for event in events if is_sum(event)}
    if not sums:
        return set()
    found = select(turn.connection, KNOWN.format(texts(sums)))
    known = {row[0]: bool(row[1]) for row in found}
    for name, event in sums.items():
        if name not in known:
            after, until = time_of(event)
            turn.sums[name] = (
                name, id_hash(name), event["conversation_id"], after, until, False,
            )  # fmt: skip
    return {name for name, gave_way in known.items() if gave_way}


def settle(turn: Turn, events: Sequence[Event]) -> dict[str, int]:
    """Have sums give way, now that these events are to be stored: those that do, and when they
    were."""
    sessions = sessions_of_calls(events)
    if not sessions:
        return {}
    found = {row[0]: tuple(row) for row in _of_sessions(turn, sessions)}
    sums = found | {name: row for name, row in turn.sums.items() if row[2] in sessions}
    if not sums:
        return {}
    calls = _calls(turn, sessions)
    gone = {name: calls[name]["ts"] for name, row in sums.items()
            if name in calls and _gives_way(row, calls[name], calls, sums)}  # fmt: skip
    for name in gone:
        turn.take_away(calls[name])
        turn.sums[name] = (*sums[name][:-1], True)
    return gone


def _of_sessions(turn: Turn, sessions: Iterable[str]) -> list[Row]:
    found = select(turn.connection, OF_SESSIONS.format(texts(sessions)))
    return [tuple(row) for row in found]


def _calls(turn: Turn, sessions: Sequence[str]) -> dict[str, Call]:
    """The calls of these sessions, as they will be stored."""
    found = events_by(turn.connection, SESSION, sessions, names(CALL))
    stored = (dict(zip(CALL, row, strict=True)) for row in found)
    calls = {call["event_id"]: call for call in stored if call["event_id"] not in turn.gone}
    calls |= {name: dict(zip(FIELDS, row, strict=False)) for name, row in turn.rows.items()}
    wanted = set(sessions)
    return {
        name: call for name, call in calls.items()
        if call["kind"] == "llm" and call["conversation_id"] in wanted
    }  # fmt: skip


def _gives_way(row: Row, whole: Call, calls: Mapping[str, Call], sums: Mapping[str, Row]) -> bool:
    """Whether as many calls are there as a sum stands for."""
    _, _, session, after, until, _ = row
    parts = [
        call for name, call in calls.items()
        if name not in sums and call["conversation_id"] == session
        and call["model"] == whole["model"]
        and (after is None or call["ts"] > after) and (until is None or call["ts"] <= until)
        and _nobody_elses(call, whole)
    ]  # fmt: skip
    return bool(parts) and sum(map(_requests, parts)) >= _requests(whole)


def _requests(call: Call) -> int:
    return 1 if call["request_count"] is None else int(call["request_count"])


def _nobody_elses(call: Call, whole: Call) -> bool:
    return all(
        None in (call[name], whole[name]) or call[name] == whole[name]
        for name in ("user", "project")
    )
