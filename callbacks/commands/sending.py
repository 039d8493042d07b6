"""`spendscope send`: what coding agents logged on this machine, to a server, once or regularly.

Only usage leaves the machine: the fields of the canonical event, which hold no prompt, no answer
and no content of a file. Prices are the server's. Events go in batches, each noted as sent once
the server has said that it is durable (`data/ingest/sent.py`): killed anywhere, a sender loses
nothing, and what it sends again is known there by its id. What a server rejects is said, and not
sent again.
A server that is busy (429, 503) or away is waited for; one that refuses ends the command, also
while there is nothing new: an empty body asks first whether the key is good.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from http.client import HTTPException
from itertools import islice
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import orjson

from data.errors import EventError, Refused, StoreError
from data.ingest.sent import Sent, Usage, stamp
from data.settings import Settings
from data.sources import Options, formats
from data.sources.events import event_of
from data.sources.files import File
from data.sources.format import Format, Note
from data.sources.places import files_of, recognised

BATCH: Final = 1_000
ROUTE: Final = "/api/v1/events"
TIMEOUT: Final = 120.0
FIRST_PAUSE: Final = 2.0
LONGEST_PAUSE: Final = 300.0
PATIENCE: Final = 600.0  # of one pass; the next one goes on
BUSY: Final = (429, 502, 503, 504)
NOTHING: Final = gzip.compress(b"", mtime=0)
DURATION: Final = re.compile(r"(\d{1,6})([smh])")
SECONDS: Final = {"s": 1, "m": 60, "h": 3_600}
SHORTEST: Final = 10


class ServerRefused(Refused):
    """The server does not take what is sent, and would not the next time either."""


def send_usage(arguments: argparse.Namespace, settings: Settings) -> int:
    """Send what is new; with `--every`, go on until somebody ends it."""
    every = _seconds(arguments.every)
    key = arguments.key or settings.ingest_key
    if not key:
        raise Refused("key", "name an ingest key with --key, or in SPENDSCOPE_INGEST_KEY")
    server = Server(_address(arguments.to), key)
    server.check_key()
    options = Options(project=arguments.project)
    with Sent(Path(arguments.state) if arguments.state else _state_file(server.url)) as sent:
        while True:
            failed = _pass(server, sent, options)
            if every is None:
                if failed:
                    raise StoreError(failed)
                return 0
            time.sleep(every)


def _pass(server: Server, sent: Sent, options: Options) -> str:
    """Send what is new and say so; a sentence where the server was away for too long."""
    done, failed = Pass(server, sent, options), ""
    try:
        done.run()
    except StoreError as error:
        failed = str(error)
        print(f"spendscope: {failed}", file=sys.stderr)
    if done.sent or done.refused:
        print(done.summary(), flush=True)
    return failed


@dataclass(slots=True)
class Pass:
    """One look at all that is on this machine."""

    server: Server
    notes: Sent
    options: Options
    sent: int = 0
    by_format: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        """Raises `StoreError` where the server is away, `ServerRefused` where it turns us away."""
        for form in formats().values():
            for file in files_of(form):
                with suppress(FileNotFoundError):  # gone since it was listed
                    if file.path and self._is_due(form, file, file.path):
                        self._send(form, file, file.path)

    def _is_due(self, form: Format, file: File, path: Path) -> bool:
        return not self.notes.is_done(path) and recognised(form, file)

    def _send(self, form: Format, file: File, path: Path) -> None:
        stamped, began = stamp(path), time.time()
        events = usage(form, file, self.options)
        while batch := list(islice(events, BATCH)):
            if new := self.notes.new(batch):
                report = self.server.post(new)
                self.notes.keep(new)
                self.sent += len(new)
                self.by_format[form.label] += len(new)
                self.refused.update(one["reason"] for one in report["rejections"])
        self.notes.finish(path, stamped, began)

    def summary(self) -> str:
        """What became of it, for a person or a service's log."""
        what = ", ".join(f"{label} {many:,}" for label, many in self.by_format.items())
        lines = [f"Sent {self.sent:,} events to {self.server.url}: {what}"]
        lines += [f"  {many:,} × rejected there: {why}" for why, many in self.refused.items()]
        return "\n".join(lines)


