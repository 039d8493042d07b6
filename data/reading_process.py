"""Reading in a process of its own, so that who looks at the dashboard and who sends to it do not
wait for each other: Python computes on one core a process.

`python -m data.reading_process` is that process. It reads from its standard input where the state
store is and a secret, answers with its address, and ends when that input does: with the server,
however that ends. Requests and what was read of them travel pickled, between the two alone.
"""

from __future__ import annotations

import gc
import json
import os
import secrets
import subprocess
import sys
import threading
from contextlib import suppress
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import Any, Final

from data.errors import StoreError
from data.ingest_keys import Key
from data.price_list import Books
from data.reading import Reader, Reading
from data.state import State

ROOT: Final = Path(__file__).resolve().parent.parent
ENDED: Final = "what reads requests ended: send this one again"
TRIES: Final = 2
BROKEN: Final = (EOFError, ConnectionError, FileNotFoundError)
# Objects made before cycles are looked for among them: more than most requests make.
YOUNG: Final = 20_000


class _Desk(BaseManager):
    """Where the reader of the other process is asked for."""


_Desk.register("reader")


class ReaderProcess:
    """A `Reader` in another process, started with this and again where it ended. Any thread may
    ask; `close` ends it."""

    def __init__(self, state_url: str) -> None:
        self._state_url = state_url
        self._lock = threading.Lock()
        self._proxy: Any = None
        self._closed = False
        self._process = self._started()

    @property
    def pid(self) -> int:
        """The process that reads."""
        return self._process.pid

    def otlp(self, signal: str, content: bytes, json: bool, most: int, key: Key) -> Reading:
        """See `Reads.otlp`; raises `StoreError` besides, where reading ended twice."""
        return self._ask("otlp", signal, content, json, most, key)

    def events(self, form: str, content: bytes, most: int, key: Key) -> Reading:
        """See `Reads.events`; raises `StoreError` besides, where reading ended twice."""
        return self._ask("events", form, content, most, key)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._closed = True
            self._end()

    def _ask(self, method: str, *asked: Any) -> Reading:
        proxy = None
        for _ in range(TRIES):  # nothing is stored by reading, so it can be asked again
            with suppress(*BROKEN):
                proxy = self._desk(proxy)
                found: Reading = getattr(proxy, method)(*asked)
                return found
        raise StoreError(ENDED)

    def _desk(self, broken: Any) -> Any:
        """The reader to ask, another than the `broken` one."""
        with self._lock:
            if self._closed:
                raise StoreError(ENDED)
            if self._process.poll() is not None or (broken and broken is self._proxy):
                self._end()
                self._process, self._proxy = self._started(), None
            if self._proxy is None:
                self._proxy = self._connected()
            return self._proxy

    def _started(self) -> subprocess.Popen[str]:
        self._secret = secrets.token_bytes(32)
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        process = subprocess.Popen(
            [sys.executable, "-m", "data.reading_process"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": path}, start_new_session=True,
        )  # fmt: skip
        told = {"state": self._state_url, "secret": self._secret.hex()}
        if process.stdin:
            with suppress(BrokenPipeError):  # ended already: asking will tell
                process.stdin.write(json.dumps(told) + "\n")
                process.stdin.flush()
        return process

    def _connected(self) -> Any:
        said = self._process.stdout.readline() if self._process.stdout else ""
        if not said:
            raise EOFError
        desk = _Desk(address=json.loads(said), authkey=self._secret)
        desk.connect()
        return desk.reader()  # type: ignore[attr-defined]

    def _end(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._process.terminate()
        self._process.wait()


def _serve() -> None:
    told = json.loads(sys.stdin.readline())
    reader = Reader(Books(State(told["state"])))
    _Desk.register("reader", callable=lambda: reader, exposed=("otlp", "events"))
    server = _Desk(authkey=bytes.fromhex(told["secret"])).get_server()
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    gc.freeze()
    gc.set_threshold(YOUNG)
    print(json.dumps(server.address), flush=True)
    server.serve_forever()


def _end_with_the_server() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    _serve()
