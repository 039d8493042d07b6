"""The official OpenTelemetry SDK and its OpenAI instrumentation, sending to a served Spendscope:
what the API of the model counted is what the dashboard says, however it travelled.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

from callbacks.access.tokens import sign
from data.settings import Settings
from tests.ports import free_port

if TYPE_CHECKING:
    from openai import OpenAI

ROOT: Final = Path(__file__).resolve().parents[2]
MODELS: Final = ("gpt-4o-mini", "gpt-4o", "gpt-4.1")
USERS: Final = ("ana@example.com", "bob@example.com")
SECRET: Final = "a secret of more than thirty-two bytes"


@dataclass
class Model:
    """The stand-in for OpenAI's API: answers, and counts what it says it used."""

    url: str = ""
    used: dict[str, list[int]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str, asked: dict[str, Any]) -> tuple[int, str, bytes]:
        with self.lock:
            calls = self.used.setdefault(asked["model"], [])
            prompt, output = 100 + 7 * len(self.used) + len(calls), 3 + len(calls)
            if path.endswith("/embeddings"):
                output = 0
            calls.append(prompt + output)
        usage = {"prompt_tokens": prompt, "completion_tokens": output,
                 "total_tokens": prompt + output}  # fmt: skip
        if path.endswith("/embeddings"):
            told = {"object": "list", "model": asked["model"], "usage": usage,
                    "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}  # fmt: skip
            return 200, "application/json", json.dumps(told).encode()
        head = {"id": f"c-{prompt}-{output}", "created": 1, "model": f"{asked['model']}-2024-07-18"}
        if asked.get("stream"):
            return 200, "text/event-stream", b"".join(_stream(head, usage))
        message = {"role": "assistant", "content": "so"}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        told = head | {"object": "chat.completion", "choices": [choice], "usage": usage}
        return 200, "application/json", json.dumps(told).encode()


def _stream(head: dict[str, Any], usage: dict[str, int]) -> Iterator[bytes]:
    head = head | {"object": "chat.completion.chunk"}
    delta = {"index": 0, "delta": {"role": "assistant", "content": "so"}, "finish_reason": None}
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    for part in ({"choices": [delta]}, {"choices": [end]}, {"choices": [], "usage": usage}):
        yield b"data: " + json.dumps(head | part).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    made = Model()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if asked["model"] == "broken":
                status, kind, said = 500, "application/json", b'{"error": {"message": "down"}}'
            else:
                status, kind, said = made.answer(self.path, asked)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        made.url = f"http://127.0.0.1:{server.server_port}/v1"
        yield made
        server.shutdown()
        thread.join()


@dataclass(frozen=True)
class Site:
    """A Spendscope that runs in a process of its own."""

    url: str
    settings: Settings

    def ask(self, path: str, body: Any = None) -> Any:
        token = sign(self.settings, {"sub": "root", "isAdmin": True}, 600)
        data = None if body is None else json.dumps(body).encode()
        asked = Request(self.url + path, data, {"Authorization": f"Bearer {token}"})
        with urlopen(asked, timeout=60) as answer:
            return json.loads(answer.read())

    def key(self, **told: str) -> str:
        return str(self.ask("/api/v1/ingest-keys", told)["key"])

    def rows(self, by: str, project: str) -> dict[str | None, dict[str, Any]]:
        now = datetime.now(UTC)
        window = {"preset": "custom", "from": (now - timedelta(days=1)).isoformat(),
                  "to": (now + timedelta(days=1)).isoformat(), "project": project}  # fmt: skip
        metrics = "requests,errors,tokens,input_tokens,output_tokens,cost"
        asked = urlencode(window | {"metrics": metrics, "by": by})
        return {row[by]: row for row in self.ask(f"/api/v1/query?{asked}")["rows"]}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    port = str(free_port())
    told = {"DATA_DIR": str(folder), "PORT": port, "JWT_SECRET": SECRET}
    told = {f"SPENDSCOPE_{name}": value for name, value in told.items()}
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SPENDSCOPE_", "OTEL_"))}
    with (folder / "log").open("wb") as log:
        command = [sys.executable, str(ROOT / "app.py"), "serve"]
        server = subprocess.Popen(command, env=kept | told, stdout=log, stderr=log)
    made = Site(f"http://127.0.0.1:{port}", Settings.read(told))
    try:
        while not well(made):
            assert server.poll() is None, (folder / "log").read_text()
        yield made
    finally:
        server.terminate()
        server.wait(timeout=30)


def well(site: Site) -> bool:
    try:
        with urlopen(f"{site.url}/readyz", timeout=30) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        time.sleep(0.05)  # refused at once: let the server have the processor
        return False


@contextmanager
def instrumented(site: Site, project: str, packed: Compression, batched: bool) -> Iterator[Any]:
    """OpenTelemetry as its users set it up: traces, logs and metrics, all to one address."""
    key = site.key(name=project, source="shop", project=project)
    resource = Resource.create({"service.name": "shop", "service.namespace": project})
    told: dict[str, Any] = {"headers": {"Authorization": f"Bearer {key}"}, "compression": packed}
    tracing = TracerProvider(resource=resource)
    spans = OTLPSpanExporter(f"{site.url}/v1/traces", **told)
    tracing.add_span_processor(
        BatchSpanProcessor(spans, schedule_delay_millis=600_000)
        if batched
        else SimpleSpanProcessor(spans)
    )
    logs = LoggerProvider(resource=resource)
    records = OTLPLogExporter(f"{site.url}/v1/logs", **told)
    logs.add_log_record_processor(SimpleLogRecordProcessor(records))
    points = PeriodicExportingMetricReader(OTLPMetricExporter(f"{site.url}/v1/metrics", **told))
    meters = MeterProvider([points], resource=resource)
    instrumentor = OpenAIInstrumentor()
    instrumentor.instrument(tracer_provider=tracing, logger_provider=logs, meter_provider=meters)
    try:
        yield tracing.get_tracer("shop")
    finally:
        instrumentor.uninstrument()
        for provider in (tracing, logs, meters):
            assert provider.force_flush() is not False
            provider.shutdown()


def work(tracer: Any, client: OpenAI, number: int) -> None:
    """One visit of a user: a call under a span of the program's own."""
    name = MODELS[number % len(MODELS)]
    attributes = {"enduser.id": USERS[number % 2], "session.id": f"s{number // 4}"}
    with tracer.start_as_current_span("visit", attributes=attributes):
        said = [{"role": "user", "content": "and?"}]
        chat: Any = client.chat.completions
        if number % 5 == 4:
            options = {"include_usage": True}
            for _ in chat.create(model=name, messages=said, stream=True, stream_options=options):
                pass
        else:
            chat.create(model=name, messages=said)


def call(model: Model, traced: Any, calls: int) -> None:
    """Chats of several users at once, an embedding, and a call that fails."""
    import openai  # by those who call: it takes every worker that collects this a second

    with ExitStack() as stack:
        tracer = stack.enter_context(traced)
        client = stack.enter_context(
            openai.OpenAI(api_key="none", base_url=model.url, max_retries=0)
        )
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: work(tracer, client, number), range(calls)))
        client.embeddings.create(model="text-embedding-3-small", input="and?")
        with pytest.raises(openai.InternalServerError):
            client.chat.completions.create(model="broken", messages=[])


