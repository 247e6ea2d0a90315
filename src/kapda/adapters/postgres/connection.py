"""A pooled connection whose statements go through the driver itself, in a transaction of their own.

SQLAlchemy keeps the pool, and its `text` the statements. What it would do around each execution (a greenlet, a context,
a cursor, a result) costs this process twice what the driver's own work does, and a purchase has two dozen of them; so
a statement is compiled once, for the whole process, and its rows are the driver's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final, Self, overload

import asyncpg
from sqlalchemy import TextClause
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi, dialect
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from kapda.adapters.postgres.turns import turns_of
from kapda.adapters.postgres.writes import Write, Writes

# More than this code has: all but what tests make up is compiled once.
_STATEMENTS: Final = 4_096
_NO_VALUES: Final[Mapping[str, Any]] = {}
_DIALECT: Final[Any] = dialect()  # type: ignore[no-untyped-call]

# The server itself ends a statement after five seconds, and says so. One that says nothing for this long hangs, or the
# network swallows what it says: TCP alone would wait for a quarter of an hour.
ANSWER_SECONDS: Final = 10.0
# A rollback needs no work of the server's. While it is waited for its caller cannot be cancelled, and a drain not end.
ROLLBACK_SECONDS: Final = 2.0
# What is done behind the calls, and costs little when it is lost, gives up sooner: its connection is one of those that
# calls need.
BEHIND_CALLS_SECONDS: Final = 5.0

# The server has gone, or is going: what was not committed is lost, and another connection may fare better.
LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    # A server that dies between two of its messages leaves the driver without its thread.
    asyncpg.InternalClientError,
    ConnectionError,
)


class Row(asyncpg.Record):  # type: ignore[misc]  # the driver has no types
    """A row whose columns are attributes.

    It is no key of anything, and not to be compared: with asyncpg 0.32 each comparison of two of a subclass of Record
    leaves memory behind for good.
    """

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the row has no column {name}") from None


class Rows(Sequence[Row]):
    """What a statement returned."""

    __slots__ = ("_rows",)

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        return self._rows[index]

    def all(self) -> list[Row]:
        """All of them."""
        return self._rows

    def one(self) -> Row:
        """The only row. Raises ValueError when there are none or more."""
        (row,) = self._rows
        return row

    def one_or_none(self) -> Row | None:
        """The only row, None when there is none. Raises ValueError when there are more."""
        return self.one() if self._rows else None

    def scalar_one(self) -> Any:
        """The first column of the only row."""
        return self.one()[0]


class Connection:
    """One connection from the pool for the length of an `async with`; without a `commit` everything is undone.

    The transaction begins with the first statement. With `autocommit` there is none: every statement is its own, at
    less than half of the cost. Failures are the driver's own errors, and TimeoutError for a server that does not answer.
    """

    def __init__(self, engine: AsyncEngine, *, autocommit: bool = False) -> None:
        self._turns = turns_of(engine)
        self._engine = engine
        self._autocommit = autocommit
        self._in_transaction = False
        self._interrupted = False
        self._writes = Writes()

    async def __aenter__(self) -> Self:
        await self._turns.take()
        try:
            self._pooled = await self._from_pool()
            self._driver: Any = self._pooled.driver_connection
        except BaseException as error:
            self._turns.give_back()
            told = _told_by_driver(error)
            if told is error:
                raise
            raise told from error
        return self

    async def _from_pool(self) -> PoolProxiedConnection:
        pool = self._engine.pool
        if isinstance(pool, QueuePool) and pool.checkedin():
            # Nothing is waited for, so nobody needs the greenlet in which SQLAlchemy waits; it costs as much as the rest.
            with suppress(MissingGreenlet):
                return self._engine.sync_engine.raw_connection()
            # It was closed, and the pool has dropped it.
        return await self._engine.raw_connection()

    async def execute(self, statement: TextClause, values: Mapping[str, Any] = _NO_VALUES) -> Rows:
        """Run a statement, its `:names` bound to the values of these names, after all writes before it."""
        if self._writes:
            await self._send_writes()
        sql, names = _compiled(statement)
        return Rows(await self._fetch(sql, [values[name] for name in names]))

    async def write(self, write: Write, values: Mapping[str, Any]) -> None:
        """Have something written before whatever is executed next, or the commit, together with other writes.

        So a refusal of the database may be raised by those.
        """
        if self._writes.collide_with(write):
            await self._send_writes()
        self._writes.add(write, values)

    async def scalar(self, statement: TextClause, values: Mapping[str, Any] = _NO_VALUES) -> Any:
        """The first column of the first row, None when there is no row."""
        rows = await self.execute(statement, values)
        return rows[0][0] if rows else None

    async def scalars(self, statement: TextClause, values: Mapping[str, Any] = _NO_VALUES) -> list[Any]:
        """The first column of every row."""
        return [row[0] for row in await self.execute(statement, values)]

    async def commit(self) -> None:
        """Make the transaction durable. Raises what made the database refuse it."""
        if self._writes:
            await self._send_writes()
        if not self._in_transaction:
            return
        outcome = await self._alive().execute("COMMIT", timeout=ANSWER_SECONDS)
        self._in_transaction = False
        if outcome != "COMMIT":
            # A statement had failed, and whoever ran it went on as if it had not.
            raise asyncpg.InFailedSQLTransactionError("the transaction had failed before its commit")

    async def __aexit__(self, *_: object) -> None:
        try:
            if self._in_transaction or self._interrupted:
                await _to_its_end(self._undo)
            else:
                self._give_back()
        finally:
            self._turns.give_back()

    async def ask(self, write: Write, values: Mapping[str, Any]) -> Rows:
        """Have it written at once, together with the writes before it; its answer."""
        await self.write(write, values)
        return await self._send_writes()

    async def _send_writes(self) -> Rows:
        sql, arguments = self._writes.take()
        return Rows(await self._fetch(sql, arguments))

    async def _fetch(self, sql: str, arguments: Sequence[Any]) -> list[Row]:
        if not self._in_transaction and not self._autocommit:
            # Noted before it is asked for: cancelled in between, the transaction may have begun all the same.
            self._in_transaction = True
            await self._alive().execute("BEGIN", timeout=ANSWER_SECONDS)
        try:
            rows: list[Row] = await self._alive().fetch(sql, *arguments, timeout=ANSWER_SECONDS, record_class=Row)
        except (asyncpg.ReadOnlySQLTransactionError, asyncpg.InternalClientError):
            # A former primary keeps its connections open and only refuses writes: each would be refused for ever. A driver
            # that lost its thread does not find it again.
            self._driver.terminate()
            raise
        except (asyncio.CancelledError, TimeoutError):
            self._interrupted = True
            raise
        return rows

    def _alive(self) -> Any:
        """The driver's connection. Raises ConnectionDoesNotExistError where it is known to be closed."""
        if self._driver.is_closed():
            raise asyncpg.ConnectionDoesNotExistError("the connection is closed")
        return self._driver

    async def _undo(self) -> None:
        """Roll back, and give the connection back; one that cannot roll back is closed instead.

        Also without a transaction where a read was broken off: whoever comes next would wait for its end.
        """
        try:
            if not self._driver.is_closed():
                await self._driver.execute("ROLLBACK", timeout=ROLLBACK_SECONDS)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
            self._driver.terminate()
        finally:
            self._give_back()

    def _give_back(self) -> None:
        """To the pool. It waits for nothing: SQLAlchemy has begun no transaction, and has nothing to reset."""
        self._pooled.close()


@lru_cache(_STATEMENTS)
def _compiled(statement: TextClause) -> tuple[str, Sequence[str]]:
    """The statement as the driver wants it, `$1` for the first of the names."""
    compiled: Any = statement.compile(dialect=_DIALECT)
    return compiled.string, compiled.positiontup


def _told_by_driver(error: BaseException) -> BaseException:
    """The driver's own word for why there is no connection."""
    # SQLAlchemy's adapter puts its own around it.
    told: BaseException = error.__cause__ or error if isinstance(error, AsyncAdapt_asyncpg_dbapi.Error) else error
    if isinstance(told, asyncpg.InterfaceError):
        # Closed by the server between being made and being set up; nothing of ours was asked of it yet.
        told = asyncpg.ConnectionDoesNotExistError("the new connection is closed")
    return told


async def _to_its_end(work: Callable[[], Awaitable[None]]) -> None:
    """Await `work` to its end also when the caller is cancelled meanwhile, and only then be cancelled."""
    task, cancelled = asyncio.ensure_future(work()), None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.done():
                raise
            cancelled = error
    if cancelled is not None:
        raise cancelled
