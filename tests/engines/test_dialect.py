"""What engines spell differently is said in constructs; each engine compiles all of them."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import CompileError
from sqlalchemy.sql.functions import FunctionElement

from data import dialect
from data.dialect import EachOf, Latest, MonthStart, Percentile, PerGroup, Place
from data.engines.protocol import EventStore
from data.events.table import EVENTS

E: Final = EVENTS.c
CONSTRUCTS: Final[list[FunctionElement[Any]]] = [
    Percentile(E.duration_ms, 0.95),
    Latest(E.model, E.ts),
    PerGroup("median", E.user, E.kind == "llm"),
    PerGroup("avg", E.user, E.kind == "llm", E.request_count),
    MonthStart(E.ts),
    Place(E.ts % 7, 2),
    EachOf(("a", None)),
]
# What every engine has, in standard SQL's words.
STANDARD: Final = frozenset(
    {"avg", "coalesce", "count", "greatest", "lower", "max", "min", "nullif", "sum"}
)
# The packages of engines, and what is of PostgreSQL alone: LiteLLM's own database, and what servers
# with a state store there count together.
APART: Final = ("data/engines/", "data/sources/litellm/", "data/state/tries.py")
ROOT: Final = Path(__file__).parents[2]


@pytest.mark.parametrize("construct", CONSTRUCTS, ids=lambda one: type(one).__name__)
def test_an_engine_compiles_every_construct(
    store: EventStore, construct: FunctionElement[Any]
) -> None:
    with store.sql.connect() as connection:
        connection.execute(sa.select(construct)).all()


def test_every_construct_is_tried() -> None:
    declared = {one for one in vars(dialect).values() if _declared(one)}
    assert {type(one) for one in CONSTRUCTS} == declared


def _declared(one: object) -> bool:
    return isinstance(one, type) and one.__module__ == dialect.__name__


def test_an_engine_that_lacks_one_says_so() -> None:
    with pytest.raises(CompileError):
        MonthStart(E.ts).compile(dialect=sa.create_engine("sqlite://").dialect)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (PerGroup("min", E.user, sa.true()), PerGroup("max", E.user, sa.true())),
        (PerGroup("min", E.user, sa.true()), PerGroup("min", E.user, sa.true(), E.ts)),
        (Latest(E.user, E.ts), Latest(E.model, E.ts)),
    ],
)
def test_what_differs_is_compiled_apart(
    one: FunctionElement[Any], other: FunctionElement[Any]
) -> None:
    assert one._generate_cache_key() != other._generate_cache_key()


@pytest.mark.parametrize("room", ["data", "components", "callbacks"])
def test_only_engines_speak_a_dialect(room: str) -> None:
    files = (file.relative_to(ROOT) for file in (ROOT / room).rglob("*.py"))
    common = [file for file in files if not str(file).startswith(APART)]
    assert common
    found = {f"{file}: {name}" for file in common for name in _functions(ROOT / file) - STANDARD}
    assert not found, "an engine's own function: make it a construct of data/dialect.py"


def _functions(file: Path) -> set[str]:
    """The names after `func.` in a file."""
    return {
        node.attr
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute)
        and "func" in (getattr(node.value, "id", ""), getattr(node.value, "attr", ""))
    }
