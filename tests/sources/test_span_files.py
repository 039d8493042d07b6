"""Span files: whichever form a trace is kept in, it is the events that OTLP makes of it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from data.engines.protocol import EventStore
from data.errors import EventError
from data.events.table import Event
from data.ingest.importing import ingest_paths
from data.sources import File, Note, Options, find, formats
from data.sources.events import event_of
from data.sources.otlp.requests import request_records
from tests.sources.test_otlp_spans import pairs
from tests.sources.test_vendor_usage import spoiled

TRACE: Final = "0a" * 16
START: Final = 1_777_629_600_250_000_000  # 2026-05-01T10:00:00.25Z
Plain = dict[str, Any]  # id, parent, name, attributes, failed; of one trace, a second each
SPANS: Final[list[Plain]] = [
    {"id": "00000000000000a1", "parent": "", "name": "invoke_agent triage", "failed": False,
     "attributes": {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "triage",
                    "user.id": "ana", "openinference.span.kind": "AGENT"}},
    {"id": "b0000000000000a2", "parent": "00000000000000a1", "name": "chat", "failed": False,
     "attributes": {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o",
                    "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20,
                    "gen_ai.usage.cache_read_tokens": 40, "openinference.span.kind": "LLM"}},
    {"id": "b0000000000000a3", "parent": "00000000000000a1", "name": "execute_tool find",
     "failed": True, "attributes": {"gen_ai.operation.name": "execute_tool",
     "gen_ai.tool.name": "find", "openinference.span.kind": "TOOL"}},
    {"id": "b0000000000000a4", "parent": "00000000000000a1", "name": "GET /", "failed": False,
     "attributes": {"http.request.method": "GET", "openinference.span.kind": "CHAIN"}},
]  # fmt: skip


def otlp() -> list[Event]:
    listed = [
        {"traceId": TRACE, "spanId": one["id"], "parentSpanId": one["parent"], "name": one["name"],
         "startTimeUnixNano": str(START), "endTimeUnixNano": str(START + 10**9),
         "attributes": pairs(one["attributes"]), "status": {"code": 2 * one["failed"]}}
        for one in SPANS
    ]  # fmt: skip
    group = {"resource": {"attributes": pairs({"service.name": "shop"})},
             "scopeSpans": [{"spans": listed}]}  # fmt: skip
    body = json.dumps({"resourceSpans": [group]}).encode()
    found = request_records("traces", body, json=True, options=Options())
    return [event_of(raw) for _, raw in found if not isinstance(raw, Note)]


def python_console() -> str:
    return "\n".join(json.dumps({
        "name": one["name"], "kind": "SpanKind.INTERNAL",
        "context": {"trace_id": f"0x{TRACE}", "span_id": f"0x{one['id']}", "trace_state": "[]"},
        "parent_id": f"0x{one['parent']}" if one["parent"] else None,
        "start_time": "2026-05-01T10:00:00.250000Z", "end_time": "2026-05-01T10:00:01.250000Z",
        "status": {"status_code": "ERROR" if one["failed"] else "UNSET"},
        "attributes": one["attributes"], "events": [], "links": [],
        "resource": {"attributes": {"service.name": "shop"}, "schema_url": ""},
    }, indent=4) for one in SPANS)  # fmt: skip


def go_console() -> str:
    def listed(told: Plain) -> list[Plain]:
        return [{"Key": key, "Value": {"Type": "STRING", "Value": value}}
                for key, value in told.items()]  # fmt: skip

    return "\n".join(json.dumps({
        "Name": one["name"], "SpanContext": {"TraceID": TRACE, "SpanID": one["id"]},
        "Parent": {"TraceID": TRACE, "SpanID": one["parent"] or "0" * 16}, "SpanKind": 1,
        "StartTime": "2026-05-01T10:00:00.250000001Z", "EndTime": "2026-05-01T12:00:01.25+02:00",
        "Attributes": listed(one["attributes"]), "Resource": listed({"service.name": "shop"}),
        "Status": {"Code": "Error" if one["failed"] else "Unset", "Description": ""},
        "InstrumentationScope": {"Name": "s"},
    }) for one in SPANS)  # fmt: skip


def jaeger() -> str:
    spans = [{
        "traceID": TRACE.lstrip("0"), "spanID": one["id"].lstrip("0"), "operationName": one["name"],
        "references": [{"refType": "CHILD_OF", "traceID": TRACE, "spanID": one["parent"]}]
        if one["parent"] else [],
        "startTime": START // 1_000, "duration": 10**6, "processID": "p1",
        "tags": [{"key": key, "type": "string", "value": value}
                 for key, value in {**one["attributes"], "error": one["failed"]}.items()],
    } for one in SPANS]  # fmt: skip
    processes = {"p1": {"serviceName": "shop", "tags": []}}
    trace = {"traceID": TRACE, "spans": spans, "processes": processes}
    return json.dumps({"total": 0, "data": [trace]})


def zipkin() -> str:
    return json.dumps([[{
        "traceId": TRACE, "id": one["id"], "name": one["name"], "timestamp": START // 1_000,
        "duration": 10**6, "localEndpoint": {"serviceName": "shop"},
        "tags": {key: str(value) for key, value in one["attributes"].items()}
        | ({"error": "boom"} if one["failed"] else {}),
        **({"parentId": one["parent"]} if one["parent"] else {}),
    } for one in SPANS]])  # fmt: skip


def phoenix(nested: bool = False) -> str:
    return "\n".join(json.dumps({
        "name": one["name"], "span_kind": one["attributes"]["openinference.span.kind"],
        "context": {"trace_id": TRACE, "span_id": one["id"]}, "parent_id": one["parent"] or None,
        "start_time": "2026-05-01T10:00:00.250+00:00", "end_time": "2026-05-01T10:00:01.250Z",
        "status_code": "ERROR" if one["failed"] else "OK", "status_message": "",
        "attributes": deep(one["attributes"]) if nested else one["attributes"],
    }) for one in SPANS)  # fmt: skip


def deep(flat: Plain) -> Plain:
    made: Plain = {}
    for path, value in flat.items():
        *above, last = path.split(".")
        here = made
        for name in above:
            here = here.setdefault(name, {})
        here[last] = value
    return made


def phoenix_answer() -> str:
    return json.dumps({"data": [json.loads(line) for line in phoenix().splitlines()]}, indent=1)


def phoenix_table() -> str:
    names = sorted({name for one in SPANS for name in one["attributes"]})
    head = ["context.span_id", "context.trace_id", "name", "span_kind", "parent_id", "start_time",
            "end_time", "status_code", *(f"attributes.{name}" for name in names)]  # fmt: skip
    rows = [[one["id"], TRACE, one["name"], one["attributes"]["openinference.span.kind"],
             one["parent"], "2026-05-01 10:00:00.250000+00:00", "2026-05-01 10:00:01.250000+00:00",
             "ERROR" if one["failed"] else "OK",
             *(str(one["attributes"].get(name, "")) for name in names)]
            for one in SPANS]  # fmt: skip
    return "\n".join(",".join(row) for row in [head, *rows])


FORMS: Final[dict[str, tuple[str, Callable[[], str]]]] = {
    "Python's console": ("otel_console", python_console),
    "Go's console": ("otel_console", go_console),
    "Jaeger": ("jaeger", jaeger),
    "Zipkin": ("zipkin", zipkin),
    "Phoenix": ("phoenix", phoenix),
    "Phoenix, nested": ("phoenix", lambda: phoenix(nested=True)),
    "Phoenix's answer": ("phoenix", phoenix_answer),
    "Phoenix's table": ("phoenix", phoenix_table),
}


@pytest.mark.parametrize(("name", "form"), FORMS.values(), ids=FORMS)
def test_every_form_is_the_same_events(name: str, form: Callable[[], str], tmp_path: Path) -> None:
    (tmp_path / "spans.json").write_text(form())
    (found,) = find([tmp_path])
    assert found.format is not None
    assert found.format.name == name
    events = [event_of(raw) for _, raw in found.format.read(found.file, Options())
              if not isinstance(raw, Note)]  # fmt: skip
    without = {"client": None} if name == "phoenix" else {}  # there is no resource
    assert events == [event | without for event in otlp()]
    assert [event["kind"] for event in events] == ["message", "llm", "tool"]


def test_what_was_sent_and_then_imported_is_one_event(tmp_path: Path, store: EventStore) -> None:
    store.write(otlp())
    (tmp_path / "spans.json").write_text(python_console())
    report = ingest_paths([tmp_path], store)
    assert (report.accepted, report.duplicates, report.rejected) == (0, 3, 0)


@pytest.mark.parametrize(("name", "form"), FORMS.values(), ids=FORMS)
def test_whatever_comes_is_at_worst_a_rejected_record(name: str, form: Callable[[], str]) -> None:
    body, noise, seen = form().encode(), random.Random(name), 0
    for _ in range(60):
        for _, raw in formats()[name].read(File("f", body=spoiled(body, noise)), Options()):
            try:
                seen += not isinstance(raw, Note) and bool(event_of(raw))
            except EventError:
                continue
    assert seen > 20


def test_a_bad_span_costs_itself_alone(tmp_path: Path, store: EventStore) -> None:
    broken = json.loads(jaeger())
    broken["data"][0]["spans"][1]["traceID"] = "no hex"
    (tmp_path / "trace.json").write_text(json.dumps(broken))
    report = ingest_paths([tmp_path], store)
    assert (report.accepted, report.rejected) == (2, 1)
    assert report.rejections[0][1].startswith("this is no span of the format")
