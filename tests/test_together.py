"""Checks beside the tests: what they say is seen, and none of them fails unheard."""

from __future__ import annotations

from typing import Final

import pytest

from tests.together import main

AGAIN: Final = "Tests failed beside others. Once more, by themselves:"


@pytest.mark.parametrize(("commands", "code", "said"), [
    (["echo types", "echo sums", "echo tests"], 0, ["tests", "types", "sums"]),
    (["echo types; exit 2", "echo sums", "echo tests"], 1, ["tests", "types", "sums"]),
    (["echo types", "echo sums >&2; exit 1", "echo tests"], 1, ["tests", "types", "sums"]),
    (["echo types", "echo tests; exit 3"], 1, ["tests", "types"]),
])  # fmt: skip
def test_every_command_is_heard(
    capfd: pytest.CaptureFixture[str], commands: list[str], code: int, said: list[str]
) -> None:
    assert main(commands) == code
    lines = capfd.readouterr().out.splitlines()
    assert [line for line in lines if line not in commands] == said


@pytest.mark.parametrize(("tests", "again", "code", "said"), [
    ("exit 1", "echo alone", 0, ["types", AGAIN, "alone"]),
    ("exit 1", "echo alone; exit 1", 1, ["types", AGAIN, "alone"]),
    ("exit 2", "echo alone", 1, ["types"]),
    ("echo tests", "echo alone", 0, ["tests", "types"]),
])  # fmt: skip
def test_what_failed_is_asked_once_more(
    capfd: pytest.CaptureFixture[str], tests: str, again: str, code: int, said: list[str]
) -> None:
    """A run that broke off is none of failed tests."""
    assert main(["--again", again, "echo types", tests]) == code
    lines = capfd.readouterr().out.splitlines()
    assert [line for line in lines if line != "echo types"] == said
