"""Whether a value grows: the slope of what was looked at again and again."""

import statistics
from collections.abc import Sequence
from typing import Final

import msgspec

# A share of the looks at the beginning does not count: caches fill, pools open, statements are prepared.
_WARM_UP: Final = 0.3
# What a value may seem to gain a minute: a part of itself, or the grain of what it is counted in, by the name's last word.
_PART: Final = 0.01
_GRAINS: Final = {"MiB": 1.0, "KiB": 64.0, "rows": 300.0, "row": 4.0}
_GRAIN: Final = 2.0


class Sample(msgspec.Struct, frozen=True):
    """One look, so many seconds after the beginning."""

    at: float
    values: dict[str, float]


class Trend(msgspec.Struct, frozen=True):
    """Of one value after the warm-up: its median, what it gains a minute, and how much of that is as good as nothing."""

    median: float
    a_minute: float
    allowed_a_minute: float

    @property
    def flat(self) -> bool:
        """Whether it does not grow. What shrinks is as welcome."""
        return self.a_minute <= self.allowed_a_minute


def trends_of(samples: Sequence[Sample]) -> dict[str, Trend]:
    """The slope of every value, by least squares over what comes after the warm-up; none of what was not always seen in it.

    Raises ValueError for no samples.
    """
    if not samples:
        raise ValueError("nobody has looked")
    after = samples[int(_WARM_UP * len(samples)) :]
    found = {}
    for name in after[0].values:
        if not all(name in sample.values for sample in after):
            continue
        values = [sample.values[name] for sample in after]
        slope = statistics.linear_regression([sample.at for sample in after], values).slope if len(after) > 1 else 0.0
        median = statistics.median(values)
        grain = _GRAINS.get(name.rpartition(" ")[2], _GRAIN)
        found[name] = Trend(round(median, 1), round(60 * slope, 2), round(max(_PART * median, grain), 2))
    return found
