"""The way to the gateway, as a door that can be shut: nobody listens there any more, and the gateway keeps its books."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

_CHUNK = 64 * 1024


@dataclass
class Door:
    """Passes connections on to `host` and `port`. Shut, it refuses them, and those that stood are broken."""

    host: str
    port: int
    _server: asyncio.Server | None = None
    _address: int = 0
    _passing: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where it is, the same whenever it opens."""
        return f"http://127.0.0.1:{self._address}"

    async def open(self) -> None:
        """Let everybody in."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self._address)
        self._address = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Let nobody in, and throw out whoever is."""
        if self._server is not None:
            self._server.close()
        for writer in self._passing:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside, outside = await asyncio.open_connection(self.host, self.port)
        self._passing |= {writer, outside}
        try:
            await asyncio.gather(_copy(reader, outside), _copy(inside, writer))
        finally:
            self._passing -= {writer, outside}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(_CHUNK):
            writer.write(piece)
            await writer.drain()
    writer.close()
