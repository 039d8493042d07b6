"""`make mutants`: break the core line by line, and see that the tests notice.

A mutant runs the tests of its module in a fork of this process, which has imported the libraries
and nothing of ours: so a mutant costs what its tests cost. One that no test notices fails the run,
unless the table in docs/developers.md says why nobody could.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.machinery
import importlib.util
import os
import re
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

import pytest

from tests.mutants.changes import Mutant, mutants, mutated

ROOT: Final = Path(__file__).resolve().parents[2]
WARM: Final = ("dash", "dash_ag_grid", "dash_bootstrap_components", "duckdb", "duckdb_sqlalchemy",
               "flask_login", "flask_wtf", "genai_prices", "hypothesis", "jwt", "pandas", "plotly",
               "sqlalchemy", "waitress")  # fmt: skip
# Dash and Hypothesis bring plugins for pytest, which would rather import them itself.
OPTIONS: Final = (
    "-x",
    "-q",
    "-p",
    "no:cacheprovider",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
)
SECONDS: Final = 120  # a mutant that loops is noticed, too
RIGHTS: Final = "query_opens or options_offer or isadmin or projects_to_administer or every_preset"
# Each module with the tests that have to notice what is wrong in it: fast ones, the nearest first.
PAIRS: Final[dict[str, tuple[str, ...]]] = {
    "data/local_time.py": ("tests/query/test_windows.py",),
    "data/query/windows.py": ("tests/query/test_windows.py",),
    "data/query/filters.py": ("tests/analytics/test_filters.py", "tests/api/test_api.py",
                              "tests/access/test_rights.py", "-k", f"not rights or {RIGHTS}"),
    "data/events/merging.py": ("tests/events/test_merging.py", "-k", "not litellm"),
    "data/access/scope.py": ("tests/access/test_rights.py", "tests/access/test_session.py",
                             "tests/people/test_people_pages.py", "-k", f"people or {RIGHTS}"),
    "data/access/people.py": ("tests/people/test_people_pages.py", "tests/people/test_people.py"),
    "data/query/clauses.py": ("tests/query/test_query.py", "tests/api/test_api.py",
                              "tests/analytics/test_numbers.py"),
    "data/query/query.py": ("tests/query/test_query.py", "tests/api/test_api.py",
                            "tests/analytics/test_numbers.py"),
    "data/query/run.py": ("tests/query/test_query.py", "tests/api/test_api.py",
                          "tests/analytics/test_numbers.py"),
    "data/prices/rates.py": ("tests/prices/test_prices.py", "tests/prices/test_price_book.py"),
    "data/prices/entries.py": ("tests/prices/test_price_book.py", "tests/prices/test_repricing.py"),
    "data/prices/book.py": ("tests/prices/test_prices.py", "tests/prices/test_price_book.py",
                            "tests/prices/test_public_releases.py"),
}  # fmt: skip


class Changed(importlib.machinery.SourceFileLoader):
    """Loads one module from a tree that was changed."""

    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        super().__init__(name, path)
        self.tree = tree

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.tree, self.path, "exec", dont_inherit=True)

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        ours = name == self.name
        return (
            importlib.util.spec_from_file_location(name, self.path, loader=self) if ours else None
        )


def noticed(path: str, tree: ast.Module | None) -> bool:
    """Whether a test of the module fails, or the module cannot even be imported."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(SECONDS if tree else 0)
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            if tree:
                name = path.removesuffix(".py").replace("/", ".")
                sys.meta_path.insert(0, Changed(name, str(ROOT / path), tree))
            code = int(pytest.main([*OPTIONS, *PAIRS[path]]))
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


def excused() -> set[tuple[str, str, str]]:
    """Module, line and change of what the table of the developers' page says nobody can notice."""
    page = (ROOT / "docs" / "developers.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `(data/\S+\.py)` \| `(.+?)` \| (.+?) \|", page, re.MULTILINE))


def source_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def survivors(path: str) -> Iterator[Mutant]:
    source = source_of(path)
    for one in mutants(path, source):
        if not noticed(path, mutated(source, one.place)):
            yield one


def tried(paths: Iterable[str]) -> int:
    """Try every mutant of these modules; returns how many nobody noticed and nothing excuses."""
    known, left = excused(), 0
    for path in paths:
        if noticed(path, None):
            sys.exit(f"the tests of {path} fail without any change: {' '.join(PAIRS[path])}")
        print(f"{path}: {len(mutants(path, source_of(path)))} mutants", flush=True)
        for one in survivors(path):
            fresh = (one.path, one.code, one.change) not in known
            what = "unnoticed" if fresh else "excused"
            print(f"  {what}: {one.path}:{one.number}: {one.change}: {one.code}", flush=True)
            left += fresh
    return left


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("paths", nargs="*", choices=[*PAIRS, []], help="all without any")
    paths = arguments.parse_args().paths or PAIRS
    os.chdir(ROOT)
    for name in WARM:
        importlib.import_module(name)
    sys.exit(1 if tried(paths) else 0)


if __name__ == "__main__":
    main()
