"""The tables as they were when revisions began.

Stores from before, which counted steps, come here by `data/state/first_steps.py`; new ones are made
of `data/state/tables.py`. So there is nothing to do.
"""

from __future__ import annotations

from typing import Final

revision: Final = "0001"
down_revision: Final = None


def upgrade() -> None:
    """Nothing: see above."""
