"""What Alembic runs: the migrations, on the connection that `store.upgrade` hands over."""

from __future__ import annotations

from alembic import context

from labinterp.store.door_tables import metadata  # imports those of `tables` too

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
