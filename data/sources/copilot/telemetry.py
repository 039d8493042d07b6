"""What Copilot writes to the file of `COPILOT_OTEL_FILE_EXPORTER_PATH`: spans and metrics of the
OpenTelemetry SDK of JavaScript, an object a line.

Spans are read as those of OTLP are (data/sources/otlp/requests.py) and carry the same ids: what was
also sent counts once. Times are pairs of seconds and nanoseconds.
cost          unpriced: Copilot is paid by seats and credits
not counted   metrics, which sum up what the spans tell; calls of sessions that the session store or
              their log in the same folder tells too (store.py, cli.py): of these only the tools
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from data.errors import EventError
from data.sources.aggregates import UNPRICED
from data.sources.copilot.store import LOGS, calls_in
from data.sources.entries import line_values
from data.sources.fields import count, part
from data.sources.files import File
from data.sources.format import Format, Head, Note, Options, Raw, Record
from data.sources.otlp.attributes import Attributes
from data.sources.otlp.items import FAILED, SERVER, Span
from data.sources.otlp.span_files import ids, read_spans

KINDS: Final = ("span", "metric", "log")
OTHERS: Final = KINDS[1:]
SERVED: Final = 1  # of the SDK's kinds, which begin at 0
SESSION: Final = re.compile(r"[0-9A-Za-z_-]+")
BESIDE: Final = Note("calls that the session store or log of Copilot CLI beside tells, too")
Line = Mapping[str, Any]


def recognises(head: Head) -> bool:
    first = head.first
    telemetry = first.get("type") in KINDS or first.keys() >= {"traceId", "spanId", "startTime"}
    return telemetry and "copilot" in head.text and "resourceSpans" not in first


def read(file: File, options: Options) -> Iterator[Record]:
    for where, raw in read_spans(line_values(file), _spans, options):
        if not isinstance(raw, dict) or raw["kind"] != "llm":
            yield where, raw
        elif _is_told_beside(file, raw.get("conversation_id")):
            yield where, BESIDE
        else:
            yield where, _unpriced(raw)


def _unpriced(raw: Raw) -> Raw:
    return raw if raw.get("cost_nano") is not None else raw | UNPRICED


def _spans(line: Line) -> Iterator[Span]:
    if line.get("type") in OTHERS:
        return
    status = part(line, "status")
    yield Span(
        *ids(line["traceId"], line["spanId"], line.get("parentSpanId")),
        str(line.get("name") or ""),
        SERVER if line.get("kind") == SERVED else 0,
        _nanos(line["startTime"]),
        _nanos(line.get("endTime")),
        status.get("code") == FAILED,
        Attributes(part(line, "attributes")),
        Attributes(part(part(line, "resource"), "attributes")),
        str(part(line, "instrumentationScope").get("name") or ""),
    )


def _nanos(pair: Any) -> int:
    """Nanoseconds since 1970 of a pair of seconds and nanoseconds; 0 where there is none."""
    if pair is None:
        return 0
    if not isinstance(pair, list) or len(pair) != 2:
        raise EventError("a time is a pair of seconds and nanoseconds")
    seconds, nanos = (count("a time", number) or 0 for number in pair)
    return seconds * 10**9 + nanos


def _is_told_beside(file: File, session: Any) -> bool:
    """Whether the folder above (`~/.copilot`, for files in its `otel`) knows a session's calls."""
    if file.path is None or not isinstance(session, str) or not SESSION.fullmatch(session):
        return False
    home = file.path.resolve().parent.parent
    return bool(calls_in(home, session)) or (home / LOGS / session / "events.jsonl").exists()


PLACES: Final = ("~/.copilot/otel", "$COPILOT_HOME/otel")
FORMAT = Format("copilot_otel", "Copilot's OpenTelemetry files", recognises, read, places=PLACES)
