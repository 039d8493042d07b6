"""How reading a database goes, for the servers that do not read it."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"


TEXT: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """A table of it."""
    op.create_table(
        "sync_passes",
        sa.Column("source", TEXT, primary_key=True),
        sa.Column("last_success", sa.BigInteger, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
    )
