"""Connections to Redis of one user's own, for what is asked with every call or with every log-in.

The client takes a connection from its pool for each command and does much around it: three times the work of sending a
command and reading its answer.
"""

import asyncio
from typing import Any

from redis import ConnectionError as LostError
from redis import ResponseError
from redis import TimeoutError as NoAnswerError
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError

# Commands at once that find one at hand; more take theirs from the pool and give it back.
KEPT = 2


class OwnConnections:
    """Sends each command on a connection that nobody else uses meanwhile, and keeps a few of them at hand."""

    def __init__(self, client: Redis, *, kept: int = KEPT) -> None:
        """Use connections of the client's pool, with its settings and its limit of time, here for a command and its answer
        together; they go when the client is closed."""
        self._pool = client.connection_pool
        self._patience: float | None = self._pool.connection_kwargs.get("socket_timeout")
        self._kept = kept
        self._idle: list[AbstractConnection] = []

    async def run(self, script: AsyncScript, *arguments: str) -> Any:
        """A script's answer; the arguments are how many keys there are, the keys, and the rest. As `execute`."""
        try:
            return await self.execute("EVALSHA", script.sha, *arguments)
        except NoScriptError:
            return await self.execute("EVAL", str(script.script), *arguments)

    async def execute(self, *command: str) -> Any:
        """The answer. A command may be sent twice: a connection that was lost is replaced once. Raises RedisError."""
        if self._idle:
            try:
                return await self._execute_on(self._idle.pop(), command)
            except LostError:
                # The server was restarted, or has closed what was idle: the others are no better.
                await self._let_go()
        fresh: AbstractConnection = await self._pool.get_connection()  # type: ignore[no-untyped-call]
        # The client's own limit would take a task for each command, and another timer for each answer.
        fresh.socket_timeout = None
        return await self._execute_on(fresh, command)

    async def _execute_on(self, connection: AbstractConnection, command: tuple[str, ...]) -> Any:
        try:
            async with asyncio.timeout(self._patience):
                await connection.send_command(*command)
                answer = await connection.read_response()
        except ResponseError:
            await self._put_back(connection)
            raise
        except BaseException as error:
            # What is still to come would be taken for the next command's answer.
            await self._drop(connection)
            if isinstance(error, TimeoutError):
                raise NoAnswerError("no answer in time") from error
            raise
        await self._put_back(connection)
        return answer

    async def _put_back(self, connection: AbstractConnection) -> None:
        if len(self._idle) < self._kept:
            self._idle.append(connection)
        else:
            await self._release(connection)

    async def _let_go(self) -> None:
        lost, self._idle = self._idle, []
        for connection in lost:
            await self._drop(connection)

    async def _drop(self, connection: AbstractConnection) -> None:
        await connection.disconnect(nowait=True)
        await self._release(connection)

    async def _release(self, connection: AbstractConnection) -> None:
        connection.socket_timeout = self._patience
        await self._pool.release(connection)
