"""Ports for the servers of tests."""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress
from typing import Final

# Below those that connections are given: one of them may be anybody's by the time that the server
# it is meant for listens, and a busy test run has hundreds of connections at any moment.
FIRST: Final = 10_000
MANY: Final = 20_000


def free_port() -> int:
    """A port of this machine that nobody listens on, and that nobody is given by chance."""
    while True:
        port = FIRST + secrets.randbelow(MANY)
        with suppress(OSError), socket.socket() as tried:
            tried.bind(("127.0.0.1", port))
            return port
