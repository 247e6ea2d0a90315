"""A limit of time for every call, and no call with money in it that brings too little."""

import asyncio
from collections.abc import Mapping

from kapda.domain.shared.errors import InvalidArgumentError, Reason
from kapda.entrypoints.grpc.call import Context
from kapda.entrypoints.grpc.deadlines import CAP_SECONDS, MINIMUM_SECONDS
from kapda.entrypoints.grpc.interceptors.unary import Proceed, UnaryInterceptor
from kapda.entrypoints.supervisor import DeadlineExceededError


class Deadlines(UnaryInterceptor):
    """Ends a call after `cap` seconds, and refuses one that brings less than its method's minimum.

    A shorter deadline of the caller's is kept by grpc itself, which cancels the handler; a call that comes to its turn after
    its deadline is not begun.
    """

    def __init__(self, cap: float = CAP_SECONDS, minimums: Mapping[str, float] = MINIMUM_SECONDS) -> None:
        super().__init__()
        self._cap = cap
        self._minimums = minimums

    async def around(self, method: str, request: bytes, context: Context, proceed: Proceed, /) -> bytes:
        """Serve the call in time. Raises InvalidArgumentError (DEADLINE_TOO_SHORT) or DeadlineExceededError."""
        # None without a deadline, whatever the type stubs say; 0.0 is one that has passed while the call waited.
        remaining: float | None = context.time_remaining()
        if remaining is not None and remaining <= 0:
            raise DeadlineExceededError
        minimum = self._minimums.get(method, 0.0)
        if remaining is not None and remaining < minimum:
            raise InvalidArgumentError(
                Reason.DEADLINE_TOO_SHORT,
                f"the call needs a deadline of at least {minimum:g} seconds",
                metadata={"minimum_seconds": f"{minimum:g}"},
            )
        limit = asyncio.timeout(self._cap)
        try:
            async with limit:
                return await proceed(request, context)
        except TimeoutError as error:
            # A TimeoutError from within is somebody else's, and a fault of ours.
            if limit.expired():
                raise DeadlineExceededError from error
            raise
