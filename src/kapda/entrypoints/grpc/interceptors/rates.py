"""How often a caller may call: the one too many is refused with the time to wait."""

from collections.abc import Iterable
from math import ceil

from google.protobuf.descriptor import ServiceDescriptor

from kapda.api.common.v1 import access_pb2
from kapda.domain.shared.errors import Reason, ResourceExhaustedError
from kapda.entrypoints.grpc.call import Context, current
from kapda.entrypoints.grpc.interceptors.unary import Proceed, UnaryInterceptor
from kapda.entrypoints.grpc.rates import Bucket, IdentifierOf, RateLimits, email_readers, read_rates


class Rates(UnaryInterceptor):
    """Counts each call that was let in, by its caller, or by its network where nobody signed in.

    Calls about passwords and tokens are counted by network, and those that name an account or come from one by that and
    the network besides. Health is not counted.
    """

    def __init__(self, services: Iterable[ServiceDescriptor], limits: RateLimits, identifiers: IdentifierOf) -> None:
        super().__init__()
        known = list(services)
        self._rates = read_rates(known)
        self._emails = email_readers(known)
        self._limits = limits
        self._identifiers = identifiers

    async def around(self, method: str, request: bytes, context: Context, proceed: Proceed, /) -> bytes:
        """Serve the call if it is not one too many. Raises ResourceExhaustedError (RATE_LIMITED)."""
        call = current()
        rate = self._rates[method]
        if rate == access_pb2.RATE_UNSPECIFIED:
            if call.caller_id is not None and call.principal is not None:
                await self._take(Bucket.CALLER, call.caller_id)
            else:
                await self._take(Bucket.NETWORK, call.client.text)
        else:
            await self._take(Bucket.AUTH_NETWORK, call.client.text)
            subject = self._subject(method, request) if rate == access_pb2.RATE_AUTH else None
            if subject is not None:
                await self._take(Bucket.AUTH, f"{method} {subject} {call.client.text}")
        return await proceed(request, context)

    def _subject(self, method: str, request: bytes) -> str | None:
        """Whose account the call is about: the caller's, or that of the address in the request."""
        principal = current().principal
        if principal is not None:
            return str(principal.user_id)
        email = self._emails[method](request) if method in self._emails else None
        return None if email is None else self._identifiers.of(email)

    async def _take(self, bucket: Bucket, key: str) -> None:
        wait = await self._limits.take(bucket.value, key)
        if wait is not None:
            seconds = max(1, ceil(wait))
            raise ResourceExhaustedError(
                Reason.RATE_LIMITED,
                f"too many calls; try again in {seconds} s",
                metadata={"limit": bucket.value, "retry_after_seconds": str(seconds)},
                retry_after=seconds,
            )
