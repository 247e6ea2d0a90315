"""How often a caller may call: the one too many is refused with the time to wait."""

from collections.abc import Iterable
from math import ceil

from google.protobuf.descriptor import ServiceDescriptor

from kapda.api.common.v1 import access_pb2
from kapda.domain.shared.errors import Reason, ResourceExhaustedError
from kapda.entrypoints.grpc.call import Context, current
from kapda.entrypoints.grpc.interceptors.unary import Proceed, UnaryInterceptor
from kapda.entrypoints.grpc.rates import Bucket, IdentifierOf, RateLimits, read_rates, subject_readers

_OF_MOST_METHODS = (access_pb2.RATE_UNSPECIFIED, access_pb2.RATE_EXPENSIVE)


class Rates(UnaryInterceptor):
    """Counts each call that was let in, by its caller, or by its network where nobody signed in.

    Calls about passwords and tokens are counted by network, and those that name an account or come from one by that and
    the network besides; a refresh by its token, and what costs much once more with all that does. Health is not counted.
    """

    def __init__(self, services: Iterable[ServiceDescriptor], limits: RateLimits, identifiers: IdentifierOf) -> None:
        super().__init__()
        known = list(services)
        self._rates = read_rates(known)
        self._subjects = subject_readers(known)
        self._limits = limits
        self._identifiers = identifiers

    async def around(self, method: str, request: bytes, context: Context, proceed: Proceed, /) -> bytes:
        """Serve the call if it is not one too many. Raises ResourceExhaustedError (RATE_LIMITED)."""
        rate = self._rates[method]
        if rate in _OF_MOST_METHODS:
            await self._take_as_most(expensive=rate == access_pb2.RATE_EXPENSIVE)
        else:
            await self._take_as_about_secrets(rate, method, request)
        return await proceed(request, context)

    async def _take_as_most(self, *, expensive: bool) -> None:
        call = current()
        if call.caller_id is not None and call.principal is not None:
            bucket, key = Bucket.CALLER, call.caller_id
        else:
            bucket, key = Bucket.NETWORK, call.client.text
        await self._take(bucket, key)
        if expensive:
            await self._take(Bucket.EXPENSIVE, key)

    async def _take_as_about_secrets(self, rate: int, method: str, request: bytes) -> None:
        network = current().client.text
        await self._take(Bucket.AUTH_NETWORK, network)
        subject = self._subject(rate, method, request)
        if subject is None:
            return
        if rate == access_pb2.RATE_REFRESH:
            await self._take(Bucket.REFRESH, subject)
        else:
            await self._take(Bucket.AUTH, f"{method} {subject} {network}")

    def _subject(self, rate: int, method: str, request: bytes) -> str | None:
        """Whose account the call is about: the caller's, or that of the address or the token in the request."""
        principal = current().principal
        if rate == access_pb2.RATE_AUTH and principal is not None:
            return str(principal.user_id)
        subject = self._subjects[method](request) if method in self._subjects else None
        return None if subject is None else self._identifiers.of(subject)

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
