"""How a mutant meets the tests: in a fork of a process that has collected them.

A function that neither importing nor collecting has run takes its changed code in the fork, and the
mutant costs what its tests cost. Any other change, of a constant say, is imported in a fork of a
process that knows nothing of ours yet. Either way the tests that run the changed line come first,
of those the fastest; all the others follow, so nothing is left out.
"""

from __future__ import annotations

import ast
import gc
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from inspect import CO_OPTIMIZED
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from tempfile import TemporaryDirectory
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final, Literal

import pytest

from tests.mutants.changes import ROOT, Mutant, mutated, source_of
from tests.mutants.coverage import Coverage, Function, Tracer, in_order, measured

Outcome = Literal["noticed", "unnoticed", "timed out"]
# A loop ends by the processor time of its test, which a busy machine makes no longer; what waits
# for ever ends by the clock.
LEAST_CPU: Final = 3
LONGEST_WAIT: Final = 900
TIMEOUTS: Final = (-signal.SIGXCPU, -signal.SIGALRM)
# Dash and Hypothesis bring plugins for pytest, which would rather import them itself.
OPTIONS: Final = ("-x", "-q", "-s", "-p", "no:cacheprovider", "-o", "timeout=0",
                  "-W", "ignore::pytest.PytestAssertRewriteWarning")  # fmt: skip


class Tests:
    """The tests of a module, collected in a process of their own."""

    def __init__(self, path: str, arguments: Sequence[str]) -> None:
        self.path, self.source = path, source_of(path)
        # Each trial empties the folder of the one before; pytest's own would be left behind.
        self._folder = TemporaryDirectory(prefix="mutants-")
        self.arguments = (*OPTIONS, f"--basetemp={self._folder.name}/tests", *arguments)
        self._collected, theirs = Pipe()
        plugin = Collected(str(ROOT / path), self.source, theirs)
        self._process = _forked(lambda: plugin.collect(self.arguments))
        theirs.close()
        self.coverage: Coverage = self._collected.recv()

    def outcome(self, one: Mutant) -> Outcome:
        """How the tests take a mutant."""
        self._collected.send(one)
        answer: Outcome | None = self._collected.recv()
        return answer or _outcome(lambda: self._imported(one))

    def close(self) -> bool:
        """Whether the tests still pass without any change: nobody touched the files meanwhile."""
        self._collected.send(None)
        passed: bool = self._collected.recv()
        os.waitpid(self._process, 0)
        self._folder.cleanup()
        return passed

    def _imported(self, one: Mutant) -> int:
        name = self.path.removesuffix(".py").replace("/", ".")
        tree = mutated(self.source, one.place)
        sys.meta_path.insert(0, Changed(name, str(ROOT / self.path), tree))
        return pytest.main([*self.arguments], plugins=[Nearest(self.coverage, one.number)])


class Collected:
    """A plugin of pytest that answers, in the place of one run of the tests, how mutants fare."""

    session: pytest.Session
    coverage: Coverage

    def __init__(self, file: str, source: str, requests: Connection) -> None:
        self.file, self.source, self.requests = file, source, requests
        self.imports = Tracer(file)
        self.functions: dict[Function, list[FunctionType]] = defaultdict(list)

    def collect(self, arguments: Sequence[str]) -> int:
        self.imports.start()
        return pytest.main([*arguments], plugins=[self])

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.imports.stop()
        self.session, self.coverage = session, _measured(session, self.file)
        self.requests.send(self.coverage)
        gc.unfreeze()  # what tests/conftest.py froze is no longer among the objects there are
        for one in gc.get_objects():
            if isinstance(one, FunctionType) and one.__code__.co_filename == self.file:
                self.functions[_key(one.__code__)].append(one)
        assert self.functions, f"no function of {self.file} was found to change"
        gc.freeze()  # a fork that collects garbage copies all that was imported here
        while mutant := self.requests.recv():
            self.requests.send(self._outcome(mutant))
        self.requests.send(_outcome(lambda: self._failed({}, 0)) == "unnoticed")
        return True

    def _outcome(self, one: Mutant) -> Outcome | None:
        """How a mutant fares; None where its module must be imported anew."""
        trees = (ast.parse(self.source), mutated(self.source, one.place))
        before, after = (_functions(compile(tree, self.file, "exec", dont_inherit=True))
                         for tree in trees)  # fmt: skip
        changed = {key: code for key, code in after.items() if code != before[key]}
        if not changed or changed.keys() & self.imports.functions:
            return None
        return _outcome(lambda: self._failed(changed, one.number))

    def _failed(self, changed: dict[Function, CodeType], line: int) -> int:
        """Runs the tests, in a fork, over changed functions; how many failed, one at most."""
        for key, code in changed.items():
            for function in self.functions[key]:
                function.__code__ = code
        for item, following in in_order(self.coverage.nearest(self.session.items, line)):
            _limit(self.coverage.seconds[item.nodeid])
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.session.testsfailed:
                break
        return self.session.testsfailed


class Nearest:
    """A plugin of pytest: the tests in the order for one line, each with its limit."""

    def __init__(self, coverage: Coverage, line: int) -> None:
        self.coverage, self.line = coverage, line

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = self.coverage.nearest(items, self.line)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        _limit(self.coverage.seconds[nodeid])


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


def _measured(session: pytest.Session, file: str) -> Coverage:
    """The coverage of the collected tests, from a fork, so that nothing of ours has run here."""
    mine, theirs = Pipe()
    child = _forked(lambda: theirs.send(measured(session, file)) or 0)
    coverage: Coverage = mine.recv()
    os.waitpid(child, 0)
    return coverage


def _functions(code: CodeType) -> dict[Function, CodeType]:
    """The named functions of a module and of its classes, whole with those within them."""
    found: dict[Function, CodeType] = {}
    for part in code.co_consts:
        if not isinstance(part, CodeType):
            continue
        if part.co_flags & CO_OPTIMIZED:
            found |= {_key(part): part} if part.co_name.isidentifier() else {}
        else:
            found |= _functions(part)
    return found


def _key(code: CodeType) -> Function:
    return code.co_qualname, code.co_firstlineno


def _limit(seconds: float) -> None:
    """Ends this process if it takes many times these seconds of processor time from now on."""
    most = int(time.process_time() + LEAST_CPU + 5 * seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))


def _outcome(trial: Callable[[], int]) -> Outcome:
    """How a trial ends in a fork: with a failure, with none, or not at all."""
    child = _forked(trial, LONGEST_WAIT)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code in TIMEOUTS:
        return "timed out"
    return "noticed" if code else "unnoticed"


def _forked(work: Callable[[], Any], longest: int = 0) -> int:
    """A process that does this work in silence and ends with what it returns."""
    if child := os.fork():
        return child
    code = 1
    try:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        signal.alarm(longest)
        code = int(work())
    finally:
        os._exit(code)
