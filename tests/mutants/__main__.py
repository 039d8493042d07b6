"""`make mutants`: break the core line by line, and see that the tests notice.

One that no test notices fails the run, unless the table in docs/developers.md says why nobody
could. One that does not end counts apart: a loop, most likely, but no test has failed.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from tests.mutants.changes import ROOT, Mutant, mutants, source_of
from tests.mutants.trials import Outcome, Tests

WARM: Final = ("dash", "dash_ag_grid", "dash_bootstrap_components", "duckdb", "duckdb_sqlalchemy",
               "flask_login", "flask_wtf", "genai_prices", "hypothesis", "jwt", "pandas", "plotly",
               "sqlalchemy", "waitress")  # fmt: skip
MERGE_ALONE: Final = (
    "not (store or litellm or logs or again or report or answers or parquet or undone or undo"
    " or stood_for or of_its_time or changed_since)"
)
# Each module with the tests that have to notice what is wrong in it: fast ones, the nearest first.
PAIRS: Final[dict[str, tuple[str, ...]]] = {
    "data/local_time.py": ("tests/query/test_windows.py", "tests/query/test_query.py"),
    "data/query/windows.py": ("tests/query/test_windows.py",),
    "data/query/earlier.py": ("tests/query/test_earlier.py", "tests/analytics/test_comparing.py"),
    "data/query/filters.py": ("tests/query/test_filters.py", "tests/analytics/test_filters.py",
                              "tests/query/test_contains.py", "tests/analytics/test_about.py"),
    "data/events/merging.py": ("tests/events/test_merging.py", "-k", MERGE_ALONE),
    "data/access/scope.py": ("tests/access/test_scope.py", "tests/access/test_people.py"),
    "data/access/people.py": ("tests/access/test_people.py", "tests/access/test_scope.py"),
    "data/query/clauses.py": ("tests/query/test_query.py", "tests/query/test_listing.py"),
    "data/query/query.py": ("tests/query/test_query.py", "tests/query/test_passes.py"),
    "data/query/run.py": ("tests/query/test_query.py", "tests/query/test_passes.py"),
    "data/prices/rates.py": ("tests/prices/test_rates.py",),
    "data/prices/quoted.py": ("tests/prices/test_rates.py",),
    "data/prices/entries.py": ("tests/prices/test_rates.py",),
    "data/prices/book.py": ("tests/prices/test_rates.py", "tests/prices/test_prices.py",
                            "tests/prices/test_price_book.py", "-k", "not equals"),
}  # fmt: skip


def excused() -> set[tuple[str, str, str]]:
    """Module, line and change of what the table of the developers' page says nobody can notice."""
    page = (ROOT / "docs" / "developers.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `(data/\S+\.py)` \| `(.+?)` \| (.+?) \|", page, re.MULTILINE))


@dataclass
class Count:
    """How the mutants of a module fared."""

    path: str
    outcomes: Counter[str] = field(default_factory=Counter)
    started: float = field(default_factory=time.monotonic)

    def add(self, one: Mutant, outcome: Outcome) -> None:
        known = outcome == "unnoticed" and (one.path, one.code, one.change) in excused()
        named = "excused" if known else outcome
        self.outcomes[named] += 1
        if named != "noticed":
            print(f"  {named}: {one.path}:{one.number}: {one.change}: {one.code}", flush=True)

    def __str__(self) -> str:
        ways = ("noticed", "timed out", "unnoticed", "excused")
        told = ", ".join(f"{self.outcomes[way]} {way}" for way in ways)
        seconds = time.monotonic() - self.started
        return f"{self.path}: {self.outcomes.total()} mutants in {seconds:.0f} s: {told}"


def tried(path: str) -> Count:
    """Tries every mutant of a module."""
    count = Count(path)
    tests = Tests(path, PAIRS[path])
    if tests.coverage.failed:
        sys.exit(f"the tests of {path} fail without any change: {' '.join(PAIRS[path])}")
    for one in mutants(path, source_of(path)):
        count.add(one, tests.outcome(one))
    if not tests.close():
        sys.exit(f"{path}: the files changed meanwhile, what was noticed says nothing")
    print(count, flush=True)
    return count


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("paths", nargs="*", choices=[*PAIRS, []], help="all without any")
    paths = arguments.parse_args().paths or PAIRS
    os.chdir(ROOT)
    for name in WARM:
        importlib.import_module(name)
    counts = [tried(path) for path in paths]
    spent = os.times()
    print(f"{spent.children_user + spent.children_system:.0f} s of processor time")
    sys.exit(any(count.outcomes["unnoticed"] for count in counts))


if __name__ == "__main__":
    main()
