"""What an identity provider said of somebody last, and API tokens of who comes by one."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"


def upgrade() -> None:
    """A table, and two columns that are null of who has an account."""
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "confirmations",
        sa.Column("user", text, primary_key=True),
        sa.Column("stamp", text, primary_key=True),
        sa.Column("provider_user", text, nullable=False),
        sa.Column("claims", sa.JSON, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.BigInteger),
    )
    with op.batch_alter_table("api_tokens") as table:
        table.add_column(sa.Column("stamp", text))
        table.add_column(sa.Column("provider_user", text))
