"""Alembic's entry: runs the migrations on the connection that `schema.upgrade` hands over."""

from alembic import context

# A migration that cannot get its lock soon gives up and is run again, rather than queue every reader behind itself.
LOCK_TIMEOUT = "2s"

connection = context.config.attributes["connection"]
connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
context.configure(connection=connection, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
