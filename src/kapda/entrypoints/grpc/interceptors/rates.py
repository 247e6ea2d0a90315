"""How often a caller may call: the one too many is refused with the time to wait."""

from collections.abc import Iterable

from google.protobuf.descriptor import ServiceDescriptor

from kapda.api.common.v1 import access_pb2
from kapda.entrypoints.grpc.call import Context, current
from kapda.entrypoints.grpc.interceptors.unary import Proceed, UnaryInterceptor
from kapda.entrypoints.grpc.rates import Bucket, IdentifierOf, RateLimits, read_rates, subject_readers, take

_OF_MOST_METHODS = (access_pb2.RATE_UNSPECIFIED, access_pb2.RATE_EXPENSIVE)


class Rates(UnaryInterceptor):
    """Counts each call that was let in, by its caller, or by its network where nobody signed in; the others the door counts.

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
        if call.principal is not None:
            bucket, key = Bucket.CALLER, str(call.principal.user_id)
        else:
            bucket, key = Bucket.NETWORK, call.client.text
        await take(self._limits, bucket, key)
        if expensive:
            await take(self._limits, Bucket.EXPENSIVE, key)

    async def _take_as_about_secrets(self, rate: int, method: str, request: bytes) -> None:
        network = current().client.text
        await take(self._limits, Bucket.AUTH_NETWORK, network)
        subject = self._subject(rate, method, request)
        if subject is None:
            return
        if rate == access_pb2.RATE_REFRESH:
            await take(self._limits, Bucket.REFRESH, subject)
        else:
            await take(self._limits, Bucket.AUTH, f"{method} {subject} {network}")

    def _subject(self, rate: int, method: str, request: bytes) -> str | None:
        """Whose account the call is about: the caller's, or that of the address or the token in the request."""
        principal = current().principal
        if rate == access_pb2.RATE_AUTH and principal is not None:
            return str(principal.user_id)
        subject = self._subjects[method](request) if method in self._subjects else None
        return None if subject is None else self._identifiers.of(subject)
