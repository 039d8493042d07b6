"""How Alembic runs our revisions: on the connection it is given, in its open transaction."""

from __future__ import annotations

from alembic import context

from data.state.schema import REVISION
from data.state.tables import META

# By batches: SQLite alters a table by copying it.
context.configure(
    connection=context.config.attributes["connection"], target_metadata=META, render_as_batch=True,
    version_table=REVISION.name,
)  # fmt: skip
with context.begin_transaction():
    context.run_migrations()
