"""What the tests of commands share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from callbacks.commands.main import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """A command run in this process: its exit code, what it printed, and its errors."""

    def one(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(lambda settings, sample: None, arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return one
