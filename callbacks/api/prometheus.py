"""`/metrics`: how the service itself is, as Prometheus reads it; nothing of what anybody used.

Names follow https://prometheus.io/docs/practices/naming: base units, `_total` for what only grows.
Counts are of this process since it started. It is for `SPENDSCOPE_METRICS_KEY` as a bearer token,
and for those who see the whole platform.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from flask import Flask, Response, request
from flask_login import current_user
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from callbacks.access.session import bearer, current_scope, refusal
from callbacks.commands.litellm_sync import LiteLLMSync
from callbacks.stores import Stores
from data.errors import Forbidden
from data.permissions import store_files

EXTENSION: Final = "spendscope-prometheus"
BEGAN: Final = "spendscope.began"
SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
API_TOKENS: Final = "an API token does not open the metrics: send SPENDSCOPE_METRICS_KEY"
NO_ROUTE: Final = "none"  # what nothing answers; its path is whatever a stranger typed


class ServiceMetrics:
    """What is counted while serving; `gauge` adds what is read at the time of asking."""

    def __init__(self, stores: Stores) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._requests = Counter(
            "spendscope_http_requests", "Requests answered.",
            ("method", "route", "status"), registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "spendscope_http_request_duration_seconds", "Until its answer begins.",
            ("route",), buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self._under_way = Gauge(
            "spendscope_http_requests_in_progress", "Requests that are being answered.",
            registry=self.registry,
        )  # fmt: skip
        ProcessCollector(registry=self.registry)
        self.registry.register(_StoresCollector(stores))

    def begin(self) -> None:
        """A request has come."""
        request.environ[BEGAN] = time.perf_counter()
        self._under_way.inc()

    def answered(self, answer: Response) -> Response:
        """Its answer begins."""
        if (began := request.environ.get(BEGAN)) is not None:
            route = request.url_rule.rule if request.url_rule else NO_ROUTE
            self._seconds.labels(route).observe(time.perf_counter() - began)
            self._requests.labels(request.method, route, answer.status_code).inc()
        return answer

    def end(self, _: BaseException | None = None) -> None:
        """It is over, however it ended."""
        if request.environ.pop(BEGAN, None) is not None:
            self._under_way.dec()

    def gauge(self, name: str, description: str, read: Callable[[], float]) -> None:
        """Tell a number that `read` finds out when it is asked for."""
        Gauge(name, description, registry=self.registry).set_function(read)


def attach(server: Flask, stores: Stores) -> None:
    """Count from now on, and route /metrics. Call it before anything that refuses requests."""
    metrics = server.extensions[EXTENSION] = ServiceMetrics(stores)
    server.before_request(metrics.begin)
    server.after_request(metrics.answered)
    server.teardown_request(metrics.end)

    @server.get("/metrics")
    def prometheus_metrics() -> Response:
        _require_reader(stores.settings.metrics_key)
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(metrics.registry), content_type=content_type)


def watch_queue(server: Flask, listening: Any) -> None:
    """Tell of the queue of the waitress server that answers for `server`."""
    waiting = listening.task_dispatcher.queue
    server.extensions[EXTENSION].gauge(
        "spendscope_request_queue_length", "Requests that wait for a thread.",
        lambda: len(waiting),
    )  # fmt: skip


def watch_sync(server: Flask, sync: LiteLLMSync | None) -> None:
    """Tell how far what follows LiteLLM's database is, where one is followed."""
    if sync is None:
        return
    gauge = server.extensions[EXTENSION].gauge
    gauge(
        "spendscope_litellm_sync_last_success_timestamp_seconds",
        "When LiteLLM's database was last read to its end; 0: not yet.",
        lambda: sync.last_success,
    )
    gauge(
        "spendscope_litellm_sync_consecutive_failures",
        "Readings of LiteLLM's database that failed since the last that did not.",
        lambda: sync.failures,
    )


def _require_reader(key: str | None) -> None:
    sent = bearer(request) or ""
    if key is not None and hmac.compare_digest(sent.encode(), key.encode()):
        return
    if not current_user.is_authenticated:
        raise refusal()
    if current_user.grants is not None:
        raise Forbidden(API_TOKENS)
    if current_scope().reach != "all":
        raise Forbidden("these metrics are for platform admins and SPENDSCOPE_METRICS_KEY")


class _StoresCollector:
    """What the stores and the receiving routes know, read when it is asked for."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def collect(self) -> Iterator[Metric]:
        """Every number, anew."""
        received = CounterMetricFamily(
            "spendscope_received_records", "Records that senders brought, by what became of them.",
            labels=("outcome",),
        )  # fmt: skip
        for outcome, number in self._stores.tally.outcomes.items():
            received.add_metric((outcome,), number)
        yield received
        size = GaugeMetricFamily(
            "spendscope_store_size_bytes", "Size of a store's files.", labels=("store",)
        )
        settings = self._stores.settings
        for name, url in (("events", settings.events_url), ("state", settings.state_url)):
            if places := list(store_files(url)):
                files = (path for path in places if path.is_file())
                size.add_metric((name,), sum(path.stat().st_size for path in files))
        yield size
