"""RateLimits in memory: calls are counted, and refused where a test says so."""

from dataclasses import dataclass, field


@dataclass
class CountedCalls:
    """`allowed` is how many calls fit into a bucket; any number where none is named. Nothing ever empties."""

    allowed: dict[str, int] = field(default_factory=dict)
    taken: dict[tuple[str, str], int] = field(default_factory=dict)

    async def take(self, bucket: str, key: str) -> float | None:
        count = self.taken.get((bucket, key), 0)
        if bucket in self.allowed and count >= self.allowed[bucket]:
            return 42.5
        self.taken[bucket, key] = count + 1
        return None
