"""Work on money is tried again and again, and never too often."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapda.domain.payments.gateway_event import retry_delay


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 2), (2, 4), (3, 8), (4, 16), (11, 2_048), (12, 3_600), (13, 3_600), (10**9, 3_600)]
)
def test_the_wait_doubles_from_two_seconds_to_an_hour(attempts: int, seconds: int) -> None:
    assert retry_delay(attempts) == timedelta(seconds=seconds)


@given(st.integers(1, 10_000))
def test_the_wait_never_shrinks(attempts: int) -> None:
    assert timedelta(seconds=2) <= retry_delay(attempts) <= retry_delay(attempts + 1) <= timedelta(hours=1)
