"""A line's money is divided to the paisa."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kapda.domain.orders.commission import COMMISSION_GST_BASIS_POINTS, earnings
from kapda.domain.shared.money import INR, Money, total
from tests.fakes.samples import rupees


@given(st.integers(1, 10**11), st.integers(0, 10_000))
@example(1, 5_000)
@example(1, 10_000)
@example(3, 8_475)
def test_the_parts_sum_to_the_line_and_none_is_negative(minor: int, basis_points: int) -> None:
    line = Money(minor, INR)
    parts = earnings(line, basis_points)
    shares = (parts.commission, parts.commission_gst, parts.designer_net)
    assert total(shares) == line
    assert all(share.amount_minor >= 0 for share in shares)


@given(st.integers(1, 10**11), st.integers(0, 8_400))
def test_at_ordinary_rates_commission_and_gst_are_the_agreed_shares(minor: int, basis_points: int) -> None:
    line = Money(minor, INR)
    parts = earnings(line, basis_points)
    if parts.designer_net.is_positive:
        assert parts.commission == line.share_of(basis_points)
        assert parts.commission_gst == parts.commission.share_of(COMMISSION_GST_BASIS_POINTS)


def test_fifteen_per_cent_of_a_kurta() -> None:
    parts = earnings(rupees(1_499), 1_500)
    assert parts.commission == Money(22_485, INR)
    assert parts.commission_gst == Money(4_047, INR)
    assert parts.designer_net == Money(123_368, INR)


def test_without_commission_everything_is_the_designers() -> None:
    assert earnings(rupees(1_499), 0).designer_net == rupees(1_499)


@pytest.mark.parametrize("basis_points", [8_500, 9_000, 10_000])
def test_a_commission_that_would_eat_more_than_the_line_is_cut_with_its_gst(basis_points: int) -> None:
    parts = earnings(rupees(1_180), basis_points)
    assert (parts.commission, parts.commission_gst, parts.designer_net) == (rupees(1_000), rupees(180), Money.zero())
