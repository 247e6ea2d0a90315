"""The schema's version: bring a database up to it, and ask which one it has.

Alembic is loaded by who migrates only: every process's container names this module, and loading takes a fifth of a second.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from kapda.adapters.postgres.engine import driver_url

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


def _config() -> "Config":
    from alembic.config import Config  # noqa: PLC0415  (see above)

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


async def upgrade(database_url: str) -> None:
    """Run every migration the database has not had. Safe to run again and by several processes at once."""
    from alembic import command  # noqa: PLC0415  (see above)

    def run(connection: Connection) -> None:
        # One migrator at a time; the lock goes with the connection.
        connection.exec_driver_sql("SELECT pg_advisory_lock(hashtext('kapda.migrations'))")
        connection.commit()
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()

    engine = create_async_engine(driver_url(database_url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()


async def is_current(database_url: str) -> bool:
    """Whether the database has every migration this code knows."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415  (see above)
    from alembic.script import ScriptDirectory  # noqa: PLC0415  (see above)

    engine = create_async_engine(driver_url(database_url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            version = await connection.run_sync(lambda c: MigrationContext.configure(c).get_current_revision())
    finally:
        await engine.dispose()
    return version == ScriptDirectory.from_config(_config()).get_current_head()
