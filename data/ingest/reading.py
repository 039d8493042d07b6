"""Requests read into events: parsed, cleaned and priced. Storing them is another matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import Any, Protocol

import orjson

from data.errors import EventError, Refused, TooLarge
from data.events.table import Event
from data.ingest.asides import Asides
from data.ingest.keys import Key
from data.ingest.preparing import batches
from data.prices.book import PriceBook
from data.sources import File, Options, Record, formats
from data.sources.canonical import FORMAT, convert
from data.sources.entries import entries
from data.sources.format import records
from data.sources.otlp import requests
from data.sources.otlp.recent import Recent
from data.sources.report import Report


@dataclass(slots=True)
class Reading:
    """What a request held (`items`), and the events among it; the report tells of the others."""

    items: int
    events: list[Event]
    report: Report


class Reads(Protocol):
    """Who reads requests: a `Reader`, here or in a process of its own (`reading_process.py`)."""

    def otlp(self, signal: str, content: bytes, json: bool, most: int, key: Key) -> Reading:
        """An export of traces, logs or metrics. `Refused` where it is none, `TooLarge` where it
        has more than `most` items."""

    def events(self, form: str, content: bytes, most: int, key: Key) -> Reading:
        """The events of a body in a format that may be posted, all or none: `TooLarge` at one more
        than `most`; `Refused` where it is no such body."""


class Reader:
    """Reads requests, each under the key it showed, by the book of the moment.

    It remembers spans of the last requests (`Recent`), so one reads all that one server receives.
    Any thread may ask.
    """

    def __init__(self, book: Callable[[], PriceBook]) -> None:
        self._book, self._recent = book, Recent()

    def otlp(self, signal: str, content: bytes, json: bool, most: int, key: Key) -> Reading:
        """See `Reads.otlp`."""
        try:
            held = requests.items(signal, content, json=json, most=most)
        except EventError as error:
            raise Refused("body", str(error)) from None
        found = requests.records(held, Options(), self._recent, key.id)
        return self._read(len(held), found, key)

    def events(self, form: str, content: bytes, most: int, key: Key) -> Reading:
        """See `Reads.events`."""
        found = list(islice(_records(form, content), most + 1))
        if len(found) > most:
            raise TooLarge("body", f"a body has at most {most:,} events: send it in parts")
        return self._read(len(found), found, key)

    def _read(self, items: int, found: Iterable[Record], key: Key) -> Reading:
        report, asides = Report(), Asides()
        events: list[Event] = []
        for batch in batches(key.stamp(found), report, asides, self._book):
            events += batch
            asides.meet(batch)
        for sentence in asides.notes():
            report.note(sentence)
        return Reading(items, events, report)


def _records(form: str, content: bytes) -> Iterable[Record]:
    """The records of a body in one of the forms that others post."""
    if form == FORMAT.name:
        told = ((f"body:{n}", entry) for n, entry in enumerate(_entries(content), start=1))
        return records(told, convert, Options())
    posted = [each.name for each in formats().values() if each.posted]
    if form not in posted:
        known = ", ".join(posted)
        raise Refused("format", f"{form[:40]!r} is not received here; use one of {known}")
    if not content.strip():
        raise Refused("body", "the body is empty")
    return formats()[form].read(File("body", body=content), Options())


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
