"""Who has been shown around."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"


TEXT: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """A table of them."""
    op.create_table(
        "shown_around",
        sa.Column("user", TEXT, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
