"""Reads a request's raw bytes within a limit of size."""

from starlette.requests import Request


class BodyTooLargeError(Exception):
    """The body is longer than the limit."""


async def read_body(request: Request, limit: int) -> bytes:
    """The bytes as they came, `limit` of them at most.

    Raises BodyTooLargeError, at the announced length or at the first byte too many, and starlette's ClientDisconnect.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise BodyTooLargeError
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise BodyTooLargeError
    return bytes(body)
