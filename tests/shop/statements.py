"""Listens to what a process asks of the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event

from kapda.entrypoints.container import Container

# What bounds a transaction; what tells the workers; and what the driver itself asks, once a connection, about a type.
_NOT_COUNTED = ("BEGIN", "COMMIT", "ROLLBACK", "pg_notify", "typeinfo_tree", "current_setting('jit')")


class Statements(list[str]):
    """The statements of a process's pools while it is listened to, but for those that every use case has.

    `asked` are the same as the driver was given them, with what they were asked with.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, tuple[object, ...]]] = []

    @asynccontextmanager
    async def of(self, container: Container) -> AsyncIterator[None]:
        """Listen to every connection that is taken from a pool meanwhile."""
        engines = [e.sync_engine for e in (container.engine(), container.stock_engine(), container.catalog_engine())]
        heard: list[Any] = []

        def note(query: Any) -> None:
            if not any(words in query.query for words in _NOT_COUNTED):
                self.append(" ".join(query.query.split()))
                self.asked.append((query.query, tuple(query.args)))

        def listen(connection: Any, *_: object) -> None:
            if connection.driver_connection not in heard:
                connection.driver_connection.add_query_logger(note)
                heard.append(connection.driver_connection)

        for engine in engines:
            event.listen(engine, "checkout", listen)
        try:
            yield
            # The driver tells of a statement at the next turn of the loop.
            await asyncio.sleep(0)
        finally:
            for engine in engines:
                event.remove(engine, "checkout", listen)
            for connection in heard:
                connection.remove_query_logger(note)
