"""`python -m tests.together [--again COMMAND] COMMAND… COMMAND`: the last command, and beside it
the others one after the other; what those said comes at its end. It fails where any of them does.

Tests wait now and then, for a browser and at their end for each other: a check that computes on one
core, as that of types, takes hardly any time beside them.

Where tests failed (pytest's 1), the command after `--again` asks those once more, by themselves,
and says what holds: both are to be read.
"""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from typing import Final

TESTS_FAILED: Final = 1


def run_quietly(command: str) -> tuple[int, bytes]:
    """How a command of the shell ended, and all that it said."""
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, f"{command}\n".encode() + done.stdout


def run(command: str) -> int:
    """How a command of the shell ended, whose words are seen at once."""
    return subprocess.run(command, shell=True).returncode


def main(arguments: list[str]) -> int:
    """0 where all commands ended well."""
    parser = ArgumentParser("python -m tests.together")
    parser.add_argument("--again", metavar="COMMAND")
    parser.add_argument("commands", metavar="COMMAND", nargs="+")
    asked = parser.parse_args(arguments)
    *others, last = asked.commands
    with ThreadPoolExecutor(1) as beside:
        running = [beside.submit(run_quietly, command) for command in others]
        code = run(last)
        codes = [heard(*one.result()) for one in running]
    if code == TESTS_FAILED and asked.again:
        print("Tests failed beside others. Once more, by themselves:", flush=True)
        code = run(asked.again)
    return int(any([code, *codes]))


def heard(code: int, said: bytes) -> int:
    """The code of a command, whose words are seen now."""
    sys.stdout.buffer.write(said)
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
