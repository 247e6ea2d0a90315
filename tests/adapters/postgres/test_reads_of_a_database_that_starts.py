"""Reads outside a unit of work meet a database that is starting up: an answer to come back, like everybody's."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.catalog import PostgresProducts
from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.promises import PostgresPromiseAuditor
from kapda.adapters.postgres.sessions import PostgresSessionReader
from kapda.adapters.system.clock import SystemClock
from kapda.domain.catalog.listing import ProductFilter, Sort
from kapda.domain.catalog.search_text import SearchText
from kapda.domain.shared.errors import Reason, UnavailableError
from kapda.domain.shared.ids import ProductId, SessionId
from kapda.domain.shared.pages import PageRequest

_FIELDS = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"
_STARTING_UP = b"E" + struct.pack("!i", len(_FIELDS) + 4) + _FIELDS


@pytest.fixture
async def starting_up() -> AsyncIterator[AsyncEngine]:
    """A server that refuses every connection in PostgreSQL's own words."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length, code = struct.unpack("!ii", await reader.readexactly(8))
        if code == 80877103:  # would the server like TLS? It would not.
            writer.write(b"N")
            length, _ = struct.unpack("!ii", await reader.readexactly(8))
        await reader.readexactly(length - 8)
        writer.write(_STARTING_UP)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    engine = make_engine(f"postgresql://nobody@127.0.0.1:{server.sockets[0].getsockname()[1]}/kapda")
    yield engine
    await engine.dispose()
    server.close()


READS: dict[str, Callable[[AsyncEngine], Awaitable[object]]] = {
    "list": lambda engine: PostgresProducts(engine).list(ProductFilter(), Sort.NEWEST, PageRequest(20)),
    "search": lambda engine: PostgresProducts(engine).search(
        SearchText.parse("kurta"), ProductFilter(), PageRequest(20)
    ),
    "get": lambda engine: PostgresProducts(engine).get(ProductId(uuid4())),
    "session": lambda engine: PostgresSessionReader(engine).find(SessionId(uuid4())),
    "promises": lambda engine: PostgresPromiseAuditor(engine).findings(SystemClock().now()),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
async def test_a_read_of_a_database_that_starts_is_told_as_unavailable(
    starting_up: AsyncEngine, read: Callable[[AsyncEngine], Awaitable[object]]
) -> None:
    with pytest.raises(UnavailableError) as refused:
        await read(starting_up)
    assert refused.value.reason is Reason.DATABASE_UNAVAILABLE
    assert refused.value.retry_after is not None
