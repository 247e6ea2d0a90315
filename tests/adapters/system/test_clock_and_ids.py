from datetime import UTC, datetime, timedelta
from uuid import UUID

from kapda.adapters.system.clock import SystemClock
from kapda.adapters.system.ids import Uuid7Generator


def test_the_clock_tells_utc() -> None:
    before = datetime.now(UTC)
    told = SystemClock().now()
    assert told.utcoffset() == timedelta(0)
    assert before <= told <= datetime.now(UTC)


def test_ids_are_version_7_unique_and_ascending() -> None:
    generator = Uuid7Generator()
    ids = [generator.new() for _ in range(10_000)]
    assert all(type(one) is UUID and one.version == 7 for one in ids)
    assert ids == sorted(set(ids))
