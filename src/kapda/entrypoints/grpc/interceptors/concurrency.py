"""Limits on calls at work at the same time: the one too many is told so at once instead of waiting in a line."""

import asyncio

from kapda.domain.shared.errors import Reason, UnavailableError
from kapda.entrypoints.grpc.admission import RETRY_AFTER_SECONDS
from kapda.entrypoints.grpc.call import Context
from kapda.entrypoints.grpc.interceptors.unary import Proceed, UnaryInterceptor
from kapda.entrypoints.grpc.lanes import Lanes

# What one process has in memory at once, whatever the calls wait for: with a slow gateway that is not for us.
MAX_CONCURRENT_CALLS = 400


class Concurrency(UnaryInterceptor):
    """Refuses calls above `limit`, and those whose lane is full. Health is not counted: an overloaded server is not a dead
    one."""

    def __init__(self, limit: int = MAX_CONCURRENT_CALLS) -> None:
        super().__init__()
        self.lanes = Lanes(limit)
        self._limit = limit
        self._at_work = 0
        self._closed = False
        self.turned_away = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def close(self) -> None:
        """Begin no more calls: they are refused, with a time to come back, and counted in `turned_away`."""
        self._closed = True

    async def idle(self) -> None:
        """Wait until no call is at work."""
        await self._idle.wait()

    async def around(self, method: str, request: bytes, context: Context, proceed: Proceed, /) -> bytes:
        """Serve the call if there is room. Raises UnavailableError (OVERLOADED, DRAINING)."""
        if self._closed:
            self.turned_away += 1
            raise UnavailableError(Reason.DRAINING, "the server is going away", retry_after=RETRY_AFTER_SECONDS)
        if self._at_work >= self._limit:
            raise UnavailableError(Reason.OVERLOADED, "too many calls at the moment", retry_after=RETRY_AFTER_SECONDS)
        lane, share = self.lanes.of(method)
        with lane.place(share):
            self._at_work += 1
            self._idle.clear()
            try:
                return await proceed(request, context)
            finally:
                self._at_work -= 1
                if self._at_work == 0:
                    self._idle.set()
