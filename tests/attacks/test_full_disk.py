"""A disk that takes nothing any more: whoever asks whether we are ready is told so."""

from __future__ import annotations

import errno
import io
import os
from typing import Any

import pytest

from tests.serving import Served


class Full(io.RawIOBase):
    """A file on a full disk."""

    def writable(self) -> bool:
        return True

    def write(self, _: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_not_ready(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert served.client.get("/readyz").status_code == 200
    monkeypatch.setattr("data.disk.tempfile.TemporaryFile", lambda **_: Full())
    answer = served.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {
        "status": "the disk of the stores takes nothing: No space left on device"
    }
    assert [(one.levelname, one.exc_info) for one in caplog.records] == [("ERROR", None)]
    assert served.client.get("/healthz").status_code == 200


def test_a_folder_that_is_gone_is_not_ready(served: Served) -> None:
    served.settings.data_dir.rename(served.settings.data_dir.with_name("elsewhere"))
    answer = served.client.get("/readyz")
    assert (answer.status_code, "No such file" in answer.text) == (503, True)


def test_what_is_tried_is_left_nowhere(served: Served) -> None:
    before = sorted(served.settings.data_dir.iterdir())
    assert served.client.get("/readyz").status_code == 200
    assert sorted(served.settings.data_dir.iterdir()) == before
