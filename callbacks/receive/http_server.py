"""The socket: how much of a body is taken in before anybody has asked who sends it.

Waitress keeps what arrives (on disk beyond 512 KB) before our code runs. A body larger than any
door takes is not read: the request goes on without it and is answered as always (401, 403, 413),
and the connection ends. An upload of more than that, up to 1 GB, is read only from somebody whose
headers show that they may upload. A body of unknown length is cut off at the same limits.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, Final

from flask import Flask
from flask_login import current_user
from waitress import create_server
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser

from callbacks.access.session import current_scope
from callbacks.receive.request_body import LARGEST
from callbacks.receive.uploads import PATH
from data.errors import SettingsError
from data.ingest.uploads import LARGEST as LARGEST_UPLOAD

# An export in a few reads, each of which waits for its turn among those who compute.
READ_AT_ONCE: Final = 256 * 1024
Headers = Mapping[str, str]


def make_server(server: Flask, host: str, port: int, threads: int) -> Any:
    """Waitress with an open socket, to `run` until it is stopped; raises `SettingsError` where the
    address cannot be had."""
    # One process serves one application.
    HTTPChannel.parser_class = parser(lambda headers: _may_upload(server, headers))
    try:
        return create_server(
            server, ident=None, max_request_body_size=LARGEST + 1, recv_bytes=READ_AT_ONCE,
            host=host, port=port, threads=threads,
        )  # fmt: skip
    except OSError as error:
        raise SettingsError(_refusal(error, host, port)) from None


def _refusal(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use: stop what listens there, or set SPENDSCOPE_PORT"
    why = error.strerror or str(error)
    return f"SPENDSCOPE_HOST {host}, SPENDSCOPE_PORT {port} cannot be listened on: {why}"


def parser(may_upload: Callable[[Headers], bool]) -> type[HTTPRequestParser]:
    """What reads a request, asking `may_upload` before it takes in a large one."""

    class Parser(HTTPRequestParser):  # type: ignore[misc]
        adj: Any

        def parse_header(self, header_plus: bytes) -> None:
            super().parse_header(header_plus)
            large = self.chunked or self.content_length > LARGEST
            if large and self.path == PATH and self.command == "POST" and may_upload(self.headers):
                self.adj = _with_room_for_upload(self.adj)
            if self.content_length >= self.adj.max_request_body_size:
                self._skip_body()

        def _skip_body(self) -> None:
            self.body_rcv = None
            self.content_length = 0  # the application goes by the header
            self.expect_continue = False
            self.connection_close = True

    return Parser


def _with_room_for_upload(given: Any) -> Any:
    """The same settings of the socket with room for an upload."""
    made = copy(given)
    made.max_request_body_size = LARGEST_UPLOAD + 1
    return made


FORWARDED: Final = ("AUTHORIZATION", "COOKIE", "HOST")


def _may_upload(server: Flask, headers: Headers) -> bool:
    forwarded = {name: headers[name] for name in FORWARDED if name in headers}
    with server.test_request_context(PATH, method="POST", headers=forwarded):
        return bool(current_user.is_authenticated and current_scope().manages_platform)
