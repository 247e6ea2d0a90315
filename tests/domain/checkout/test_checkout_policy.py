"""The times and charges of a checkout."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapda.domain.checkout.policy import (
    CAPTURE_WINDOW,
    HOLD_SLACK,
    OPEN_CHECK_INTERVAL,
    PAY_WINDOW,
    WATCH_PERIOD,
    ShippingPolicy,
    next_check,
)
from kapda.domain.shared.money import Money
from tests.fakes.samples import NOON, rupees

HOLD_UNTIL = NOON + PAY_WINDOW + CAPTURE_WINDOW + HOLD_SLACK
MINUTE = timedelta(minutes=1)


def test_the_gateway_cannot_capture_by_itself_after_the_hold() -> None:
    assert timedelta(minutes=12) <= CAPTURE_WINDOW, "the gateway's own minimum"
    assert timedelta(0) < HOLD_SLACK
    assert NOON + PAY_WINDOW + CAPTURE_WINDOW < HOLD_UNTIL


def test_an_open_checkout_is_looked_at_every_minute_and_when_its_hold_runs_out() -> None:
    assert next_check(NOON, HOLD_UNTIL, NOON, 0) == NOON + OPEN_CHECK_INTERVAL
    assert next_check(NOON, HOLD_UNTIL, HOLD_UNTIL - timedelta(seconds=10), 0) == HOLD_UNTIL


@pytest.mark.parametrize(
    ("attempts", "minutes"), [(0, 10), (1, 30), (2, 60), (3, 180), (4, 360), (5, 720), (6, 720), (1_000, 720)]
)
def test_a_checkout_that_is_over_is_looked_at_ever_more_rarely(attempts: int, minutes: int) -> None:
    assert next_check(NOON, HOLD_UNTIL, HOLD_UNTIL, attempts) == HOLD_UNTIL + minutes * MINUTE


def test_the_watch_ends_after_a_week() -> None:
    end = NOON + WATCH_PERIOD
    assert next_check(NOON, HOLD_UNTIL, end - 720 * MINUTE - MINUTE, 9) == end - MINUTE
    assert next_check(NOON, HOLD_UNTIL, end - 720 * MINUTE, 9) is None
    assert next_check(NOON, HOLD_UNTIL, end + timedelta(days=1), 9) is None


@given(st.integers(0, 8 * 24 * 3600))
def test_the_next_look_is_always_later(seconds: int) -> None:
    now = NOON + timedelta(seconds=seconds)
    again = next_check(NOON, HOLD_UNTIL, now, 0)
    assert again is None or again > now


def test_the_looks_cover_three_days_of_late_authorisation_without_a_gap_of_a_day() -> None:
    now: datetime | None = NOON
    looks, late = [], 0
    while now is not None:
        looks.append(now)
        late, attempts = (late + 1, late) if now >= HOLD_UNTIL else (0, 0)
        now = next_check(NOON, HOLD_UNTIL, now, attempts)
    assert looks[-1] > NOON + timedelta(days=3)
    assert len(looks) < 60
    assert max(later - earlier for earlier, later in pairwise(looks)) <= timedelta(hours=12)


def test_shipping_is_flat_and_free_from_a_threshold_on() -> None:
    policy = ShippingPolicy(charge=rupees(99), free_from=rupees(1_999))
    assert policy.charge_for(rupees(1_998)) == rupees(99)
    assert policy.charge_for(rupees(1_999) - Money(1, "INR")) == rupees(99)
    assert policy.charge_for(rupees(1_999)) == Money.zero()
    assert policy.charge_for(rupees(5_000)) == Money.zero()


def test_without_a_threshold_everybody_pays_the_charge() -> None:
    assert ShippingPolicy(rupees(49)).charge_for(rupees(100_000)) == rupees(49)
    assert ShippingPolicy(Money.zero()).charge_for(rupees(1)) == Money.zero()
