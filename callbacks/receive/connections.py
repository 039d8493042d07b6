"""Connections: how many there are, how long one may keep us waiting, how much it may send unasked.

A connection *waits* until the first request on it, and then while one has begun and is not all
there. Who waits for `SECONDS` is closed. Of an address `MOST_OF_ADDRESS` may wait; one more, and
the one that has waited longest is closed for it. So it is with all connections together, those that
are kept for further requests included. Nobody who sends what they have to say is closed for
others who do not.

Waitress keeps what arrives (on disk beyond 512 KB) before our code runs, so a stranger's request
has a small body, which stays in memory. Who begins to send more is looked at first, on a thread
of the server, and read no further until it is known how much they may send.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from copy import copy
from functools import partial
from typing import Any, Final

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer

from callbacks.access.throttle import network_of

SECONDS: Final = 20
MOST_OF_ADDRESS: Final = 50
MOST: Final = 1_000
FILES: Final = 4_096
FILES_OF_OTHERS: Final = 256  # of the stores, of uploads, and the sockets that listen
SMALL: Final = 64 * 1024
EVERY_SECONDS: Final = 2
Headers = Mapping[str, str]
# How large a body may be, of this method, path and these headers, from this address.
Room = Callable[[str, str, Headers, str], int]


def limit(made: Any, room: Room) -> None:
    """Have a waitress server, as `create_server` made it, keep to these limits."""
    for server in sockets(made):
        server.channel_class = partial(Channel, room)
        server.maintenance = partial(close_overdue, server)


def sockets(made: Any) -> list[Any]:
    """What listens of a server: a socket an address."""
    every = getattr(made, "map", None) or {0: made}
    return [one for one in every.values() if isinstance(one, BaseWSGIServer)]


def most_connections() -> int:
    """As many as are served at once: as the files allow that this process may have open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if 0 <= soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return MOST if soft < 0 else max(64, min(MOST, soft - FILES_OF_OTHERS))


def close_overdue(server: Any, now: float) -> None:
    """Close the connections that have waited for too long, or were left for longer."""
    for channel in list(server.active_channels.values()):
        quiet = now - channel.last_activity > server.adj.channel_timeout
        if now - channel.since > SECONDS if channel.waits else quiet and not channel.busy:
            channel.will_close = True


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection, closing others as it opens where there would be too many."""

    requests: list[Any]
    request: Any
    server: Any
    total_outbufs_len: int
    parser_class = None

    def __init__(
        self, room: Room, server: Any, sock: Any, addr: Any, adj: Any, map: Any = None  # noqa: A002
    ) -> None:  # fmt: skip
        self._room, self.asking, self.served, self.since = room, False, False, time.time()
        self.parser_class = Parser
        self.network = network_of(str(addr[0]))
        make_room(server, self.network)
        super().__init__(server, sock, addr, adj, map=map)

    @property
    def busy(self) -> bool:
        """Whether a request is answered, or it is found out who sends one."""
        return bool(self.requests) or self.asking

    @property
    def begun(self) -> bool:
        """Whether a request has begun to come, and its answer is not all gone."""
        return self.busy or self.request is not None or self.total_outbufs_len > 0

    @property
    def waits(self) -> bool:
        """Whether we wait for what its sender, who has not shown who they are, has to say."""
        if self.busy:
            return False
        return not self.served if self.request is None else not self.request.known

    def readable(self) -> bool:
        return not self.asking and bool(super().readable())

    def received(self, data: bytes) -> bool:
        idle = self.request is None
        took = bool(super().received(data))
        if idle and self.request is not None:
            self.since = time.time()
        self.served = self.served or bool(self.requests)
        if self.request is not None and self.request.large and not self.asking:
            self.asking = True
            self.server.add_task(Question(self, self.request))
        return took

    def ask(self, request: Any) -> None:
        """On a thread of the server: how much it may send. The loop goes on with the answer."""
        room = SMALL
        try:
            room = self._room(request.command, request.path, request.headers, str(self.addr[0]))
        finally:
            with suppress(OSError):  # the server has ended
                self.server.trigger.pull_trigger(partial(self._go_on, request, room))

    def _go_on(self, request: Any, room: int) -> None:
        """In the loop: read on as far as there is room, else have it answered as it is."""
        if not self.connected:
            return
        early = request.allow(room)
        with self.requests_lock:
            self.asking = False
            if request.completed:
                self.requests.append(request)
                self.request, self.served = None, True
                if len(self.requests) == 1:
                    self.server.add_task(self)
        if early and not request.completed:
            self.received(early)
        elif request.expect_continue and not self.requests:
            self.send_continue()


class Question:
    """A task of the server: who sends this?"""

    def __init__(self, channel: Channel, request: Any) -> None:
        self._channel, self._request = channel, request

    def service(self) -> None:
        self._channel.ask(self._request)

    def cancel(self) -> None:
        self._channel.cancel()


class Parser(HTTPRequestParser):  # type: ignore[misc]
    """What reads a request. One with a body that is `large`, or of unknown length, is read no
    further until `allow` says how much there is room for."""

    adj: Any
    expect_continue: bool
    large = known = False

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.content_length >= self.adj.max_request_body_size:
            self._skip_body()
        self.large = self.chunked or self.content_length > SMALL
        self._expected, self._early = bool(self.expect_continue), b""
        self.expect_continue = self._expected and not self.large

    def received(self, data: bytes) -> int:
        if self.large and not self.completed:
            self._early += data
            return len(data)
        return int(super().received(data))

    def allow(self, room: int) -> bytes:
        """Read on up to so many bytes; returns what came while nobody knew."""
        early, self.large, self.known = self._early, False, room > SMALL
        self.adj, self._early = with_room(self.adj, room), b""
        if self.content_length > room:
            self._skip_body()
            self.completed = True
        else:
            self.expect_continue = self._expected
        return early

    def _skip_body(self) -> None:
        self.body_rcv = None
        self.content_length = 0  # the application goes by the header
        self.expect_continue = False
        self.connection_close = True


def with_room(given: Any, room: int) -> Any:
    """The same settings of the socket with room for such a body."""
    made = copy(given)
    made.max_request_body_size = room + 1
    return made


def make_room(server: Any, where: str) -> None:
    """Close who has waited longest, of those from there or of all, where there are as many as may
    be."""
    every = [one for one in server.active_channels.values() if not one.will_close]
    waiting = [one for one in every if one.network == where and one.waits]
    if len(waiting) >= MOST_OF_ADDRESS:
        _close_oldest(waiting)
    elif len(every) >= server.adj.connection_limit - FILES_OF_OTHERS:
        _close_oldest([one for one in every if one.waits] or [one for one in every if not one.busy])


def _close_oldest(channels: Iterable[Any]) -> None:
    by_age = sorted(channels, key=lambda one: one.since if one.waits else one.last_activity)
    for oldest in by_age[:1]:
        oldest.handle_close()
