"""`python -m tests.together COMMAND… COMMAND`: the last command, and beside it the others one after
the other; what those said comes at its end. It fails where any of them does.

Tests wait now and then, for a browser and at their end for each other: a check that computes on one
core, as that of types, takes hardly any time beside them.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor


def run_quietly(command: str) -> tuple[int, bytes]:
    """How a command of the shell ended, and all that it said."""
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, f"{command}\n".encode() + done.stdout


def main(commands: list[str]) -> int:
    """0 where all commands ended well."""
    *others, last = commands
    with ThreadPoolExecutor(1) as beside:
        running = [beside.submit(run_quietly, command) for command in others]
        failed = subprocess.run(last, shell=True).returncode != 0
        for one in running:
            code, said = one.result()
            failed = failed or code != 0
            sys.stdout.buffer.write(said)
            sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
