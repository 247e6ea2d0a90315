"""Posts bodies over kept-alive HTTP/1.1 connections and looks only at the status.

A general client costs several milliseconds of CPU a post once some dozens run at a time (measured with httpx), more than
everything else the emulator does for a purchase; this costs about a tenth of a millisecond.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

# A longer answer is not read: its status is known, and closing the connection is cheaper.
_READ_LIMIT = 64 * 1024


class BadAnswerError(Exception):
    """What came back was not HTTP."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to post, taken apart. `host` and `port` are connected to, `authority` and `target` are sent."""

    host: str
    port: int
    secure: bool
    authority: str
    target: str


def parse_address(url: str) -> Address:
    """Takes an address apart.

    Raises:
        ValueError: it is no http or https address of a host.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii() or not url.isprintable():
        raise ValueError("the address of webhooks must be an http or https URL")
    secure = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    authority = parts.netloc.rpartition("@")[2]
    return Address(parts.hostname, parts.port or (443 if secure else 80), secure, authority, target.replace(" ", "%20"))


@dataclass(frozen=True, slots=True)
class _Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def usable(self) -> bool:
        return not (self.writer.is_closing() or self.reader.at_eof())


class Postbox:
    """The connections; at most as many as there were posts at one time."""

    def __init__(self) -> None:
        self._idle: dict[Address, list[_Line]] = {}

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Posts and returns the status.

        Raises:
            OSError, EOFError, BadAnswerError: no connection, or no answer that is HTTP.
        """
        address = parse_address(url)
        line = await self._line(address)
        keep = False
        try:
            line.writer.write(_request(address, headers, body))
            await line.writer.drain()
            status, keep = await _status(line.reader)
        finally:
            if keep:
                self._idle.setdefault(address, []).append(line)
            else:
                line.writer.close()
        return status

    def close(self) -> None:
        """Closes the idle connections."""
        for lines in self._idle.values():
            for line in lines:
                line.writer.close()
        self._idle.clear()

    async def _line(self, address: Address) -> _Line:
        idle = self._idle.get(address, [])
        while idle:
            line = idle.pop()
            if line.usable:
                return line
            line.writer.close()
        return _Line(*await asyncio.open_connection(address.host, address.port, ssl=address.secure or None))


def _request(address: Address, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"POST {address.target} HTTP/1.1", f"Host: {address.authority}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def _status(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """Reads an answer; returns its status and whether the connection can be used again."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise BadAnswerError("the answer's head is too long") from error
    first, *rest = head.decode("latin-1").split("\r\n")
    version, _, tail = first.partition(" ")
    if not version.startswith("HTTP/1.") or not tail[:3].isdigit():
        raise BadAnswerError("the answer is not HTTP/1")
    status = int(tail[:3])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    length = "0" if status == HTTPStatus.NO_CONTENT else headers.get("content-length", "")
    keep = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    if not keep or not length.isdigit() or int(length) > _READ_LIMIT:
        return status, False
    await reader.readexactly(int(length))
    return status, True
