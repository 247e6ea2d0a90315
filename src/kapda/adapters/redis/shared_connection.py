"""A connection to Redis that all commands of one user share, for what is asked with every call or with every log-in.

Commands go out as they come and their answers come back in the same order, so nobody waits for anybody else's round trip and
a crowd's go together. The client takes a connection from its pool for each command, and a task and a timer for each answer:
three times the work of sending a command and reading its answer.
"""

import asyncio
from collections import deque
from typing import Any, Final

import hiredis
from redis import ConnectionError as LostError
from redis import InvalidResponse, RedisError, ResponseError
from redis import TimeoutError as NoAnswerError
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError

# What the parser answers when it has only a part of an answer; its own word for that is also Redis's for no.
_PART: Final = object()


class SharedConnection:
    """Sends commands over one connection of a client's, which is replaced when it is lost.

    Not for commands that wait on the server, such as BLPOP: everybody behind them would wait too.
    """

    def __init__(self, client: Redis) -> None:
        """Use a connection of the client's pool, with its settings and its limit of time, here for each answer; it goes when
        the client is closed."""
        self._pool = client.connection_pool
        self._wire: _Wire | None = None
        self._connecting: asyncio.Task[_Wire] | None = None

    async def run(self, script: AsyncScript, *arguments: str) -> Any:
        """A script's answer; the arguments are how many keys there are, the keys, and the rest. As `execute`."""
        try:
            return await self.execute("EVALSHA", script.sha, *arguments)
        except NoScriptError:
            return await self.execute("EVAL", str(script.script), *arguments)

    async def execute(self, *command: str) -> Any:
        """The answer, its strings decoded. A command may be sent twice: a connection that was lost is replaced once. Raises
        RedisError."""
        # Its stub says a tuple of one.
        packed = hiredis.pack_command(command)  # type: ignore[arg-type]
        wire = self._wire
        if wire is not None and wire.is_open:
            try:
                return await wire.ask(packed)
            except LostError:
                # The server was restarted, or has closed what was idle.
                pass
        return await (await self._connected()).ask(packed)

    async def _connected(self) -> "_Wire":
        """The connection, made once for all who wait for it: they share also what keeps it from being made."""
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect())
            self._connecting.add_done_callback(self._end_connecting)
        return await asyncio.shield(self._connecting)

    def _end_connecting(self, _: "asyncio.Task[_Wire]") -> None:
        self._connecting = None

    async def _connect(self) -> "_Wire":
        lost, self._wire = self._wire, None
        if lost is not None:
            if lost.is_open:
                # Somebody else has replaced it since the caller looked.
                self._wire = lost
                return lost
            await lost.connection.disconnect(nowait=True)
            await self._pool.release(lost.connection)
        connection: AbstractConnection = await self._pool.get_connection()  # type: ignore[no-untyped-call]
        self._wire = _Wire(connection, patience=self._pool.connection_kwargs["socket_timeout"])
        return self._wire


class _Wire(asyncio.Protocol):
    """What goes over a connection that the client has made and signed in on: its reader and writer are left out."""

    def __init__(self, connection: AbstractConnection, *, patience: float) -> None:
        """Take the connection over. `patience` is in seconds."""
        self.connection = connection
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        # Answers by when they are due.
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._parser = hiredis.Reader(InvalidResponse, _refusal, encoding="utf-8", notEnoughData=_PART)
        writer: asyncio.StreamWriter = connection._writer  # type: ignore[assignment]  # noqa: SLF001
        self._transport = writer.transport
        # The client waits for this one to hear of the end.
        self._before = self._transport.get_protocol()
        self._transport.set_protocol(self)
        self.is_open = not self._transport.is_closing()

    def ask(self, packed: bytes) -> "asyncio.Future[Any]":
        """The answer to a packed command."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        if not self.is_open:
            answer.set_exception(LostError("the connection was lost"))
            return answer
        self._waiting.append((self._loop.time() + self._patience, answer))
        if self._timer is None:
            # One for all who come until it is due: it is set anew then for whoever waits longest.
            self._timer = self._loop.call_later(self._patience, self._look)
        self._transport.write(packed)
        return answer

    def data_received(self, data: bytes) -> None:
        """Give each answer to whoever waits longest, who may have gone."""
        self._parser.feed(data)
        try:
            while (answer := self._parser.gets()) is not _PART:
                # Notes of the server's own accord answer nobody.
                if not isinstance(answer, hiredis.PushNotification):
                    _tell(self._waiting.popleft()[1], answer)
        except (InvalidResponse, IndexError, UnicodeDecodeError):
            # Whose answer is whose, nobody knows any more.
            self._end(LostError, "the server does not speak as it should")

    def connection_lost(self, error: Exception | None) -> None:
        """Tell whoever waits."""
        self._end(LostError, "the connection was lost")
        self._before.connection_lost(error)

    def _look(self) -> None:
        self._timer = None
        if not self._waiting:
            return
        left = self._waiting[0][0] - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._end(NoAnswerError, "no answer in time")

    def _end(self, kind: type[RedisError], text: str) -> None:
        """What is still to come would be taken for other commands' answers."""
        self.is_open = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, deque()
        for _, answer in waiting:
            _tell(answer, kind(text))
        self._transport.abort()


def _tell(waiting: "asyncio.Future[Any]", answer: Any) -> None:
    if waiting.done():
        return
    if isinstance(answer, Exception):
        waiting.set_exception(answer)
    else:
        waiting.set_result(answer)


def _refusal(text: str) -> ResponseError:
    return NoScriptError(text) if text.startswith("NOSCRIPT") else ResponseError(text)