def usage(form: Format, file: File, options: Options) -> Iterator[Usage]:
    """The events of a file as they are sent: what is told, without a price of our own."""
    for _, raw in form.read(file, options):
        if isinstance(raw, EventError | Note):
            continue
        try:
            event = event_of(raw)
        except EventError:
            continue
        fields = {name: value for name, value in event.items() if value is not None}
        if event["cost_origin"] != "reported" and not raw.get("cost_origin"):
            del fields["cost_origin"]
            fields.pop("cost_nano", None)
        yield fields


class _NoRedirect(HTTPRedirectHandler):
    """A key goes to the server it is for, and nowhere that this one points to."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Server:
    """The receiving end; `post` waits as long as it is busy or away."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self._key = url, key
        self._open = build_opener(_NoRedirect).open

    def check_key(self) -> None:
        """Raises `ServerRefused` where the key opens nothing; none of the usage is sent. Who is
        away is waited for once there is something to send."""
        self._ask(NOTHING)

    def post(self, events: Iterable[Usage]) -> dict[str, Any]:
        """The report on these events, which are durable then."""
        body = gzip.compress(b"\n".join(map(orjson.dumps, events)), mtime=0)
        until, pause = time.monotonic() + PATIENCE, FIRST_PAUSE
        while True:
            answer = self._ask(body)
            if isinstance(answer, dict):
                return answer
            if time.monotonic() + max(answer.wait, pause) > until:
                raise StoreError(f"{self.url} {answer.why}: the rest is sent the next time")
            time.sleep(max(answer.wait, pause))
            pause = min(pause * 2, LONGEST_PAUSE)

    def _ask(self, body: bytes) -> dict[str, Any] | _Away:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Encoding": "gzip",
                   "Content-Type": "application/x-ndjson"}  # fmt: skip
        try:
            with self._open(Request(self.url + ROUTE, body, headers), timeout=TIMEOUT) as answer:  # noqa: S310
                return _report(answer.read())
        except HTTPError as error:
            if error.code in BUSY:
                return _Away(f"is busy ({error.code})", _wait(error.headers.get("Retry-After")))
            error_body = _refusal_of(error)
            if body == NOTHING and error_body.get("parameter") == "body":
                return {}  # the key was good: only then is the body looked at
            raise ServerRefused("to", self._refusal(error, error_body)) from None
        except (URLError, HTTPException, OSError) as error:
            return _Away(f"does not answer ({getattr(error, 'reason', error)})")

    def _refusal(self, error: HTTPError, error_body: Mapping[str, Any]) -> str:
        if 300 <= error.code < 400:
            return f"{self.url} answers from {error.headers.get('Location')}: name that with --to"
        unknown = "this is no Spendscope" if error.code == 404 else "no reason is given"
        return f"{self.url} refused ({error.code}): {error_body.get('message', unknown)}"


@dataclass(frozen=True, slots=True)
class _Away:
    """Why a server took nothing for now, and how long it wants to be left alone."""

    why: str
    wait: float = 0.0


def _refusal_of(error: HTTPError) -> Mapping[str, Any]:
    """What a refusal of a Spendscope says, nothing of one by somebody else."""
    try:
        error_body = orjson.loads(error.read(100_000))["error"]
    except (ValueError, KeyError, TypeError, OSError, HTTPException):
        return {}
    return error_body if isinstance(error_body, dict) else {}


def _report(content: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(content)
        if isinstance(found, dict) and "rejections" in found:
            return found
    except ValueError:
        pass
    raise ServerRefused("to", "what answers there is no Spendscope")


def _wait(header: str | None) -> float:
    return min(float(header), LONGEST_PAUSE) if header and header.strip().isdigit() else 0.0


def _address(url: str) -> str:
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refused("to", f"--to takes the server's address, https://…; {url[:60]!r} is none")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        print("spendscope: http:// shows the key to the network; use https://", file=sys.stderr)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _seconds(text: str | None) -> int | None:
    if text is None:
        return None
    found = DURATION.fullmatch(text.strip())
    seconds = int(found[1]) * SECONDS[found[2]] if found else 0
    if seconds < SHORTEST:
        raise Refused("every", "--every takes 90s, 5m or 1h, at least 10s")
    return seconds


def _state_file(url: str) -> Path:
    """A file of its own for each server."""
    root = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(root) / "spendscope" / f"sent-{sha256(url.encode()).hexdigest()[:12]}.sqlite"
