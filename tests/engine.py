"""Which engine the stores of the tests have (`tests/other_engine.py`); none is DuckDB. And what
every engine has of an event."""

from __future__ import annotations

import os
from typing import Final

import pytest

from data.events.table import EVENTS

ENGINE: Final = os.environ.get("ENGINE", "")
duckdb_only: Final = pytest.mark.skipif(bool(ENGINE), reason="about DuckDB's own file")
COLUMNS: Final = ", ".join(f'"{column.name}"' for column in EVENTS.columns)
