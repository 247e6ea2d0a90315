"""Calls counted in Redis by the library `limits`, with most calls counted in the process alone.

A process takes a twentieth of a limit at once and spends it by itself, so one call in many asks Redis, and a caller
whose limit is used up is refused without asking. What a process took and did not spend is lost to the caller: with a
few processes, a fraction of the limit. Without Redis each process counts for itself.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakValueDictionary

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter, SlidingWindowCounterRateLimiter
from redis import RedisError
from redis.asyncio import Redis

# Of a limit, in one go.
SHARE = 20
# After a failure Redis is left alone for so long, so that calls do not each wait for a server that hangs.
REST_SECONDS = 1.0
# Callers a process remembers, 200 bytes each; whoever is forgotten asks Redis again.
MAX_REMEMBERED = 50_000


@dataclass(slots=True)
class _Purse:
    """What is left of what was taken, or that nothing is to be had, until when."""

    left: int
    until: float

    @property
    def settles(self) -> bool:
        """Whether it says of a call if it may be served."""
        return self.left != 0 and _now() < self.until

    def pay(self) -> float | None:
        """None if the call may be served, else the seconds to wait; from a purse that settles it."""
        if self.left < 0:
            return self.until - _now()
        self.left -= 1
        return None


class _Storage(RedisStorage):
    """The library's own, which would load every client for Redis that is installed, seven megabytes of them."""

    DEPENDENCIES = {"redis": RedisStorage.DEPENDENCIES["redis"]}  # noqa: RUF012  (as the library has it)


class RedisRateLimits:
    """RateLimits; buckets by name, each with a limit such as `5 per 15 minutes`."""

    def __init__(self, client: Redis, limits: Mapping[str, str], *, rest: float = REST_SECONDS) -> None:
        """Use the connections of `client`, which must give up quickly. Raises ValueError for a text that is no limit."""
        self._limits = {bucket: parse(text) for bucket, text in limits.items()}
        storage = _Storage(
            # The library wants an address beside the connections that it is to use.
            "async+redis://unused:0",
            implementation="redispy",
            key_prefix="kapda:rates",
            connection_pool=client.connection_pool,  # type: ignore[arg-type]
        )
        self._shared = SlidingWindowCounterRateLimiter(storage)
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._purses: OrderedDict[tuple[str, str], _Purse] = OrderedDict()
        self._asking: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._rest = rest
        self._resting_until = 0.0

    async def take(self, bucket: str, key: str) -> float | None:
        """None if the call may be served, else the seconds to wait."""
        purse = self._purses.get((bucket, key))
        if purse is not None and purse.settles:
            return purse.pay()
        item = self._limits[bucket]
        if not _is_shared_out(item):
            return await self._ask(item, bucket, key)
        # A crowd of one caller takes one share for all: a share for each of them would be the whole limit.
        async with self._asking.setdefault((bucket, key), asyncio.Lock()):
            purse = self._purses.get((bucket, key))
            return purse.pay() if purse is not None and purse.settles else await self._ask(item, bucket, key)

    def spent(self, bucket: str, key: str) -> float | None:
        """The seconds to wait, where this process knows that nothing is to be had."""
        purse = self._purses.get((bucket, key))
        return purse.pay() if purse is not None and purse.left < 0 and purse.settles else None

    async def _ask(self, item: RateLimitItem, bucket: str, key: str) -> float | None:
        if _now() < self._resting_until:
            return await self._take_own(item, bucket, key)
        try:
            return await self._take_shared(item, bucket, key)
        except RedisError:
            self._resting_until = _now() + self._rest
            return await self._take_own(item, bucket, key)

    async def _take_shared(self, item: RateLimitItem, bucket: str, key: str) -> float | None:
        share = item.amount // SHARE
        if _is_shared_out(item) and await self._shared.hit(item, bucket, key, cost=share):
            self._remember(bucket, key, _Purse(share - 1, _now() + item.get_expiry()))
            return None
        if await self._shared.hit(item, bucket, key):
            return None
        stats = await self._shared.get_window_stats(item, bucket, key)
        # When there is room for one more, and never so long that a caller is refused for nothing.
        wait = min(max(stats.reset_time - time.time(), 1.0), float(item.get_expiry()))
        self._remember(bucket, key, _Purse(-1, _now() + wait))
        return wait

    async def _take_own(self, item: RateLimitItem, bucket: str, key: str) -> float | None:
        if await self._own.hit(item, bucket, key):
            return None
        stats = await self._own.get_window_stats(item, bucket, key)
        wait = max(stats.reset_time - time.time(), 1.0)
        self._remember(bucket, key, _Purse(-1, _now() + wait))
        return wait

    def _remember(self, bucket: str, key: str, purse: _Purse) -> None:
        self._purses[bucket, key] = purse
        self._purses.move_to_end((bucket, key))
        if len(self._purses) > MAX_REMEMBERED:
            self._purses.popitem(last=False)


def _is_shared_out(item: RateLimitItem) -> bool:
    """Whether a share of the limit is more than one call."""
    return item.amount >= 2 * SHARE


_now = time.monotonic
