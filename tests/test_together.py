"""Checks beside the tests: what they say is seen, and none of them fails unheard."""

from __future__ import annotations

import pytest

from tests.together import main


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
