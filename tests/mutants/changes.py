"""The small wrongs that a program is tried with: each one alone, each one a line that changed."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]

SWAPS: Final[dict[type[ast.AST], type[ast.AST]]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.And: ast.Or, ast.Or: ast.And, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult, ast.Div: ast.Mult, ast.Mod: ast.Add,
}  # fmt: skip
REMOVED: Final = ast.Expr | ast.AugAssign | ast.Raise
Change = tuple[int, str, Callable[[], None]]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one change: `code` is the line as it was, `change` what became of it."""

    path: str
    number: int
    code: str
    change: str
    place: int


def source_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def mutants(path: str, source: str) -> list[Mutant]:
    lines = source.splitlines()
    return [
        Mutant(path, line, lines[line - 1].strip(), change, place)
        for place, (line, change, _) in enumerate(_changes(ast.parse(source)))
    ]


def mutated(source: str, place: int) -> ast.Module:
    """The module with the change of that place in `mutants`."""
    tree = ast.parse(source)
    list(_changes(tree))[place][2]()
    return ast.fix_missing_locations(tree)


def _changes(tree: ast.Module) -> Iterator[Change]:
    kept = {id(part) for node in ast.walk(tree) for one in _kept(node) for part in ast.walk(one)}
    for node in ast.walk(tree):
        if id(node) not in kept:
            yield from _of(node)


def _kept(node: ast.AST) -> Iterator[ast.AST]:
    """Parts that stay: decorators, and `zip(…, strict=True)`, which asserts what is so anyway."""
    yield from getattr(node, "decorator_list", ())
    if isinstance(node, ast.Call):
        yield from (one.value for one in node.keywords if one.arg == "strict")


def _of(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=ops):
            for at, op in enumerate(ops):
                yield from _swap(node.lineno, op, partial(ops.__setitem__, at))
        case ast.BoolOp(op=op) | ast.BinOp(op=op):
            yield from _swap(node.lineno, op, partial(setattr, node, "op"))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            twice = ast.UnaryOp(ast.Not(), operand)
            yield node.lineno, "not → not not", lambda: setattr(node, "operand", twice)
        case ast.Constant(value=bool() | int() as value):
            new = not value if isinstance(value, bool) else value + 1
            yield node.lineno, f"{value} → {new}", lambda: setattr(node, "value", new)
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            yield node.lineno, "returns None", lambda: setattr(node, "value", ast.Constant(None))
    for field in ("body", "orelse"):
        yield from _removals(getattr(node, field, None))


def _swap(line: int, op: ast.AST, put: Callable[[Any], None]) -> Iterator[Change]:
    if other := SWAPS.get(type(op)):
        yield line, f"{type(op).__name__} → {other.__name__}", lambda: put(other())


def _removals(block: Any) -> Iterator[Change]:
    if not isinstance(block, list):
        return
    for at, one in enumerate(block):
        words = isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)
        if isinstance(one, REMOVED) and not words:
            yield one.lineno, "removed", partial(block.__setitem__, at, ast.Pass())
