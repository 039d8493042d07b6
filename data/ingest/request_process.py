"""Reading in a process of its own, so that who looks at the dashboard and who sends to it do not
wait for each other: Python computes on one core a process.

`python -m data.ingest.request_process STATE_URL FD…` is that process: it answers on each of
these sockets, one request after the other, and ends when they are closed: with the server,
however that ends.
Requests and what was read of them travel pickled, between the two alone.
"""

from __future__ import annotations

import gc
import os
import socket
import struct
import subprocess
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

from data.errors import SpendscopeError, StoreError
from data.ingest.keys import Key
from data.ingest.requests import LocalRequestParser, ParsedRequest
from data.prices.own import PriceBookStore
from data.state.store import State

ROOT: Final = Path(__file__).resolve().parents[2]
LINES: Final = 4  # requests that are read at once: large ones do not hold up all small ones
PATIENCE: Final = 6.0  # seconds until one is read at all
LONGEST: Final = 60  # seconds of reading; the largest body takes some
TRIES: Final = 2
ENDED: Final = "what reads requests ended: send this one again"
BUSY: Final = "other requests are being read: send this one again"
# Objects made before cycles are looked for among them: more than most requests make.
YOUNG: Final = 20_000
STATE_URL: Final = "STATE_URL"


class ParserProcess:
    """A `Reader` in another process, started with this and again where it ended. Any thread may
    ask; `close` ends it."""

    def __init__(self, state_url: str) -> None:
        self._state_url = state_url
        self._lock = threading.Lock()
        self._closed = False
        self._child = _Child(state_url)

    @property
    def pid(self) -> int:
        """The process that reads."""
        return self._child.process.pid

    def otlp(self, signal: str, content: bytes, json: bool, most: int, key: Key) -> ParsedRequest:
        """See `RequestParser.otlp`; raises `StoreError` besides: busy, or ended twice."""
        return self._ask("otlp", signal, content, json, most, key)

    def events(self, form: str, content: bytes, most: int, key: Key) -> ParsedRequest:
        """See `RequestParser.events`; raises `StoreError` besides: busy, or ended twice."""
        return self._ask("events", form, content, most, key)

    def close(self) -> None:
        """End the process; who waits for it hears that it ended."""
        with self._lock:
            self._closed = True
            self._child.end()

    def _ask(self, *call: Any) -> ParsedRequest:
        for _ in range(TRIES):  # nothing is stored by reading, so it can be asked again
            child = self._living()
            try:
                good, found = child.ask(call)
            except BlockingIOError:  # the time is over
                self._replace(child)
                break
            except (OSError, EOFError):
                self._replace(child)
                continue
            if not good:
                raise found
            read: ParsedRequest = found
            return read
        raise StoreError(ENDED)

    def _living(self) -> _Child:
        with self._lock:
            if self._closed:
                raise StoreError(ENDED)
            return self._child

    def _replace(self, child: _Child) -> None:
        """Another process, unless somebody has seen to that."""
        with self._lock:
            if child is self._child and not self._closed:
                child.end()
                self._child = _Child(self._state_url)


class _Child:
    """One process that reads, and the free lines to it."""

    def __init__(self, state_url: str) -> None:
        pairs = [socket.socketpair() for _ in range(LINES)]
        theirs = [other.fileno() for _, other in pairs]
        # -P: nothing is imported from where the server happens to be started.
        command = [sys.executable, "-P", "-m", __name__, *map(str, theirs)]
        self.process = subprocess.Popen(  # noqa: S603
            command, env=_environment(state_url), pass_fds=theirs, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        self._lines: SimpleQueue[Connection | None] = SimpleQueue()
        for ours, other in pairs:
            other.close()
            self._lines.put(_line(ours))

    def ask(self, call: tuple[Any, ...]) -> tuple[bool, Any]:
        """Whether it could be read, and the reading or the error. `OSError` and `EOFError` where
        the process ended, `BlockingIOError` where it takes too long."""
        try:
            line = self._lines.get(timeout=PATIENCE)
        except Empty:
            raise StoreError(BUSY) from None
        if line is None:
            self._lines.put(None)
            raise EOFError
        try:
            line.send(call)
            answer: tuple[bool, Any] = line.recv()
        except BaseException:
            line.close()  # in the middle of something
            raise
        self._lines.put(line)
        return answer

    def end(self) -> None:
        """It has nothing to lose. Who waits for a line to it hears that there is none."""
        self.process.kill()
        self.process.wait()
        self._lines.put(None)


def _environment(state_url: str) -> dict[str, str]:
    """Where our modules and the state store are: its URL may hold a password, which any user of the
    machine sees in a command. Our settings, among them secrets, stay with the server."""
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith("SPENDSCOPE_")
    }
    path = [str(ROOT), *filter(None, [environ.get("PYTHONPATH")])]
    return environ | {"PYTHONPATH": os.pathsep.join(path), STATE_URL: state_url}


def _line(ours: socket.socket) -> Connection:
    """The socket as a line of objects that waits no longer than `LONGEST`."""
    limit = struct.pack("ll", LONGEST, 0)
    for side in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
        ours.setsockopt(socket.SOL_SOCKET, side, limit)
    return Connection(ours.detach())


def _serve(*lines: str) -> None:
    reader = LocalRequestParser(PriceBookStore(State(os.environ.pop(STATE_URL))))
    gc.freeze()
    gc.set_threshold(YOUNG)
    for fd in lines:
        threading.Thread(target=_attend, args=(reader, Connection(int(fd)))).start()


def _attend(reader: LocalRequestParser, line: Connection) -> None:
    """Answer until the server is gone, and end with it."""
    try:
        while True:
            # Nothing of a request outlives its answer.
            line.send(_answer(reader, *line.recv()))
    except (OSError, EOFError):
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _answer(reader: LocalRequestParser, method: str, *call: Any) -> tuple[bool, Any]:
    try:
        return True, getattr(reader, method)(*call)
    except SpendscopeError as error:
        return False, error
    except Exception as error:  # a bug, told with where it is: tracebacks do not travel
        return False, RuntimeError("".join(traceback.format_exception(error)))


if __name__ == "__main__":
    _serve(*sys.argv[1:])
