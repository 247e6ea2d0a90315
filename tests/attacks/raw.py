"""A gRPC call without gRPC's client: HTTP/2 with whatever headers and bytes an attacker writes and no client would send."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events

from tests.attacks.contract import Method

_SECONDS = 5.0
_CHUNK = 64 * 1024


@dataclass
class RawAnswer:
    """What came back: header and trailer fields together, the bytes, and whether the server broke the stream off."""

    fields: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    reset: bool = False

    @property
    def code(self) -> int | None:
        """The status, as a number; None where the server broke off without one."""
        return int(self.fields["grpc-status"]) if "grpc-status" in self.fields else None

    @property
    def text(self) -> str:
        """All that was said."""
        return f"{self.fields} {self.body!r}"


def framed(message: bytes, *, compressed: int = 0, announced: int | None = None) -> bytes:
    """A message as gRPC writes it, with another length than it has where a test says so."""
    return bytes([compressed]) + (len(message) if announced is None else announced).to_bytes(4, "big") + message


async def call_raw(
    port: int, method: Method, body: bytes, headers: Iterable[tuple[str, str | bytes]] = (), **instead: str
) -> RawAnswer:
    """One call. `instead` replaces a header that every call has, its name written with `_`; "" leaves it out."""
    usual = {":method": "POST", ":scheme": "http", ":path": method.path, ":authority": "kapda"}
    usual |= {"te": "trailers", "content-type": "application/grpc"}
    usual |= {name.replace("__", ":").replace("_", "-"): value for name, value in instead.items()}
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(_SECONDS):
            return await _talk(reader, writer, [*((n, v) for n, v in usual.items() if v), *headers], body)
    finally:
        writer.close()


async def _talk(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    headers: list[tuple[str, str | bytes]],
    body: bytes,
) -> RawAnswer:
    # Whatever the test writes goes out as it is.
    config = h2.config.H2Configuration(
        header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False
    )
    connection = h2.connection.H2Connection(config)
    connection.initiate_connection()
    writer.write(connection.data_to_send())
    # The server's limits are those of the call once they are acknowledged.
    while not any(
        isinstance(event, h2.events.SettingsAcknowledged)
        for event in connection.receive_data(await reader.read(_CHUNK))
    ):
        writer.write(connection.data_to_send())
    connection.send_headers(1, headers)
    connection.send_data(1, body, end_stream=True)
    writer.write(connection.data_to_send())
    answer = RawAnswer()
    while received := await reader.read(_CHUNK):
        for event in connection.receive_data(received):
            match event:
                case h2.events.ResponseReceived() | h2.events.TrailersReceived():
                    answer.fields |= {n.decode("latin-1"): v.decode("latin-1") for n, v in event.headers or ()}
                case h2.events.DataReceived():
                    answer.body += event.data or b""
                    connection.acknowledge_received_data(event.flow_controlled_length or 0, 1)
                case h2.events.StreamEnded():
                    return answer
                case h2.events.StreamReset() | h2.events.ConnectionTerminated():
                    answer.reset = True
                    return answer
        writer.write(connection.data_to_send())
    answer.reset = True
    return answer
