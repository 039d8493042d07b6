"""Our own traces: exported to a real receiver where they are asked for, with nothing in them that
is anybody's, and never to ourselves."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from app import create_app
from callbacks.access.tokens import sign
from callbacks.api import tracing
from data.engines.protocol import open_events
from data.errors import SettingsError
from data.settings import Settings
from data.state.store import State
from tests.serving import ADMIN, KEY, LEAST, SECRET

SECRETS: Final = ("ana.ito", "what-she-asked", "bo-who-sends", KEY, "no-such-place", "geheim")
EVENT: Final = LEAST | {
    "event_id": "what-she-asked",
    "user": "ana.ito",
    "ts": "2026-11-20T10:00:00Z",
}
QUESTION: Final = (
    "metrics=requests&by=user&preset=custom&from=2026-11-01&to=2026-12-01&project=geheim"
    "&not_user=bo-who-sends"
)


class Collector(HTTPServer):
    """A receiver of OTLP over HTTP that keeps what it gets."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.bodies: list[bytes] = []
        self.marks: list[str | None] = []

    @property
    def spans(self) -> list[Any]:
        exported = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [
            span
            for one in exported
            for resource in one.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        packed = self.headers.get("Content-Encoding") == "gzip"
        self.server.bodies.append(gzip.decompress(body) if packed else body)
        self.server.marks.append(self.headers.get(tracing.MARK))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        endpoint = f"http://127.0.0.1:{made.server_port}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        yield made
        made.shutdown()
        thread.join()


def settings_of(folder: Path, **more: str) -> Settings:
    given = {"DATA_DIR": str(folder), "JWT_SECRET": SECRET, "INGEST_KEY": KEY} | more
    return Settings.read({f"SPENDSCOPE_{name}": value for name, value in given.items()})


def attributes(span: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


@pytest.fixture
def asked(collector: Collector, tmp_path: Path) -> str:
    """The id of a question, among other requests that were traced or not; all is exported."""
    settings = settings_of(tmp_path, TELEMETRY="otlp")
    with (
        closing(State(settings.state_url)) as state,
        closing(open_events("duckdb://")) as opened,
        tracing.exporting(settings) as tracer,
    ):
        store = tracing.traced(opened, tracer, "duckdb://")
        client = create_app(settings, state, store, "k", tracer=tracer).server.test_client()
        key = {"Authorization": f"Bearer {KEY}"}
        assert client.post("/api/v1/events", json=[EVENT], headers=key).status_code == 200
        admin = {"Authorization": f"Bearer {sign(settings, ADMIN, 600)}"}
        answer = client.get(f"/api/v1/query?{QUESTION}", headers=admin)
        assert answer.status_code == 200
        assert client.get("/no-such-place").status_code == 302
        assert client.get("/healthz").status_code == 200
        assert client.post("/v1/traces", headers=key | {tracing.MARK: "1"}).status_code == 415
        with pytest.raises(KeyError):
            store.write([{"user": "ana.ito"}])
    return str(answer.headers["X-Request-ID"])


def test_requests_questions_and_writes_are_exported(collector: Collector, asked: str) -> None:
    spans = {span.span_id: span for span in collector.spans}
    parents = {
        one: spans[span.parent_span_id] for one, span in spans.items() if span.parent_span_id
    }
    assert {(span.name, parents[one].name if one in parents else None)
            for one, span in spans.items()} == {
        ("POST /api/v1/events", None), ("INSERT events", "POST /api/v1/events"),
        ("GET /api/v1/query", None), ("SELECT events", "GET /api/v1/query"),
        ("GET /<path:path>", None), ("INSERT events", None),
    }  # fmt: skip
    below = {spans[one].name: attributes(spans[one]) for one in parents}
    assert below["INSERT events"] == {
        "db.system.name": "duckdb", "db.operation.name": "INSERT",
        "db.operation.batch.size": 1, "spendscope.new_events": 1,
    }  # fmt: skip
    assert below["SELECT events"]["db.response.returned_rows"] >= 0
    assert "spendscope.columns" in below["SELECT events"]
    [request] = [attributes(one) for one in spans.values() if one.name == "GET /api/v1/query"]
    assert request == {
        "http.request.method": "GET", "http.route": "/api/v1/query",
        "http.response.status_code": 200, "spendscope.request_id": asked,
    }  # fmt: skip


@pytest.mark.usefixtures("asked")
def test_nothing_that_is_exported_is_anybodys(collector: Collector) -> None:
    [failed] = [one for one in collector.spans if one.name == "INSERT events" and one.status.code]
    assert (attributes(failed)["error.type"], failed.status.message) == ("KeyError", "")
    everything = b"".join(collector.bodies)
    assert b"spendscope" in everything
    assert [one for one in SECRETS if one.encode() in everything] == []
    assert {*collector.marks} == {"1"}


def test_it_is_off_unless_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    with tracing.exporting(settings_of(tmp_path)) as tracer:
        assert tracer is None
    store: Any = object()
    assert tracing.traced(store, None, "duckdb://") is store
    with pytest.raises(SettingsError, match="SPENDSCOPE_TELEMETRY is off or otlp"):
        settings_of(tmp_path, TELEMETRY="on")


def test_without_its_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "EXPORTER", "opentelemetry.not_there")
    settings = settings_of(tmp_path, TELEMETRY="otlp")
    with pytest.raises(SettingsError, match=r"pip install 'spendscope\[telemetry\]'"):
        tracing.exporting(settings).__enter__()


@pytest.mark.parametrize(("endpoint", "here"), [
    ("http://localhost:8050", True), ("http://127.0.0.1:8050/v1/traces", True),
    ("http://[::1]:8050", True), ("http://10.0.0.5:8050", True),
    ("https://spend.example.org", True), ("https://SPEND.example.org:443/v1/traces", True),
    ("http://localhost:4318", False), ("https://spend.example.org:4318", False),
    ("https://otel.example.org", False), ("http://collector:8050", False), ("", False),
])  # fmt: skip
def test_nothing_is_exported_to_ourselves(
    endpoint: str, here: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = settings_of(tmp_path, PUBLIC_URL="https://spend.example.org", TELEMETRY="otlp")
    settings = replace(public, host="10.0.0.5")
    assert tracing.leads_here(endpoint, settings) is here
    if here:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint)
        with pytest.raises(SettingsError, match="TRACES_ENDPOINT leads to Spendscope itself"):
            tracing.exporting(settings).__enter__()
