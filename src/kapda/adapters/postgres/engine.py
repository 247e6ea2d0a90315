"""Engines: small pools, because the pool is the admission control.

More connections than PostgreSQL has cores to serve only queue inside it, on locks, where waiting costs most. So callers
queue here, in the process, for a few connections; and the writes that take stock have a pool of their own, smaller
still, so that a hot variant's row never has a crowd behind it.
"""

from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError, MissingGreenlet
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util.concurrency import in_greenlet

# Reads and small writes of one process.
GENERAL_POOL_SIZE = 12
# Writes that take stock; four was the fastest on one hot row and no slower on wide carts.
STOCK_POOL_SIZE = 4
# Browsing; a flood of searches must not keep buyers from their carts.
CATALOG_POOL_SIZE = 6
# A caller that has waited this long for a connection is better told to come back.
POOL_WAIT_SECONDS = 5.0
# No statement of ours needs a second; one that runs this long is stuck behind something.
STATEMENT_TIMEOUT_MS = 5_000
LOCK_TIMEOUT_MS = 4_000
# A transaction left open by a lost task must not hold its locks for long.
IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000
CONNECT_TIMEOUT_SECONDS = 5.0
# More than there are; the catalogue alone has a hundred and more.
STATEMENTS_PREPARED = 500


def driver_url(database_url: str) -> str:
    """The URL with SQLAlchemy's driver named: `postgresql://` is what people and other tools write."""
    # Not by urlunsplit, which takes the slashes away from a URL without a host, one with a socket.
    return f"postgresql+asyncpg:{database_url.partition(':')[2]}"


class Plans(StrEnum):
    """When PostgreSQL plans a prepared statement anew, by its own name for it.

    GENERIC: never; for reads and writes by key, whose best plan is the same for every key and costs more to make than to
    run: AUTO, as PostgreSQL sees fit, planned the six tables of a cart anew at four calls of ten.
    CUSTOM: at every call; for searches, whose best plan depends on how common the word is.
    """

    AUTO = "auto"
    GENERIC = "force_generic_plan"
    CUSTOM = "force_custom_plan"


def make_engine(database_url: str, *, pool_size: int = GENERAL_POOL_SIZE, plans: Plans = Plans.AUTO) -> AsyncEngine:
    """An engine whose callers queue for `pool_size` connections. No connection is made yet."""
    engine = create_async_engine(
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
            # Statements are few and stay the same: each connection prepares each of them once.
            "statement_cache_size": STATEMENTS_PREPARED,
            "max_cached_statement_lifetime": 0,
            "server_settings": {
                "application_name": "kapda",
                # Instants inside JSON are written in the session's zone; whatever the database thinks of, ours is this.
                "timezone": "UTC",
                "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                "lock_timeout": str(LOCK_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
                "plan_cache_mode": plans.value,
                "jit": "off",
            },
        },
    )
    event.listen(engine.sync_engine, "checkout", _discard_closed)
    event.listen(engine.sync_engine, "do_connect", _refuse_without_greenlet)
    return engine


def _discard_closed(dbapi_connection: Any, _record: object, _proxy: object) -> None:
    """Have the pool replace a connection whose socket is known to be closed: free of charge, where a ping costs a round
    trip at every use."""
    if dbapi_connection.driver_connection.is_closed():
        raise DisconnectionError("the server closed the connection")


def _refuse_without_greenlet(*_: object) -> None:
    """Tell whoever takes an idle connection without being able to wait that there is none, before anything is begun."""
    if not in_greenlet():
        raise MissingGreenlet("a new connection has to be waited for")
