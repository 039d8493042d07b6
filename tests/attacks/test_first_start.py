"""What a first start gives away: to the readers of its log, and at a port of somebody else."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from data.state.store import State
from tests.browser.driver import ROOT, SECONDS, serving


@pytest.fixture
def taken() -> Iterator[str]:
    """A port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield str(other.getsockname()[1])


def test_the_link_to_the_first_account_is_in_no_log(tmp_path: Path) -> None:
    """It is in a file of the data folder that the log names, and works."""
    with serving(tmp_path, ["serve"], SIGN_IN="local") as site:
        log = (tmp_path / "server.log").read_text()
        found = re.search(r"open the link in (\S+)", log)
        assert found
        note = Path(found[1])
        assert (note.parent, note.stat().st_mode & 0o777) == (tmp_path / "var", 0o600)
        link = note.read_text().strip()
        assert link.startswith(f"{site}/setup?token=")
        with urlopen(link) as page:
            assert page.status == 200
        assert "token" not in log
        assert link.partition("token=")[2] not in log


def test_a_port_in_use_is_one_sentence_and_no_link(tmp_path: Path, taken: str) -> None:
    told = {"SPENDSCOPE_DATA_DIR": str(tmp_path), "SPENDSCOPE_PORT": taken,
            "SPENDSCOPE_SIGN_IN": "local"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(ROOT / "app.py"), "serve"], env=os.environ | told,
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"spendscope: port {taken} of 127.0.0.1 is in use:"
        " stop what listens there, or set SPENDSCOPE_PORT"
    ]
    assert not (tmp_path / "setup-link").exists()
    state = State(f"sqlite:///{tmp_path / 'state.sqlite'}")
    assert state.setup_token()  # nothing was made that could have been used up
    state.close()
