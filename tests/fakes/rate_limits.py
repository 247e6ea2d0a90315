"""RateLimits in memory: calls are counted, and refused where a test says so."""

from dataclasses import dataclass, field
from math import inf


@dataclass
class CountedCalls:
    """`allowed` is how many calls fit into a bucket; any number where none is named. Nothing ever empties."""

    allowed: dict[str, int] = field(default_factory=dict)
    taken: dict[tuple[str, str], int] = field(default_factory=dict)

    async def take(self, bucket: str, key: str) -> float | None:
        wait = self.spent(bucket, key)
        if wait is None:
            self.taken[bucket, key] = self.taken.get((bucket, key), 0) + 1
        return wait

    def spent(self, bucket: str, key: str) -> float | None:
        return 42.5 if self.taken.get((bucket, key), 0) >= self.allowed.get(bucket, inf) else None
