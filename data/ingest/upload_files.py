"""Uploaded files on disk: under a name that is safe, within a limit, gone when they are done."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import IO, Final

from data.errors import StoreError, TooLarge

LARGEST: Final = 1024**3
CHUNK: Final = 1024 * 1024
LONGEST_NAME: Final = 200  # bytes: a file system takes 255, whatever their characters
TOO_LARGE: Final = "an upload has at most 1 GB: use spendscope import for larger files"


def safe(name: str) -> str:
    """The name a report may show, without any folder."""
    tidy = "".join(c for c in name.replace("\\", "/").rsplit("/", 1)[-1] if c.isprintable())
    end = tidy.encode()[-LONGEST_NAME:].decode(errors="ignore")
    return end.strip().lstrip(".") or "upload"


def keep(stream: IO[bytes], path: Path) -> None:
    """Write a stream down; raises `TooLarge`, `StoreError` where there is no room."""
    try:
        path.parent.mkdir(parents=True, mode=0o700)
        with path.open("xb") as file:
            while part := stream.read(CHUNK):
                if file.tell() + len(part) > LARGEST:
                    raise TooLarge("body", TOO_LARGE)
                file.write(part)
    except OSError as error:
        raise StoreError(f"the upload cannot be kept: {error.strerror or error}") from error


def remove(path: Path) -> None:
    """Forget a file and the folder made for it."""
    shutil.rmtree(path.parent, ignore_errors=True)
