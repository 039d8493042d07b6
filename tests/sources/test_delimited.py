"""Rows come out the same however a program or a spreadsheet wrote them; what is open is refused."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import EventError
from data.sources import File, head_of
from data.sources.delimited import rows
from data.sources.fields import count, decimal
from data.sources.times import instant
from tests.doors import Door

NAMES = ["event_id", "ts", "kind", "user", "model", "input_tokens", "cost"]
CALLS = [
    ["a1", "2026-11-01T10:00:00Z", "llm", "Łucja, the \"first\"", "gpt-4o", "1250", "0.0125"],
    ["a2", "2026-11-01T11:00:00Z", "llm", "0042", "gpt-4o", "7", "1234.5"],
    ["a3", "2026-11-01T12:00:00Z", "llm", "", "gpt-4o", "", "2.25"],
]  # fmt: skip
TABLE = [NAMES, *CALLS]


def written(table: list[list[str]], separator: str = ",", **told: Any) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, **told).writerows(table)
    return text.getvalue()


def wrapped(text: str) -> str:
    """Every row as one quoted cell."""
    return "".join('"' + line.replace('"', '""') + '"\r\n' for line in text.splitlines())


def excel(table: list[list[str]]) -> str:
    return written([table[0], *([f'="{cell}"' for cell in row] for row in table[1:])])


def doubled(text: str) -> str:
    return text.replace('"', '""')


PLAIN = [[*row[:3], row[3].replace('"', ""), *row[4:]] for row in CALLS]
LAYOUTS: dict[str, tuple[bytes, list[list[str]]]] = {
    "comma": (written(TABLE).encode(), CALLS),
    "tab": (written(TABLE, "\t").encode(), CALLS),
    "semicolon": (written(TABLE, ";").encode(), CALLS),
    "pipe": (written(TABLE, "|").encode(), CALLS),
    "told": (b"sep=|\r\n" + written(TABLE, "|").encode(), CALLS),
    "utf-8 with a mark": (codecs.BOM_UTF8 + written(TABLE).encode(), CALLS),
    "utf-16 le": (codecs.BOM_UTF16_LE + written(TABLE, "\t").encode("utf-16-le"), CALLS),
    "utf-16 be": (codecs.BOM_UTF16_BE + written(TABLE, ";").encode("utf-16-be"), CALLS),
    "utf-16 without a mark": (written(TABLE).encode("utf-16-le"), CALLS),
    "packed utf-16": (gzip.compress(written(TABLE).encode("utf-16")), CALLS),
    "all quoted": (written(TABLE, ";", quoting=csv.QUOTE_ALL).encode(), CALLS),
    "rows wrapped": (wrapped(written(TABLE)).encode(), CALLS),
    "rows wrapped, semicolons": (wrapped(written(TABLE, ";")).encode(), CALLS),
    "rows but the header wrapped": (
        (written([NAMES]) + wrapped(written(CALLS))).encode(), CALLS,
    ),
    "excel keeps digits": (excel(TABLE).encode(), CALLS),
    "quotes doubled": (
        doubled(written([NAMES, *PLAIN], quoting=csv.QUOTE_NONNUMERIC)).encode(), PLAIN,
    ),
    "quoted twice": (
        written([[f'"{cell}"' for cell in row] for row in [NAMES, *PLAIN]]).encode(), PLAIN,
    ),
}  # fmt: skip


def read(content: bytes) -> list[Any]:
    return [row for _, row in rows(File("f.csv", body=content))]


@pytest.mark.parametrize("how", LAYOUTS)
def test_rows_are_the_same_however_they_are_written(how: str) -> None:
    content, calls = LAYOUTS[how]
    assert read(content) == [dict(zip(NAMES, row, strict=True)) for row in calls]
    assert head_of(File("f.csv", body=content)).columns == tuple(NAMES)


@pytest.mark.parametrize("how", LAYOUTS)
def test_every_door_reads_them(how: str, door: Door) -> None:
    outcome = door(LAYOUTS[how][0], "f.csv")
    assert (outcome.error, outcome.counts) == ("", (3, 0, 0))
    assert (outcome.report["cost"], outcome.report["tokens"]) == (1236.7625, 1257)
    assert outcome.report["format"] == "canonical"


CELLS = st.text(st.characters(exclude_characters="\r\n\0=", exclude_categories=["Cs", "Nd"]))


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1), st.sampled_from(",\t;|"))
def test_what_is_written_is_read(table: list[list[str]], separator: str) -> None:
    names = ["one", "two", "three"]
    content = written([names, *table], separator, quoting=csv.QUOTE_ALL).encode()
    assert read(content) == [dict(zip(names, row, strict=True)) for row in table]


def test_lines_are_counted_from_the_first() -> None:
    content = b"sep=;\n" + written([["a", "b"], ["1", "2"], ["1"]], ";").encode()
    assert [where for where, _ in rows(File("f.csv", body=content))] == ["f.csv:3", "f.csv:4"]


GERMAN = "tokens;cost\r\n1.000;1,25\r\n12;1.234,5 $\r\n7;0,125\r\n3;2\r\n"


def test_a_decimal_comma_is_understood_where_the_file_is_consistent() -> None:
    assert read(GERMAN.encode()) == [
        {"tokens": "1000", "cost": "1.25"}, {"tokens": "12", "cost": "1234.5 $"},
        {"tokens": "7", "cost": "0.125"}, {"tokens": "3", "cost": "2"},
    ]  # fmt: skip
    quoted = written([["a", "b"], ["1,25", "x, y"], ["3,5", "1"]])
    assert [row["a"] for row in read(quoted.encode())] == ["1.25", "3.5"]
    spaced = "a\tb\r\n1 234,56\t1\r\n"
    assert decimal("a", read(spaced.encode())[0]["a"]) == Decimal("1234.56")


@pytest.mark.parametrize("number", ["1.000.000", "1.234.567.890", "12.000.000 $", "-1.000.000"])
@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_a_number_with_two_points_decides_that_points_are_thousands(
    number: str, separator: str
) -> None:
    head, row = separator.join("abc"), separator.join([number, "1.200", "7"])
    (_, found), *_ = rows(File("a.csv", body=f"{head}\n{row}\n".encode()))
    assert found == {"a": number.replace(".", ""), "b": "1200", "c": "7"}


@pytest.mark.parametrize("other", ["192.168.100.200", "1.2.3"])
def test_an_address_or_a_version_decides_nothing(other: str) -> None:
    (_, found), *_ = rows(File("a.csv", body=f"a;b\n{other};1.200\n".encode()))
    assert isinstance(found, EventError)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a;b\n1,5;1\n2.5;1\n", "'a' mixes decimal commas and points (1,5, 2.5)"),
        ("a;b\n1.234;1\n", "'a' has 1.234, which may be a thousand times as much or not"),
        ("a;b;c\n1,5;0.5;1.234\n", "'c' has 1.234, which may be"),
        ('a,b\n"1,5","1,234"\n', "'b' has 1,234, which may be"),
    ],
)
def test_what_could_be_read_either_way_is_refused(text: str, sentence: str) -> None:
    [error] = read(text.encode())
    assert isinstance(error, EventError)
    assert sentence in str(error)


def test_a_point_where_commas_are_the_marks_rejects_its_row_alone() -> None:
    late = GERMAN + "1;2,5\r\n" * 3_000 + "1;2.5\r\n1;2,5\r\n"
    found = read(late.encode())
    [error] = [each for each in found if isinstance(each, EventError)]
    assert str(error) == "cost is '2.5': this file has decimal commas"
    assert len(found) == 3_006


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1.5,\"1,2\"\n", "a;b\nx;0.5\n", "a\tb\n1,234\t1\n", "a|b\n1,234.5|1\n",
        "a,b\n1.5e-05,192.168.100.200\n", "a,b\n1.234,1\n",
    ],
)  # fmt: skip
def test_where_a_point_is_the_mark_no_cell_is_changed(text: str) -> None:
    separator = text[1]
    told = list(csv.reader(io.StringIO(text), delimiter=separator))
    assert [list(row.values()) for row in read(text.encode())] == told[1:]


@pytest.mark.parametrize(
    ("spelled", "value"),
    [
        ("1,234", "1234"), ("$1,234.50", "1234.50"), ("-$5", "-5"), ("$ -5.5", "-5.5"),
        ("1'234.5", "1234.5"), ("1 234", "1234"), ("1 234 567.5", "1234567.5"),
        ("12 USD", "12"), ("US$0.5", "0.5"), ("1,234,567", "1234567"),
    ],
)  # fmt: skip
def test_thousands_and_dollar_signs_are_no_part_of_a_number(spelled: str, value: str) -> None:
    assert decimal("cost", spelled) == Decimal(value)


@pytest.mark.parametrize(
    ("spelled", "sentence"),
    [
        ("€5", "cost is in €, not in US dollars"),
        ("5.00 EUR", "cost is in EUR, not in US dollars"),
        ("1,25", "cost is not a number"), ("1,2345", "cost is not a number"),
        ("12,34,567", "cost is not a number"), ("1.2.3", "cost is not a number"),
        ("five", "cost is not a number"), ("$", "cost is not a number"),
    ],
)  # fmt: skip
def test_what_is_no_number_of_dollars_says_why(spelled: str, sentence: str) -> None:
    with pytest.raises(EventError, match=sentence.replace("$", r"\$")):
        decimal("cost", spelled)


def test_a_count_may_have_thousands_and_a_date_dots() -> None:
    assert count("tokens", "1,000") == 1000
    assert instant("ts", "03.08.2026").isoformat() == "2026-08-03T00:00:00+00:00"
    assert instant("ts", "3.8.2026 10:30").isoformat() == "2026-08-03T10:30:00+00:00"


def test_json_in_utf_16_is_read_too(door: Door) -> None:
    line = '{"event_id": "a", "ts": "2026-11-01T10:00:00Z", "kind": "llm", "cost": "$1,000.50"}'
    outcome = door(f"{line}\n{line}x\n".encode("utf-16"), "f.jsonl")
    assert outcome.counts == (1, 0, 1)
    assert outcome.report["cost"] == 1000.5


def test_half_a_character_at_the_end_of_utf_16_harms_no_row() -> None:
    content = written(TABLE).encode("utf-16")
    assert len(read(content + b"\x3d")) == 3
    broken = content + "\ud800,,,,,,".encode("utf-16-le", "surrogatepass")
    assert str(read(broken)[-1]) == "the text is not UTF-8"
