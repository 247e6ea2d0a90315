"""One id for each call: taken from the caller or made here, and given back behind every answer."""

import re
from collections.abc import Iterable
from uuid import uuid4

from kapda.entrypoints.grpc.call import REQUEST_ID_KEY, Call, Context, begin
from kapda.entrypoints.grpc.interceptors.unary import Proceed, UnaryInterceptor

# It goes into logs and metadata, so it has the alphabet of ids and is no place for anything else.
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIds(UnaryInterceptor):
    """Begins the call. A caller's `x-request-id` of 8 to 64 letters, digits, dots, hyphens or underscores is kept."""

    async def around(self, method: str, request: bytes, context: Context, proceed: Proceed, /) -> bytes:
        """Name the call, and send its name back with the response."""
        metadata = tuple(context.invocation_metadata() or ())
        call = Call(method, _request_id(metadata), metadata)
        begin(call)
        response = await proceed(request, context)
        context.set_trailing_metadata(call.trailing_metadata())
        return response


def _request_id(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    for key, value in metadata:
        if key == REQUEST_ID_KEY and isinstance(value, str) and _ACCEPTABLE.fullmatch(value):
            return value
    return str(uuid4())
