"""Values on the wire say what the domain's say."""

from datetime import UTC, datetime, timedelta, timezone

from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from kapda.entrypoints.grpc.translate.values import timestamp

_ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=_ZONES))  # noqa: DTZ001  (the zones follow)
def test_an_instant_is_the_same_timestamp_that_protobuf_makes_of_it(instant: datetime) -> None:
    expected = Timestamp()
    expected.FromDatetime(instant)
    assert timestamp(instant) == expected
    assert timestamp(instant).ToDatetime(UTC) == instant
