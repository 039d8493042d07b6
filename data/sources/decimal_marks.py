"""Whether a file writes 1.5 or 1,5: told by what only one of the two can mean, column by column.

comma   1,5 · 0,125 · 1.234,5 · 1.234.567      point   1.5 · 0.125 · 1,234.5 · 1,234,567 · 1.5e-05
either  1.234 · 1,234 · 1.234.567.890 where it may be an address, too

A file of commas between its cells has a point as its mark, unless nothing in it says so and
something says the other. Elsewhere a column goes by what it says itself, one that says nothing by
what all others say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice, zip_longest
from typing import Final

from data.errors import EventError

GROUP: Final = "[ '\u00a0\u202f]"
CURRENCY: Final = r"(?:US\$|[$€£¥]|USD|EUR|GBP|CHF)?"
FIRST_ROWS: Final = 2_000


def _only(mark: str, other: str) -> str:
    """Numbers in which `mark` can only be the decimal mark."""
    grouped = rf"\d{{1,3}}(?:(?:{other}|{GROUP})\d{{3}})+{mark}\d+"
    return rf"{grouped}|\d+{mark}(?:\d{{1,2}}|\d{{4,}})|0{mark}\d+|\d{{4,}}{mark}\d+"


def _cell(number: str) -> re.Pattern[str]:
    return re.compile(rf"\s*[-+]?\s?{CURRENCY}\s?[-+]?(?:{number})\s?{CURRENCY}\s*")


OCTET: Final = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
THOUSANDS: Final = rf"(?!{OCTET}(?:\.{OCTET}){{3}}(?!\d|\.))\d{{1,3}}(?:\.\d{{3}}){{2,}}"
COMMA: Final = _cell(_only(",", r"\.") + f"|{THOUSANDS}")
POINT: Final = _cell(_only(r"\.", ",") + r"|\d{1,3}(?:,\d{3}){2,}|\d+\.\d+[eE][-+]?\d+")
EITHER: Final = _cell(r"[1-9]\d{0,2}(?:,\d{3}|(?:\.\d{3})+)")
NUMBER: Final = _cell(rf"\d{{1,3}}(?:(?:\.|{GROUP})\d{{3}})+(?:,\d+)?|\d+(?:,\d+)?")
GROUPS: Final = re.compile(rf"(?<=\d)(?:\.|{GROUP})(?=\d{{3}})")
# Without it, commas between cells leave none for a number.
COMMA_IN_QUOTES: Final = re.compile(rf'"[\s+\-$€£¥A-Z]*\d(?:[\d.,]|{GROUP})*,\d')
SIGNS: Final = ((COMMA, "comma"), (POINT, "point"), (EITHER, "either"))
Found = dict[str, dict[int, str]]  # a cell of each sign, by the column's place


def decimal_commas(
    names: Sequence[str], separator: str, sample: Iterable[Sequence[str]]
) -> dict[int, str]:
    """The columns, by place, whose cells have a decimal comma; `EventError` where it is open."""
    found = _found(len(names), sample)
    comma, point = found["comma"], found["point"]
    for place in sorted(comma.keys() & point.keys()):
        raise EventError(
            f"{names[place]!r} mixes decimal commas and points ({comma[place]}, {point[place]}):"
            " save the file with one of them"
        )
    if separator == "," and point:
        return {}
    for place in sorted(found["either"].keys() - comma.keys() - point.keys()):
        if not _is_open(separator, bool(comma), bool(point)):
            break
        raise EventError(
            f"{names[place]!r} has {found['either'][place]}, which may be a thousand times as much"
            " or not: save the file without thousands separators"
        )
    columns = comma if point else range(len(names)) if comma else ()
    return {place: names[place] for place in columns}


def _is_open(separator: str, comma: bool, point: bool) -> bool:
    """Whether a column that says nothing could be read either way."""
    if separator == ",":
        return comma
    return comma and point if separator != ";" else comma == point


def _found(width: int, sample: Iterable[Sequence[str]]) -> Found:
    """The first cell of each sign in each column."""
    found: Found = {sign: {} for _, sign in SIGNS}
    columns = zip_longest(*islice(sample, FIRST_ROWS), fillvalue="")
    for place, column in enumerate(islice(columns, width)):
        for cell in dict.fromkeys(column):
            if ("," in cell or "." in cell) and ":" not in cell:  # which no number has
                for pattern, sign in SIGNS:
                    if place not in found[sign] and pattern.fullmatch(cell):
                        found[sign][place] = cell.strip()
    return found


def with_point(cells: list[str], columns: dict[int, str]) -> list[str]:
    """The cells of a row, the numbers in these columns with a decimal point and no thousands."""
    changed = list(cells)
    for place, name in columns.items():
        cell = cells[place]
        if POINT.fullmatch(cell):
            raise EventError(f"{name} is {cell.strip()[:40]!r}: this file has decimal commas")
        if NUMBER.fullmatch(cell):
            changed[place] = GROUPS.sub("", cell).replace(",", ".")
    return changed
