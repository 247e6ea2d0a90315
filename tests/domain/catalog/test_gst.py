"""GST inside a retail price: the rate follows from the price without tax, and never contradicts it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapda.domain.catalog.gst import RULES, gst_rate_for, split_inclusive
from kapda.domain.shared.errors import FailedPreconditionError, InvalidArgumentError, Reason
from kapda.domain.shared.money import BASIS_POINTS, INR, Money

TODAY = date(2026, 1, 15)
THRESHOLD = 2_500_00
paise = st.integers(min_value=1, max_value=10_000_000)
near_the_band = st.integers(min_value=2_600_00, max_value=3_000_00)


def rupees(amount: str) -> Money:
    whole, _, part = amount.partition(".")
    return Money(int(whole) * 100 + int(part or 0), INR)


@pytest.mark.parametrize("hsn_code", ["6109", "62046290", "621410", "6302", "6404"])
@pytest.mark.parametrize(("price", "rate"), [("0.01", 500), ("2625.00", 500), ("2950.01", 1800), ("89000", 1800)])
def test_clothes_and_shoes_bear_five_percent_up_to_the_threshold_and_eighteen_above(
    hsn_code: str, price: str, rate: int
) -> None:
    assert gst_rate_for(hsn_code, rupees(price), TODAY) == rate


@pytest.mark.parametrize("price", ["2625.01", "2799.00", "2950.00"])
def test_a_price_between_the_rates_is_refused_with_the_ends_of_the_band(price: str) -> None:
    with pytest.raises(FailedPreconditionError) as refusal:
        gst_rate_for("6211", rupees(price), TODAY)

    assert refusal.value.reason is Reason.PRICE_WITHOUT_GST_RATE
    assert refusal.value.metadata["highest_low_rate_price_minor"] == "262500"
    assert refusal.value.metadata["highest_refused_price_minor"] == "295000"


@pytest.mark.parametrize(
    ("on", "price", "rate"),
    [
        (date(2025, 9, 21), "1050.00", 500),
        (date(2025, 9, 21), "1120.01", 1200),
        (date(2025, 9, 21), "2700.00", 1200),
        (date(2025, 9, 22), "1120.01", 500),
        (date(2025, 9, 22), "3000.00", 1800),
    ],
)
def test_the_rate_is_the_one_of_the_day(on: date, price: str, rate: int) -> None:
    assert gst_rate_for("6206", rupees(price), on) == rate


def test_the_older_rule_refused_its_own_band() -> None:
    with pytest.raises(FailedPreconditionError):
        gst_rate_for("6206", rupees("1100"), date(2025, 9, 21))


@pytest.mark.parametrize(
    ("hsn_code", "rate"), [("5007", 500), ("5208", 500), ("5407", 500), ("7117", 300), ("4202", 1800)]
)
def test_fabrics_jewellery_and_bags_bear_one_rate_at_any_price(hsn_code: str, rate: int) -> None:
    assert gst_rate_for(hsn_code, rupees("2799"), TODAY) == rate
    assert gst_rate_for(hsn_code, rupees("50000"), TODAY) == rate


@pytest.mark.parametrize(
    ("hsn_code", "on"), [("8517", TODAY), ("", TODAY), ("6206", date(2017, 6, 30)), ("6404", date(2020, 1, 1))]
)
def test_goods_and_days_outside_the_table_are_refused(hsn_code: str, on: date) -> None:
    with pytest.raises(InvalidArgumentError):
        gst_rate_for(hsn_code, rupees("999"), on)


@given(st.one_of(paise, near_the_band))
def test_every_price_is_on_the_side_of_the_threshold_that_its_rate_says_or_refused(amount: int) -> None:
    price = Money(amount, INR)
    low_fits = amount * BASIS_POINTS <= THRESHOLD * (BASIS_POINTS + 500)
    high_fits = amount * BASIS_POINTS > THRESHOLD * (BASIS_POINTS + 1800)
    try:
        rate = gst_rate_for("6206", price, TODAY)
    except FailedPreconditionError:
        assert not low_fits
        assert not high_fits
        return
    taxable = split_inclusive(price, rate).taxable
    if rate == 500:
        assert low_fits
        assert taxable.amount_minor <= THRESHOLD
    else:
        assert high_fits
        assert taxable.amount_minor > THRESHOLD


@given(paise, st.sampled_from([0, 300, 500, 1200, 1800, 2800]))
def test_a_split_keeps_every_paisa_and_is_right_to_half_a_paisa(amount: int, rate: int) -> None:
    split = split_inclusive(Money(amount, INR), rate)

    assert split.taxable + split.gst == Money(amount, INR)
    assert split.gst.amount_minor >= 0
    exact_times_two = 2 * amount * rate
    assert abs(2 * split.gst.amount_minor * (BASIS_POINTS + rate) - exact_times_two) <= BASIS_POINTS + rate


def test_no_two_rules_for_a_chapter_begin_on_one_day() -> None:
    begins = [(chapter, rule.effective_from) for rule in RULES for chapter in rule.chapters]
    assert len(begins) == len(set(begins))
