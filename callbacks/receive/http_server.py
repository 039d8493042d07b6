"""The socket: who may connect, and how much of a body is taken in from whom.

`connections.py` keeps connections in their limits; here stands how large a body each sender may
send. One that is larger is not read: the request goes on without it and is answered as always
(401, 403, 413), and the connection ends. A body of unknown length is cut off at the same limits.

A server that is told to end (SIGTERM) takes no new connections, answers what has begun and ends.
"""

from __future__ import annotations

import errno
import signal
from functools import partial
from time import monotonic
from typing import Any, Final

from flask import Flask, request
from waitress import create_server
from waitress.wasyncore import dispatcher

from callbacks.access.guard import RECEIVING
from callbacks.access.ingest_key import require_ingest_key, require_key
from callbacks.access.session import current_person
from callbacks.access.site import FORWARDED, THIS_HOST
from callbacks.access.viewing import GLANCE
from callbacks.receive.connections import (
    EVERY_SECONDS,
    FILES_OF_OTHERS,
    SMALL,
    Headers,
    limit,
    most_connections,
    sockets,
)
from callbacks.receive.request_body import LARGEST
from callbacks.receive.uploads import PATH
from callbacks.stores import Stores
from data.errors import SettingsError, SpendscopeError
from data.ingest.uploads import LARGEST as LARGEST_UPLOAD

# An export in a few reads, each of which waits for its turn among those who compute.
READ_AT_ONCE: Final = 256 * 1024
EVENTS: Final = "/api/v1/events"
COMMANDS: Final = "/api/v1/store/"
ROOM: Final = "spendscope-room"
PATIENCE_SECONDS: Final = 15
TURN_SECONDS: Final = 1  # overdue connections are looked for as often
LAST_TURNS: Final = 16
LOOK_SECONDS: Final = 0.1
ABOUT_BODY: Final = ("CONTENT_LENGTH", "TRANSFER_ENCODING")


def attach(server: Flask, stores: Stores, key: str) -> None:
    """Say how large a body may be that a server is sent; `key` is that of commands."""
    server.extensions[ROOM] = partial(_room_of, server, stores, key)


def make_server(server: Flask, host: str, port: int, threads: int) -> Any:
    """Waitress with an open socket, to `run` until it is stopped; raises `SettingsError` where the
    address cannot be had."""
    try:
        made = create_server(
            server, ident=None, max_request_body_size=LARGEST_UPLOAD + 1, recv_bytes=READ_AT_ONCE,
            host=host, port=port, threads=threads, cleanup_interval=EVERY_SECONDS,
            # Which proxy is believed, callbacks/access/site.py decides.
            clear_untrusted_proxy_headers=False,
            # Beyond those that are served there is room for one that another is closed for.
            connection_limit=most_connections() + FILES_OF_OTHERS, asyncore_use_poll=True,
        )  # fmt: skip
    except OSError as error:
        raise SettingsError(_refusal(error, host, port)) from None
    limit(made, server.extensions[ROOM])
    return made


def run(made: Any) -> None:
    """Answer until the process is told to end; who is told so again does not wait for anybody."""
    told = list[int]()

    def end(number: int, _frame: Any) -> None:
        # Raised here, an exception may come between bytes that are sent and the note that they are.
        signal.signal(signal.SIGTERM, before)
        told.append(number)
        sockets(made)[0].pull_trigger()

    before = signal.signal(signal.SIGTERM, end)
    every = _map_of(made)
    try:
        while every and not told:
            made.asyncore.loop(TURN_SECONDS, use_poll=True, map=every, count=1)
        if told:
            finish(made)
    except (SystemExit, KeyboardInterrupt):
        made.task_dispatcher.shutdown()
    finally:
        signal.signal(signal.SIGTERM, before)


def finish(made: Any) -> None:
    """Take no new connections, and answer those that have begun to ask, as long as they take."""
    listening, every = sockets(made), _map_of(made)
    turn = partial(made.asyncore.loop, use_poll=True, map=every)
    turn(0, count=LAST_TURNS)  # who has connected already is let in
    for one in listening:
        dispatcher.close(one)
    end = monotonic() + PATIENCE_SECONDS
    while _unanswered(listening) and monotonic() < end:
        turn(LOOK_SECONDS, count=1)
    made.task_dispatcher.shutdown()


def _unanswered(listening: list[Any]) -> bool:
    """Whether anybody waits for an answer; who does not is told that there will be none."""
    channels = [one for server in listening for one in server.active_channels.values()]
    for idle in (one for one in channels if not one.begun):
        idle.handle_close()
    return any(one.begun for one in channels)


def close(made: Any) -> None:
    """Give the address back to others, with every connection there is."""
    made.asyncore.close_all(_map_of(made))


def _map_of(made: Any) -> Any:
    """All that a server listens to, by file number."""
    return getattr(made, "map", None) or made._map


def _refusal(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use: stop what listens there, or set SPENDSCOPE_PORT"
    why = error.strerror or str(error)
    return f"SPENDSCOPE_HOST {host}, SPENDSCOPE_PORT {port} cannot be listened on: {why}"


def _room_of(
    server: Flask, stores: Stores, key: str, method: str, path: str, headers: Headers, address: str
) -> int:
    """How large a body may be: of who shows the key that its door asks for, or has signed in."""
    sent = {name.replace("_", "-"): headers[name] for name in headers if name not in ABOUT_BODY}
    origin = {"REMOTE_ADDR": address, GLANCE: True}
    # Under TLS the cookie has a name of its own, by which it is looked for.
    site = "https://_" if THIS_HOST in headers.get("COOKIE", "") else "http://_"
    with server.test_request_context(path, site, method=method, headers=sent, environ_base=origin):
        server.extensions[FORWARDED].take_token(request.environ)
        try:
            return _room(method, path, stores, key)
        except SpendscopeError:
            return SMALL


def _room(method: str, path: str, stores: Stores, key: str) -> int:
    """Raises `SpendscopeError` for a stranger."""
    if method == "POST" and (path == EVENTS or path.startswith(RECEIVING)):
        require_ingest_key(stores.settings, stores.state)
        return LARGEST
    if path.startswith(COMMANDS):
        require_key(key)
        return LARGEST
    person = current_person()
    able = person.scope.manages_platform and person.viewer is None
    uploads = able and (method, path) == ("POST", PATH)
    return LARGEST_UPLOAD if uploads else LARGEST
