"""One id a request: in every line of the log that it causes, in `X-Request-ID`, and in what an
answer says of an error. And one line a request: method, route, status, duration.

The line has the route as it is declared (`/api/v1/imports/<key>`), never the address that was
asked for: addresses hold the ids of people, one-time links and what somebody searched for.
"""

from __future__ import annotations

import logging
import secrets
import time
from typing import Final

from flask import Flask, Response, g, has_request_context, request

from callbacks.access.site import GIVEN_ID

HEADER: Final = "X-Request-ID"
BYTES: Final = 6
LINES: Final = logging.getLogger("spendscope.requests")
# Asked for all day long by balancers and by every page.
QUIET: Final = (
    "/healthz",
    "/readyz",
    "/metrics",
    "/assets/",
    "/_dash-component-suites/",
    "/_favicon.ico",
)


def attach(server: Flask) -> None:
    """Number the requests of a server. Call it before anything else is attached."""
    server.before_request(_begin)
    server.after_request(_end)


def request_id() -> str:
    """The id of the request that is answered now, a trusted proxy's if it gave one; beside a
    request, an id of its own."""
    if not has_request_context():
        return secrets.token_hex(BYTES)
    if "request_id" not in g:
        g.request_id = request.environ.get(GIVEN_ID) or secrets.token_hex(BYTES)
    found: str = g.request_id
    return found


def _begin() -> None:
    g.began = time.perf_counter()
    request_id()


def _end(answer: Response) -> Response:
    answer.headers[HEADER] = request_id()
    rule = request.url_rule.rule if request.url_rule else "(no such address)"
    level = logging.DEBUG if rule.startswith(QUIET) else logging.INFO
    ms = round((time.perf_counter() - g.get("began", time.perf_counter())) * 1_000)
    what = {"method": request.method, "route": rule, "status": answer.status_code, "ms": ms}
    LINES.log(level, "%(method)s %(route)s %(status)s %(ms)s ms", what, extra={"fields": what})
    return answer
