"""Engines: small pools, because the pool is the admission control.

More connections than PostgreSQL has cores to serve only queue inside it, on locks, where waiting costs most. So callers
queue here, in the process, for a few connections; and the writes that take stock have a pool of their own, smaller
still, so that a hot variant's row never has a crowd behind it.
"""

from urllib.parse import urlsplit, urlunsplit

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

# Reads and small writes of one process.
GENERAL_POOL_SIZE = 12
# Writes that take stock; four was the fastest on one hot row and no slower on wide carts.
STOCK_POOL_SIZE = 4
# A caller that has waited this long for a connection is better told to come back.
POOL_WAIT_SECONDS = 5.0
# No statement of ours needs a second; one that runs this long is stuck behind something.
STATEMENT_TIMEOUT_MS = 5_000
LOCK_TIMEOUT_MS = 4_000
# A transaction left open by a lost task must not hold its locks for long.
IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000
CONNECT_TIMEOUT_SECONDS = 5.0


def driver_url(database_url: str) -> str:
    """The URL with SQLAlchemy's driver named: `postgresql://` is what people and other tools write."""
    parts = urlsplit(database_url)
    return urlunsplit(parts._replace(scheme="postgresql+asyncpg"))


def make_engine(database_url: str, *, pool_size: int = GENERAL_POOL_SIZE, generic_plans: bool = False) -> AsyncEngine:
    """An engine whose callers queue for `pool_size` connections. No connection is made yet.

    `generic_plans` is for writes by key with array parameters: planning those anew costs more than running them.
    """
    return create_async_engine(
        driver_url(database_url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        # Last in, first out keeps few connections warm; the rest idle out at the server's side.
        pool_use_lifo=True,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={
            "timeout": CONNECT_TIMEOUT_SECONDS,
            "server_settings": {
                "application_name": "kapda",
                "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                "lock_timeout": str(LOCK_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
                "plan_cache_mode": "force_generic_plan" if generic_plans else "auto",
                "jit": "off",
            },
        },
    )
