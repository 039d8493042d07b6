"""Our own traces, where SPENDSCOPE_TELEMETRY asks for them: a span a request, and in it a span a
question to the event store and a write. Names are OpenTelemetry's (HTTP, databases).

No span has what somebody asked, sent or is called: routes as they are declared, names of columns
and counts, of an error its class. Where they go is for OpenTelemetry's own variables to say, but
never here: what exports says so in a header, and is not traced by who receives it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from flask import Flask, Response, request

from callbacks.access.request_log import QUIET, request_id
from data.errors import SettingsError
from data.settings import DEFAULT_PORTS, Settings

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

    from data.engines.protocol import EventStore

EXPORTER: Final = "opentelemetry.exporter"
MISSING: Final = (
    "SPENDSCOPE_TELEMETRY is otlp, but what exports is not installed:"
    " pip install 'spendscope[telemetry]'"
)
TO_OURSELVES: Final = (
    "{} leads to Spendscope itself, which would trace its own traces: name a collector"
)
ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
NAMES: Final = ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES")
MARK: Final = "X-Spendscope-Telemetry"
PATIENCE_MS: Final = 2_000
NO_ROUTE: Final = "(no such address)"
SPAN: Final = "spendscope.span"
SYSTEMS: Final = {"clickhousedb": "clickhouse", "postgres": "postgresql"}  # as OpenTelemetry has it
Names = tuple[list[str], Sequence[Any]]


@contextmanager
def exporting(settings: Settings) -> Iterator[Tracer | None]:
    """What makes spans, which are on their way while this lasts; None where nobody asks for them.
    Raises `SettingsError` where they would have nowhere to go."""
    if settings.telemetry == "off":
        yield None
        return
    _require_exporter(settings, os.environ)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = any(name in os.environ for name in NAMES)
    resource = Resource.create({} if named else {"service.name": "spendscope"})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(headers={MARK: "1"})))
    try:
        yield provider.get_tracer("spendscope")
    finally:
        provider.force_flush(PATIENCE_MS)
        provider.shutdown()


def _require_exporter(settings: Settings, environ: Mapping[str, str]) -> None:
    try:
        found = find_spec(f"{EXPORTER}.otlp.proto.http")
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise SettingsError(MISSING)
    for name in ENDPOINTS:
        if leads_here(environ.get(name, ""), settings):
            raise SettingsError(TO_OURSELVES.format(name))


def leads_here(endpoint: str, settings: Settings) -> bool:
    """Whether an address is this server's, by its own name or by this machine's."""
    there, ours = urlsplit(endpoint), urlsplit(settings.public_url or "")
    if not there.hostname:
        return False
    port = there.port or DEFAULT_PORTS.get(there.scheme)
    if there.hostname == ours.hostname:
        return port == (ours.port or DEFAULT_PORTS.get(ours.scheme))
    return port == settings.port and (there.hostname == settings.host or _is_this(there.hostname))


def _is_this(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def attach(server: Flask, tracer: Tracer | None) -> None:
    """A span for each request of a server. Call it before anything that refuses requests."""
    if tracer is None:
        return

    def begin() -> None:
        rule = request.url_rule.rule if request.url_rule else NO_ROUTE
        if rule.startswith(QUIET) or MARK in request.headers:
            return
        attributes = {"http.request.method": request.method, "http.route": rule,
                      "spendscope.request_id": request_id()}  # fmt: skip
        entered = _span(tracer, f"{request.method} {rule}", "SERVER", attributes)
        request.environ[SPAN] = entered, entered.__enter__()

    server.before_request(begin)
    server.after_request(_answered)
    server.teardown_request(_end)


def _answered(answer: Response) -> Response:
    if SPAN in request.environ:
        _, span = request.environ[SPAN]
        span.set_attribute("http.response.status_code", answer.status_code)
        if answer.status_code >= 500:
            _failed(span, str(answer.status_code))
    return answer


def _end(_: BaseException | None = None) -> None:
    if (found := request.environ.pop(SPAN, None)) is not None:
        found[0].__exit__(None, None, None)


def traced(store: EventStore, tracer: Tracer | None, url: str) -> EventStore:
    """The event store of a URL, with a span for each question and each write."""
    scheme = urlsplit(url).scheme.partition("+")[0]
    system = SYSTEMS.get(scheme, scheme)
    return store if tracer is None else cast("EventStore", TracedStore(store, tracer, system))


class TracedStore:
    """An event store of some `system`, of which questions and writes are traced."""

    def __init__(self, store: EventStore, tracer: Tracer, system: str) -> None:
        self._store, self._tracer, self._system = store, tracer, system

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def ask(self, *given: Any) -> Names:
        """What the store answers."""
        with self._spanned("SELECT") as span:
            columns, rows = self._store.ask(*given)
            span.set_attribute("spendscope.columns", columns)
            span.set_attribute("db.response.returned_rows", len(rows))
        return columns, rows

    def write(self, events: Any, *given: Any, **named: Any) -> Any:
        """What the store makes of the events."""
        with self._spanned("INSERT") as span:
            span.set_attribute("db.operation.batch.size", len(events))
            written = self._store.write(events, *given, **named)
            span.set_attribute("spendscope.new_events", len(written))
        return written

    def _spanned(self, operation: str) -> AbstractContextManager[Span]:
        attributes = {"db.system.name": self._system, "db.operation.name": operation}
        return _span(self._tracer, f"{operation} events", "CLIENT", attributes)


@contextmanager
def _span(tracer: Tracer, name: str, kind: str, attributes: Mapping[str, Any]) -> Iterator[Span]:
    """A span that has of what is raised in it nothing but the class: words may be a person's."""
    from opentelemetry.trace import SpanKind

    began: Callable[..., AbstractContextManager[Span]] = tracer.start_as_current_span
    with began(
        name, kind=SpanKind[kind], attributes=attributes,
        record_exception=False, set_status_on_exception=False,
    ) as span:  # fmt: skip
        try:
            yield span
        except Exception as error:
            _failed(span, type(error).__name__)
            raise


def _failed(span: Span, why: str) -> None:
    from opentelemetry.trace import StatusCode

    span.set_attribute("error.type", why)
    span.set_status(StatusCode.ERROR)
