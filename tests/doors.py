"""The ways that a file comes in: the command line, the upload that is looked at, the one stored.

The upload page asks the routes that a script asks; what it shows first is what `preview` sees.
"""

from __future__ import annotations

import io
import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from tests.serving import ADMIN, Served, serving

UPLOADS: Final = "/api/v1/imports"


@dataclass(frozen=True)
class Outcome:
    """What a door said of a file: a report, or a sentence; and which rows a preview showed."""

    error: str = ""
    report: dict[str, Any] = field(default_factory=dict)
    rows: tuple[dict[str, Any], ...] = ()

    @property
    def counts(self) -> tuple[int, int, int]:
        return (self.report["accepted"], self.report["duplicates"], self.report["rejected"])


Door = Callable[..., Outcome]


@pytest.fixture(params=["command", "preview", "upload"])
def door(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Door]:  # fmt: skip
    """A way in: `door(body, name, map=…)` brings a file and says what became of it."""
    if request.param == "command":
        monkeypatch.setenv("SPENDSCOPE_DATA_DIR", str(tmp_path / "var"))
        yield lambda body, name, **options: _command(
            body, tmp_path / name, options, monkeypatch, capsys
        )
    else:
        with serving(tmp_path) as served:
            store = request.param == "upload"
            yield lambda body, name, **options: upload(served, body, name, store=store, **options)


def _command(
    body: bytes, path: Path, options_given: dict[str, str], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Outcome:  # fmt: skip
    from app import main

    path.write_bytes(body)
    options = [text for name, value in options_given.items() for text in (f"--{name}", value)]
    monkeypatch.setattr(sys, "argv", ["spendscope", "import", str(path), "--json", *options])
    code = main()
    output = capsys.readouterr()
    return Outcome(output.err) if code == 1 else Outcome(report=json.loads(output.out))


def upload(served: Served, body: bytes, name: str, *, store: bool, **options: str) -> Outcome:
    """Send a file, look at it, and where asked store it."""
    query, headers = {"name": name, **options}, served.headers(ADMIN)
    begun = served.client.post(
        UPLOADS, query_string=query, headers=headers, input_stream=io.BytesIO(body),
        content_length=len(body), content_type="application/octet-stream",
    )  # fmt: skip
    if begun.status_code != 202:
        return Outcome(begun.json["error"]["message"])  # type: ignore[index]
    key = begun.json["id"]  # type: ignore[index]
    state = _settled(served, key)
    if store and state["state"] == "ready":
        served.client.post(f"{UPLOADS}/{key}", headers=headers)
        state = _settled(served, key) | {"rows": state["rows"]}
    return Outcome(state["error"], state["report"], tuple(state["rows"]))


def _settled(served: Served, key: str) -> Any:
    for thread in threading.enumerate():
        if thread.name == f"upload {key}":
            thread.join(60)
    return served.client.get(f"{UPLOADS}/{key}", headers=served.headers(ADMIN)).json
