"""Objects among the lines that a program prints: as JSON, or as Node.js shows its objects.

A console exporter writes where everything else of its program is written. An object begins with a
line `{` and ends with a line `}`, or is a line of its own; other lines are left out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any, Final

import orjson

from data.errors import EventError
from data.sources.files import File
from data.sources.format import Entry

MOST_LINES: Final = 100_000  # of an object
JOINED: Final = "\0"  # between texts that are one; no text has it as it is
NO_OBJECT: Final = "the object is no JSON and not as Node.js prints one"
CUT_OFF: Final = "the object is cut off here"
TOKEN: Final = re.compile(
    r"""(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`)"""
    r"|(?P<key>[A-Za-z_$][\w$]*)(?=\s*:)"
    r"|(?P<nothing>undefined|NaN|-?Infinity|\[(?:Object|Array|Getter|Circular|Function)[^\]]*\]"
    r"|\.\.\. \d+ more \w+)"
    r"""|(?P<join>(?<=['"`])\s*\+\s*(?=['"`]))""",
    re.DOTALL,
)


def objects(file: File) -> Iterator[Entry]:
    """The objects of a text, each with the line that it begins on."""
    line = 1
    try:
        for line, text in _texts(file):
            yield f"{file.name}:{line}", _object(text)
    except EventError as error:
        yield f"{file.name}:{line}", error


def _texts(file: File) -> Iterator[tuple[int, str]]:
    begun, lines = 0, list[str]()
    for number, line in enumerate(file.lines(), start=1):
        whole = line.rstrip()
        if not begun and whole == "{":
            begun, lines = number, []
        elif not begun:
            if whole.startswith("{") and whole.endswith("}"):
                yield number, whole
            continue
        lines.append(line)
        if whole == "}" or len(lines) > MOST_LINES:
            yield begun, "".join(lines)
            begun = 0
    if begun:
        raise EventError(CUT_OFF)


def _object(text: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        pass
    try:
        return orjson.loads(TOKEN.sub(_as_json, text).replace(f'"{JOINED}"', ""))
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return EventError(NO_OBJECT)


def _as_json(found: re.Match[str]) -> str:
    if (key := found["key"]) is not None:
        return f'"{key}"'
    if found["nothing"] is not None:
        return "null"
    if found["join"] is not None:
        return JOINED
    text = found["text"]
    if text.startswith("`"):
        text = '"' + re.sub(r'(?<!\\)"', r"\"", text[1:-1].replace("\\`", "`")) + '"'
    return orjson.dumps(ast.literal_eval(text.replace("\n", "\\n"))).decode()
