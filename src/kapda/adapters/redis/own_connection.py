"""A connection to Redis of one user's own, for what is asked with every call.

The client takes a connection from its pool for each command and does much around it: three times the work of sending a
command and reading its answer.
"""

from typing import Any

from redis import ConnectionError as LostError
from redis import ResponseError
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection


class OwnConnection:
    """Sends one command after another; whoever uses it waits for an answer before the next command."""

    def __init__(self, client: Redis) -> None:
        """Use a connection of the client's pool, with its settings and its limits of time; it goes when the client is
        closed."""
        self._pool = client.connection_pool
        self._connection: AbstractConnection | None = None

    async def execute(self, *command: str) -> Any:
        """The answer. A command may be sent twice: a connection that was lost is replaced once. Raises RedisError."""
        known, self._connection = self._connection, None
        if known is not None:
            try:
                return await self._execute_on(known, command)
            except LostError:
                # The server was restarted, or has closed what was idle.
                pass
        fresh: AbstractConnection = await self._pool.get_connection()  # type: ignore[no-untyped-call]
        return await self._execute_on(fresh, command)

    async def _execute_on(self, connection: AbstractConnection, command: tuple[str, ...]) -> Any:
        try:
            await connection.send_command(*command)
            answer = await connection.read_response()
        except ResponseError:
            self._connection = connection
            raise
        except BaseException:
            # What is still to come would be taken for the next command's answer.
            await connection.disconnect(nowait=True)
            await self._pool.release(connection)
            raise
        self._connection = connection
        return answer
