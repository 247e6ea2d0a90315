"""The books balance, or the transaction does not exist."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapda.domain.ledger.entries import Account, Entry, LedgerTransaction, TransactionKind, without_zeros
from kapda.domain.shared.money import INR, Money
from tests.fakes.samples import NOON, rupees


def transaction(*amounts: Money) -> LedgerTransaction:
    entries = tuple(Entry(Account.GATEWAY_RECEIVABLE, amount) for amount in amounts)
    return LedgerTransaction(UUID(int=1), TransactionKind.ORDER_PLACED, UUID(int=2), NOON, entries)


def test_what_is_received_is_owed() -> None:
    booked = transaction(rupees(100), rupees(-85), rupees(-15))
    assert sum(entry.amount.amount_minor for entry in booked.entries) == 0


@pytest.mark.parametrize(
    "amounts",
    [
        (rupees(100), rupees(-99)),
        (rupees(100), rupees(100)),
        (Money(1, INR), Money(-2, INR)),
    ],
)
def test_entries_that_do_not_sum_to_zero_are_refused(amounts: tuple[Money, ...]) -> None:
    with pytest.raises(ValueError, match="sums to zero"):
        transaction(*amounts)


@pytest.mark.parametrize("amounts", [(), (Money.zero(),), (Money.zero(), Money.zero())])
def test_a_transaction_moves_money_between_at_least_two_sides(amounts: tuple[Money, ...]) -> None:
    with pytest.raises(ValueError, match="at least two entries"):
        transaction(*amounts)


def test_a_zero_entry_is_refused_beside_others() -> None:
    with pytest.raises(ValueError, match="none of them zero"):
        transaction(rupees(1), rupees(-1), Money.zero())


def test_currencies_do_not_share_a_transaction() -> None:
    with pytest.raises(ValueError, match="do not mix"):
        transaction(Money(100, INR), Money(-100, "USD"))


@given(st.lists(st.integers(-1_000, 1_000), max_size=10))
def test_only_entries_that_move_money_are_kept_in_their_order(minors: list[int]) -> None:
    entries = [Entry(Account.SHIPPING_REVENUE, Money(minor, INR)) for minor in minors]
    kept = without_zeros(entries)
    assert [entry.amount.amount_minor for entry in kept] == [minor for minor in minors if minor]
