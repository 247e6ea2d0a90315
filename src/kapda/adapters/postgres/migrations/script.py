"""Runs a whole SQL script inside a migration's transaction."""

from typing import Any

from alembic import op


def run_script(script: str) -> None:
    """Send the script as it is: PostgreSQL's simple protocol takes many statements at once, prepared statements do not."""
    connection: Any = op.get_bind().connection.dbapi_connection
    connection.run_async(lambda raw: raw.execute(script))


def first_schema_has_no_downgrade() -> None:
    """Below the first schema stands nothing: going back is restoring a backup, never dropping money."""
    raise RuntimeError("the first schema has no downgrade; restore a backup instead")
