"""Listens to what a process asks of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from kapda.entrypoints.container import Container


class Statements(list[str]):
    """The statements of a process's pools while it is listened to."""

    @contextmanager
    def of(self, container: Container) -> Iterator[None]:
        """Listen."""
        engines = [e.sync_engine for e in (container.engine(), container.stock_engine(), container.catalog_engine())]

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if "pg_notify" not in statement:
                self.append(" ".join(statement.split()))

        for engine in engines:
            event.listen(engine, "before_cursor_execute", note)
        try:
            yield
        finally:
            for engine in engines:
                event.remove(engine, "before_cursor_execute", note)
