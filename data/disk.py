"""Whether there is room on the disks of the stores: asked before anybody relies on it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from data.errors import StoreError
from data.permissions import store_files

ENOUGH: Final = 1024 * 1024  # an event store grows by a quarter of it


def require_room(folder: Path, *urls: str) -> None:
    """Raises `StoreError` where nothing can be written beside the data or one of these stores."""
    for place in {folder, *(path.parent for path in store_files(*urls))}:
        try:
            with tempfile.TemporaryFile(dir=place, buffering=0) as probe:
                probe.write(bytes(ENOUGH))
        except OSError as error:
            raise StoreError(f"the disk of the stores takes nothing: {error.strerror}") from None
