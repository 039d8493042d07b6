"""The application behind its own socket, on a thread of the tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from callbacks.receive.http_server import make_server
from tests.serving import Served


@pytest.fixture
def listening(served: Served) -> Iterator[Any]:
    """The waitress server of the application that is served, while it runs."""
    with listens(served) as made:
        yield made


@contextmanager
def listens(served: Served, port: int = 0) -> Iterator[Any]:
    """The same for any application, at a port that is free."""
    made = make_server(served.app.server, host="127.0.0.1", port=port, threads=4)
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    with suppress(OSError):  # already closed: the loop was awake, and read what to do at once
        made.trigger.pull_trigger(lambda: made.asyncore.close_all(made._map))
    thread.join(20)
    assert not thread.is_alive()
    made.task_dispatcher.shutdown()


@pytest.fixture
def port(listening: Any) -> int:
    """Where it listens."""
    return int(listening.effective_port)
