"""Money keeps every paisa."""

from decimal import ROUND_HALF_UP, Decimal
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapda.domain.shared.money import INR, MAX_AMOUNT_MINOR, Money, total

AMOUNTS = st.integers(-(10**13), 10**13).map(lambda minor: Money(minor, INR))
WEIGHTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=20).filter(any)


@given(AMOUNTS, st.integers(0, 20_000))
def test_a_share_is_the_exact_one_rounded_half_away_from_zero(amount: Money, basis_points: int) -> None:
    exact = Decimal(amount.amount_minor) * basis_points / 10_000
    assert amount.share_of(basis_points).amount_minor == int(exact.quantize(Decimal(1), ROUND_HALF_UP))


@given(AMOUNTS, st.integers(0, 10_000))
def test_a_share_of_the_opposite_is_the_opposite_share(amount: Money, basis_points: int) -> None:
    assert (-amount).share_of(basis_points) == -amount.share_of(basis_points)


@pytest.mark.parametrize(("minor", "share"), [(1, 1), (3, 2), (-1, -1), (-3, -2), (0, 0), (2, 1)])
def test_half_a_paisa_is_rounded_away_from_zero(minor: int, share: int) -> None:
    assert Money(minor, INR).share_of(5_000) == Money(share, INR)


def test_a_share_can_be_of_another_whole() -> None:
    assert Money(11_800, INR).share_of(1_800, of=11_800) == Money(1_800, INR)


@given(AMOUNTS, WEIGHTS)
def test_allocated_parts_sum_to_the_whole(amount: Money, weights: list[int]) -> None:
    assert total(amount.allocate(weights)) == amount


@given(AMOUNTS, WEIGHTS)
def test_an_allocated_part_is_within_a_paisa_of_its_exact_share(amount: Money, weights: list[int]) -> None:
    for part, weight in zip(amount.allocate(weights), weights, strict=True):
        exact = Decimal(amount.amount_minor) * weight / sum(weights)
        assert abs(part.amount_minor - exact) < 1
        assert weight or part == Money.zero()


def test_the_earlier_part_wins_a_tie() -> None:
    assert Money(100, INR).allocate([1, 1, 1]) == (Money(34, INR), Money(33, INR), Money(33, INR))


@pytest.mark.parametrize("weights", [[], [0, 0], [2, -1], [-1]])
def test_impossible_weights_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Money(100, INR).allocate(weights)


@given(AMOUNTS, AMOUNTS, st.integers(-100, 100))
def test_arithmetic_is_that_of_whole_paise(one: Money, other: Money, quantity: int) -> None:
    assert (one + other).amount_minor == one.amount_minor + other.amount_minor
    assert (one - other) + other == one
    assert (one * quantity).amount_minor == one.amount_minor * quantity
    assert (one < other, one <= other) == (
        one.amount_minor < other.amount_minor,
        one.amount_minor <= other.amount_minor,
    )


@pytest.mark.parametrize("amount", [1.0, 0.1, Decimal(1), "1", True, None])
def test_nothing_but_whole_minor_units_is_an_amount(amount: object) -> None:
    with pytest.raises(TypeError):
        Money(cast("int", amount), INR)


@pytest.mark.parametrize("quantity", [1.5, Decimal(2), True])
def test_money_is_multiplied_by_whole_quantities_only(quantity: object) -> None:
    with pytest.raises(TypeError):
        Money(100, INR) * cast("int", quantity)


@pytest.mark.parametrize("currency", ["", "inr", "IN", "INRS", "I1R", "₹₹₹", "ΑΒΓ"])
def test_only_three_capital_letters_are_a_currency(currency: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, currency)


def test_an_amount_that_javascript_could_not_hold_is_refused() -> None:
    assert Money(MAX_AMOUNT_MINOR, INR).amount_minor == 2**53 - 1
    assert Money(-MAX_AMOUNT_MINOR, INR).amount_minor == 1 - 2**53
    for beyond in (MAX_AMOUNT_MINOR + 1, -MAX_AMOUNT_MINOR - 1):
        with pytest.raises(ValueError, match="out of range"):
            Money(beyond, INR)
    with pytest.raises(ValueError, match="out of range"):
        Money(MAX_AMOUNT_MINOR, INR) + Money(1, INR)


def test_currencies_do_not_mix() -> None:
    rupee, dollar = Money(100, "INR"), Money(100, "USD")
    assert rupee != dollar
    for mix in (lambda: rupee + dollar, lambda: rupee - dollar, lambda: rupee < dollar, lambda: rupee <= dollar):
        with pytest.raises(ValueError, match="do not mix"):
            mix()
    with pytest.raises(ValueError, match="do not mix"):
        total([rupee, dollar])


def test_the_sum_of_nothing_is_zero_of_its_currency() -> None:
    assert total([]) == Money.zero()
    assert total([], "USD") == Money(0, "USD")


@pytest.mark.parametrize(
    ("minor", "text"),
    [(0, "INR 0.00"), (5, "INR 0.05"), (149_900, "INR 1,499.00"), (-123_456_789, "-INR 1,234,567.89")],
)
def test_an_amount_reads_like_a_price(minor: int, text: str) -> None:
    assert str(Money(minor, INR)) == text


def test_only_money_above_zero_is_positive() -> None:
    assert [Money(minor, INR).is_positive for minor in (-1, 0, 1)] == [False, False, True]
