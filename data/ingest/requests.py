"""Requests to the receiving endpoints, parsed into clean and priced events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import Any, Protocol

import orjson

from data.errors import EventError, Refused, TooLarge, excerpt
from data.events.table import Event
from data.ingest.keys import Key, without_user
from data.ingest.preparing import batches
from data.ingest.reconciliation import Reconciliation
from data.prices.book import PriceBook
from data.sources import File, Options, Record, formats
from data.sources.canonical import FORMAT, convert
from data.sources.entries import entries
from data.sources.format import Note, records, watched_records, with_doubts
from data.sources.otlp import requests
from data.sources.otlp.recent import Recent
from data.sources.report import Report


@dataclass(slots=True)
class ParsedRequest:
    """What a request held (`items`), and the events among it; the report tells of the others."""

    items: int
    events: list[Event]
    report: Report


class RequestParser(Protocol):
    """Parses requests: here, or in a process of its own (`request_process.py`)."""

    def otlp(self, signal: str, content: bytes, json: bool, most: int, key: Key) -> ParsedRequest:
        """An export of traces, logs or metrics. `Refused` where it is none, `TooLarge` where it
        has more than `most` items."""

    def events(self, name: str, content: bytes, most: int, key: Key) -> ParsedRequest:
        """The events of a body in a format that may be posted, all or none: `TooLarge` at one more
        than `most`; `Refused` where it is no such body."""


class LocalRequestParser:
    """Parses requests, each under the key it showed, by the book of the moment.

    It remembers spans of the last requests (`Recent`), so one parses all that one server receives.
    Any thread may ask.
    """

    def __init__(self, book: Callable[[], PriceBook]) -> None:
        self._book, self._recent = book, Recent()

    def otlp(self, signal: str, content: bytes, json: bool, most: int, key: Key) -> ParsedRequest:
        """See `RequestParser.otlp`."""
        try:
            items = requests.items(signal, content, json=json, most=most)
        except EventError as error:
            raise Refused("body", str(error)) from None
        found = requests.records(items, Options(), self._recent, key.id)
        return self._parse(len(items), without_user(found) if key.user else found, key)

    def events(self, name: str, content: bytes, most: int, key: Key) -> ParsedRequest:
        """See `RequestParser.events`."""
        posted = islice(_posted_records(name, content), most + 1)
        found = [(at, raw if isinstance(raw, Note) else with_doubts(raw)) for at, raw in posted]
        if len(found) > most:
            raise TooLarge("body", f"a body has at most {most:,} events: send it in parts")
        return self._parse(len(found), found, key)

    def _parse(self, items: int, found: Iterable[Record], key: Key) -> ParsedRequest:
        report, reconciliation = Report(), Reconciliation()
        events: list[Event] = []
        for batch in batches(key.stamp(found), report, reconciliation, self._book):
            events += batch
            reconciliation.add_usage(batch)
        for sentence in reconciliation.notes():
            report.note(sentence)
        return ParsedRequest(items, events, report)


def _posted_records(name: str, content: bytes) -> Iterable[Record]:
    """The records of a body in one of the forms that others post."""
    if name == FORMAT.name:
        numbered = ((f"body:{n}", entry) for n, entry in enumerate(_entries(content), start=1))
        return records(numbered, convert, Options())
    posted = [each.name for each in formats().values() if each.posted]
    if name not in posted:
        raise Refused(
            "format", f"{excerpt(name)} is not received here; use one of {', '.join(posted)}"
        )
    if not content.strip():
        raise Refused("body", "the body is empty")
    return watched_records(formats()[name], File("body", body=content), Options())


def _entries(text: bytes) -> Iterable[Any]:
    """The events of a body: one object, a list of them, or one a line."""
    if not text.strip():
        raise Refused("body", "the body is empty: send an event, a list of events, or one a line")
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError:
        if text.lstrip().startswith(b"["):  # one bad event of a list costs itself, not the list
            return (entry for _, entry in entries(File("body", body=text)))
        return (_line(line) for line in BytesIO(text) if line.strip())
    return whole if isinstance(whole, list) else [whole]


def _line(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return EventError("this line is no JSON")
