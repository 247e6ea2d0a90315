"""Values on the wire say what the domain's say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from kapda.entrypoints.grpc.translate.users import audit_entry_to_proto
from kapda.entrypoints.grpc.translate.values import timestamp
from tests.entrypoints.grpc.samples import AUDIT_ENTRY

_ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=_ZONES))  # noqa: DTZ001  (the zones follow)
def test_an_instant_is_the_same_timestamp_that_protobuf_makes_of_it(instant: datetime) -> None:
    expected = Timestamp()
    expected.FromDatetime(instant)
    assert timestamp(instant) == expected
    assert timestamp(instant).ToDatetime(UTC) == instant


def test_an_audit_entry_is_told_with_its_details_and_with_the_traces_that_are_still_there() -> None:
    seen = replace(AUDIT_ENTRY, traces={"client_network": "203.0.113.0/24", "user_agent": None})
    told = {"client_network": "203.0.113.0/24", "user_agent": ""}
    assert dict(audit_entry_to_proto(seen).details) == {"state_before": "active", **told}
    assert dict(audit_entry_to_proto(AUDIT_ENTRY).details) == {"state_before": "active"}
