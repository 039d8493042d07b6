"""The rules of `data.events.cleaning.clean` as SQL, for whole columns at once.

`valid` holds only where `clean` is certain to accept a row and to make of it what the columns
here make of it; it may fail for rows that are in order (text with margins, odd spellings of
numbers). Those are read again and go through `clean` itself, as do the wrong ones, for their
sentence. So nothing here may be more lenient than `clean`; `tests/engines/test_parquet_load.py`
and `test_column_load.py` hold them together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from data.events.cleaning import MICROS
from data.events.table import (
    CALL_COUNTS,
    CALL_TEXTS,
    CHOICES,
    COUNTS,
    EARLIEST,
    LARGEST_COUNT,
    LATEST,
    LONGEST_TEXT,
    ORIGINS,
    PARTS,
    REQUIRED,
    SESSION_ONLY,
    TEXTS,
    TIERS,
    micros,
)
from data.sources.canonical import DEFAULTS

WHOLE: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
                "UINTEGER", "UBIGINT", "UHUGEINT")  # fmt: skip
# What str.strip() takes off, U+3000 being the last, and the character no text may hold.
MARGIN: Final = "".join(f"\\x{{{n:x}}}" for n in range(0x3001) if chr(n).isspace())
SPOILT: Final = f"^[{MARGIN}]|[{MARGIN}]$|\\x00"
ISO: Final = r"\d{4}-\d\d-\d\d[T ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|\+00:00)?"
MOST_DOLLARS: Final = LARGEST_COUNT // 10**9
Column = tuple[str, str]  # the SQL of a value, and of whether it is surely valid

Kinds = Mapping[str, str]


def fields(
    kinds: Kinds, given: Mapping[str, str | None], defaults: Mapping[str, str] = DEFAULTS
) -> str:
    """The SELECT list over raw columns: every field, and whether each is valid.

    `kinds` are the types of the columns that are there; `given` is whose it is where they are
    silent, `defaults` are for all. Later parts use the names of earlier ones.
    """
    columns = {"event_id": text("event_id", kinds), "ts": _ts(kinds)}
    columns |= {name: text(name, kinds, defaults.get(name)) for name in REQUIRED[1:]}
    columns |= {name: text(name, kinds, given.get(name)) for name in TEXTS}
    columns |= {name: _count(name, kinds) for name in COUNTS}
    columns["cost_nano"] = _cost(columns["cost_nano"], kinds)
    columns["tags"] = _tags(kinds)
    values = [f'{value} AS "{name}"' for name, (value, _) in columns.items()]
    valid = " AND ".join(f"coalesce({test}, false)" for _, test in columns.values())
    return f"n, {', '.join(values)}, {valid} AS parts_valid"


def valid_row() -> str:
    """Whether the fields of a row, each valid, are valid together."""
    return " AND ".join(f"coalesce({test}, false)" for test in _row_tests())


def _row_tests() -> Iterator[str]:
    yield "parts_valid"
    for name in ("event_id", "kind", "channel", "source", "status"):
        yield f"{name} IS NOT NULL"
    for name in ("kind", "channel", "status"):
        yield f"{name} IN ({_quoted(CHOICES[name])})"
    for names, kind in ((CALL_COUNTS, "llm"), (CALL_TEXTS, "llm"), (SESSION_ONLY, "session")):
        yield f"(kind = '{kind}' OR coalesce({', '.join(names)}) IS NULL)"
    yield "(request_count IS NULL OR request_count > 0)"
    yield f"(cost_origin IS NULL OR (cost_origin IN ({_quoted(ORIGINS)})" + (
        " AND (cost_nano IS NULL) = (cost_origin = 'unpriced')))"
    )
    yield "(model IS NOT NULL OR coalesce(cached_input_tokens, cache_write_tokens) IS NULL)"
    yield f"(service_tier IS NULL OR service_tier IN ({_quoted(TIERS)}))"
    yield "(unpriced_reason IS NULL OR cost_nano IS NULL)"
    for whole, parts in PARTS.items():
        together = " + ".join(f"coalesce({part}, 0)" for part in parts)
        yield f"({whole} IS NULL OR {together} <= {whole})"


def text(name: str, kinds: Kinds, silent: str | None = None) -> Column:
    """A text, with what stands for it where it is null or blank."""
    instead = "NULL::VARCHAR" if silent is None else quoted(silent)
    if name not in kinds:
        return instead, "true"
    column = f'raw."{name}"'
    if kinds[name] != "VARCHAR":
        return instead, f"{column} IS NULL"
    value = f"nullif({column}, '')"
    valid = f"({column} IS NULL OR (strlen({column}) <= {LONGEST_TEXT}"
    valid += f" AND NOT regexp_matches({column}, {quoted(SPOILT)})))"
    return (value if silent is None else f"coalesce({value}, {instead})"), valid


def _ts(kinds: Kinds) -> Column:
    kind = kinds.get("ts", "")
    value = "NULL::BIGINT"
    if kind in WHOLE:
        value = "TRY_CAST(raw.ts AS BIGINT)"
    elif kind == "VARCHAR":
        parsed = "epoch_us(TRY_CAST(raw.ts AS TIMESTAMP))"
        digits = f"WHEN regexp_full_match(raw.ts, '{MICROS.pattern}') THEN CAST(raw.ts AS BIGINT)"
        value = f"CASE WHEN regexp_full_match(raw.ts, {quoted(ISO)}) THEN {parsed} {digits} END"
    return value, f"{value} >= {micros(EARLIEST)} AND {value} < {micros(LATEST)}"


def _count(name: str, kinds: Kinds) -> Column:
    if name not in kinds:
        return "NULL::BIGINT", "true"
    column, kind = f'raw."{name}"', kinds[name]
    within = f"{column} >= 0 AND {column} <= {LARGEST_COUNT}"
    if kind in WHOLE:
        return f"TRY_CAST({column} AS BIGINT)", f"({column} IS NULL OR ({within}))"
    if kind == "DOUBLE" or kind.startswith("DECIMAL"):
        whole = f"{within} AND {column} = trunc({column})"
        return f"TRY_CAST({column} AS BIGINT)", f"({column} IS NULL OR ({whole}))"
    if kind == "VARCHAR":
        plain = f"({column} IS NULL OR regexp_full_match({column}, '[0-9]{{0,15}}'))"
        return f"TRY_CAST(nullif({column}, '') AS BIGINT)", plain
    return "NULL::BIGINT", f"{column} IS NULL"


def _cost(nano: Column, kinds: Kinds) -> Column:
    """Nano-dollars given, or of `cost` in dollars; halves of one are left to Python."""
    if "cost" not in kinds:
        return nano
    column, kind = "raw.cost", kinds["cost"]
    if kind not in (*WHOLE, "DOUBLE", "VARCHAR") and not kind.startswith("DECIMAL"):
        return nano[0], f"{nano[1]} AND raw.cost IS NULL"
    dollars = "[0-9]{1,7}(?:[.][0-9]{1,18})?"
    plain = f"regexp_full_match({column}, '{dollars}')" if kind == "VARCHAR" else f"{column} >= 0"
    exact = f"TRY_CAST(CAST({column} AS VARCHAR) AS DECIMAL(26, 18))"
    near = f"CAST({exact} AS DECIMAL(17, 9))"
    value = f"CASE WHEN {plain} AND {exact} <= {MOST_DOLLARS} THEN"
    value += f" CAST(replace(CAST({near} AS VARCHAR), '.', '') AS BIGINT) END"
    unclear = f"abs(abs({near} - {exact}) - 0.0000000005) < 0.000000000000000003"
    silent = f"({column} IS NULL OR CAST({column} AS VARCHAR) = '')"
    valid = f"({silent} OR ({nano[0]} IS NULL AND {plain} AND {exact} <= {MOST_DOLLARS}"
    return f"coalesce({nano[0]}, {value})", f"{nano[1]} AND {valid} AND NOT ({unclear})))"


def _tags(kinds: Kinds) -> Column:
    """Whether they are JSON, the caller asks Python."""
    if kinds.get("tags") == "VARCHAR":
        return "nullif(raw.tags, '')", "true"
    return "NULL::VARCHAR", "raw.tags IS NULL" if "tags" in kinds else "true"


def quoted(value: str) -> str:
    """A text as SQL."""
    return "'" + value.replace("'", "''") + "'"


def _quoted(values: tuple[str, ...]) -> str:
    return ", ".join(map(quoted, values))
