"""Files of OTLP: recognised by what they hold, taken apart into requests.

Protobuf has no mark at its beginning, so a file is OTLP if its first message nests as a request
does (resource, its attributes, a name) and, read as one of the three signals, has what only that
one has: ids of 16 and 8 bytes, names of metrics with data, times of log records.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from data.errors import EventError
from data.sources.entries import LINE_TOO_LONG, document_values, json_value
from data.sources.files import LONGEST_LINE, File
from data.sources.format import Head
from data.sources.otlp import json as otlp_json
from data.sources.otlp.items import Found
from data.sources.otlp.protobuf import numbered, parsed
from data.sources.packing import Unpacked

LARGEST: Final = 256 * 1024 * 1024
PART: Final = 50_000  # items of a large request that are in memory at once
TOO_LARGE: Final = f"the file is one request of more than {LARGEST // 1024 // 1024} MB"
NESTED: Final = (b"\x0a", b"\x0a", b"\x0a", b"\x0a")  # group, resource, attribute, its key
SCOPED: Final = b"\x12"  # a group whose resource is empty begins with a scope
KEYS: Final = re.compile(r'\s*\[?\s*\{\s*"resource_?(?:spans|logs|metrics)"', re.IGNORECASE)
MARK: Final = b"\xef\xbb\xbf"
PLAIN: Final = re.compile(rb"[\x20-\x7e]{1,200}")
Requests = Iterator[tuple[str, "list[Found] | EventError"]]  # ("file:line", its items)


def recognises(head: Head) -> bool:
    """Whether a file begins like an OTLP request in JSON or in Protobuf."""
    if KEYS.match(head.text) or otlp_json.signals_of(head.first):
        return True
    return nests(head.start)


def nests(start: bytes) -> bool:
    """Whether these bytes nest like the first resource of a request, down to a plain key."""
    at = 0
    for depth, tag in enumerate(NESTED):
        if start[at : at + 1] == SCOPED and depth == 1:
            return True
        if start[at : at + 1] != tag:
            return False
        length, at = _varint(start, at + 1)
        if not length:
            return False
    return PLAIN.fullmatch(start[at : at + length]) is not None


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """A length and where what it measures begins; (0, at) if there is none."""
    value = 0
    for shift in range(0, 35, 7):
        byte = content[at : at + 1]
        if not byte:
            break
        at += 1
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value, at
    return 0, at


def requests(file: File) -> Requests:
    """The requests of a file with their items, each where it stands."""
    try:
        start = file.head()
    except EventError as error:
        return iter([(f"{file.name}:1", error)])
    if nests(start):
        return _one(file)
    start = start.removeprefix(MARK)
    lines = start.split(b"\n", 2)
    one = len(lines) == 1 and not start.lstrip().startswith(b"[")
    by_line = one or any(_is_object(line) for line in lines[:2])
    return _lines(file) if by_line else _documents(file)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _one(file: File) -> Requests:
    """The one request that is the whole file; it is read as far as `LARGEST`."""
    try:
        with file.open() as stream:
            content = _all(stream)
    except EventError as error:
        yield f"{file.name}:1", error
        return
    yield from _protobuf(file.name, content)


def _all(stream: Unpacked) -> bytes:
    content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise EventError(TOO_LARGE)
    return content


def _protobuf(name: str, content: bytes) -> Requests:
    for signal in ("traces", "metrics", "logs"):
        try:
            items = numbered(signal, parsed(signal, content))
        except EventError:
            continue
        first = [*islice(items, PART)]
        if 2 * sum(each.plausible for _, each in first) > len(first):
            yield name, [*first]
            while rest := [*islice(items, PART)]:
                yield name, [*rest]
            return
    yield name, EventError("this is no OTLP request, or a damaged one")


def _documents(file: File) -> Requests:
    """Pretty-printed requests: one, a list, or one after the other; one at a time in memory."""
    for where, value in document_values(file, json_value):
        if isinstance(value, EventError):
            yield where, value
        else:
            yield from _signals(where, value)


def _lines(file: File) -> Requests:
    number = 0
    try:
        with file.open() as stream:
            while line := stream.readline(LONGEST_LINE + 1):
                number += 1
                where = f"{file.name}:{number}"
                if len(line) > LONGEST_LINE:
                    yield where, EventError(LINE_TOO_LONG)
                    _skip(stream, line)
                elif line.strip():
                    yield from _line(where, line)
    except EventError as error:
        yield f"{file.name}:{number + 1}", error


def _skip(stream: Unpacked, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = stream.readline(LONGEST_LINE)


def _line(where: str, line: bytes) -> Requests:
    try:
        value = otlp_json.loaded(line)
    except EventError as error:
        return iter([(where, error)])
    return _request(where, value)


def _request(where: str, value: Any) -> Requests:
    for each in value if isinstance(value, list) else [value]:
        yield from _signals(where, each)


def _signals(where: str, value: Any) -> Requests:
    try:
        signals = otlp_json.signals_of(value)
        if not signals:
            raise EventError("this is no OTLP request: no resourceSpans, -Logs or -Metrics")
        for signal in signals:
            yield where, list(otlp_json.found(signal, value))
    except EventError as error:
        yield where, error
