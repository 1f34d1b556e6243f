"""What Alembic runs: the migrations, on the connection that `store.upgrade` hands over."""

from __future__ import annotations

from alembic import context

import labinterp.store.door_tables  # noqa: F401  # hangs its tables on the same metadata
from labinterp.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