@pytest.mark.parametrize(("packed", "batched", "calls"), [
    (Compression.Gzip, True, 40), (Compression.NoCompression, True, 20),
    (Compression.Gzip, False, 8),
], ids=["gzip-batch", "plain-batch", "gzip-each"])  # fmt: skip
def test_what_the_model_counted_is_what_we_say(
    site: Site, model: Model, packed: Compression, batched: bool, calls: int,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    project = f"web-{packed.value}-{batched}"
    model.used.clear()
    with caplog.at_level(logging.WARNING, "opentelemetry"):
        call(model, instrumented(site, project, packed, batched), calls)
    assert [one.message for one in caplog.records] == []
    rows = site.rows("model", project)
    assert rows.pop("broken") | {"cost": None} == {
        "model": "broken", "requests": 1, "errors": 1, "tokens": None, "input_tokens": None,
        "output_tokens": None, "cost": None,
    }  # fmt: skip
    counted = {name.removesuffix("-2024-07-18"): row for name, row in rows.items() if name}
    said = {name: (row["requests"], row["tokens"]) for name, row in counted.items()}
    assert said == {name: (len(used), sum(used)) for name, used in model.used.items()}
    assert all(row["errors"] == 0 for row in counted.values())
    assert counted["gpt-4o-mini"]["cost"] > 0
    # Also where each span is sent by itself, before the one above it that knows whose visit it is.
    told = dict.fromkeys(USERS, calls // 2) | {None: 2}
    people = site.rows("user", project)
    assert {name: row["requests"] for name, row in people.items()} == told
