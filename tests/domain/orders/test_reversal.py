"""What refunds take back: exactly what the lines gave, however the pieces are split; nothing twice, nothing more."""

from collections import Counter
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapda.domain.checkout.checkout import CheckoutLine, CheckoutState
from kapda.domain.ledger.entries import Account, LedgerTransaction
from kapda.domain.orders import postings
from kapda.domain.orders.order import Order, OrderState, OrderVerb, place
from kapda.domain.orders.reversal import LineQuantity, Returned, Reversal, everything_left, reverse
from kapda.domain.payments.refund import Refund, RefundKind, RefundState
from kapda.domain.shared.errors import DomainError, FailedPreconditionError, Reason
from kapda.domain.shared.ids import OrderId, PaymentId, RefundId
from kapda.domain.shared.money import INR, Money
from tests.fakes.samples import NOON, checkout_in, checkout_line, rupees

NOTHING = Returned({}, Money.zero())


def placed(*lines: CheckoutLine, shipping: int = 0) -> Order:
    return place(
        checkout_in(CheckoutState.OPEN, *lines, shipping=Money(shipping, INR)),
        order_id=OrderId(UUID(int=8)),
        number="K100001",
        payment_id=PaymentId(UUID(int=9)),
        actor="poller",
        at=NOON,
    )


Draw = Callable[[st.SearchStrategy[int]], int]


@st.composite
def orders(draw: st.DrawFn, highest_commission: int = 10_000) -> Order:
    drawn = draw(
        st.lists(
            st.tuples(st.integers(1, 10**7), st.integers(1, 9), st.integers(0, highest_commission)),
            min_size=1,
            max_size=4,
        )
    )
    lines = (
        checkout_line(position, price=Money(price, INR), quantity=quantity, commission_basis_points=rate)
        for position, (price, quantity, rate) in enumerate(drawn, start=1)
    )
    return placed(*lines, shipping=draw(st.integers(0, 50_000)))


def split(draw: Draw, order: Order) -> Iterator[Reversal]:
    """Refunds of random pieces, and at last of everything left."""
    pieces: Counter[int] = Counter()
    shipping = Money.zero()
    for _ in range(draw(st.integers(0, 6))):
        returned = Returned(dict(pieces), shipping)
        drawn = {line.position: draw(st.integers(0, line.quantity - pieces[line.position])) for line in order.lines}
        wanted = [LineQuantity(position, quantity) for position, quantity in drawn.items() if quantity]
        part = Money(draw(st.integers(0, (order.shipping - shipping).amount_minor)), INR)
        if not wanted and not part.is_positive:
            continue
        yield reverse(order, returned, wanted, part)
        pieces.update({want.position: want.quantity for want in wanted})
        shipping += part
    yield everything_left(order, Returned(dict(pieces), shipping))


@given(st.data(), orders())
def test_however_an_order_is_split_over_refunds_each_party_gives_back_what_it_got(
    data: st.DataObject, order: Order
) -> None:
    parts = list(split(data.draw, order))
    for line in order.lines:
        mine = [part for reversal in parts for part in reversal.lines if part.position == line.position]
        assert sum(part.quantity for part in mine) == line.quantity
        for name in ("commission", "commission_gst", "designer_net"):
            assert sum(getattr(part, name).amount_minor for part in mine) == getattr(line, name).amount_minor
        for part in mine:
            assert part.amount == part.designer_net + part.commission + part.commission_gst
            assert part.amount == line.unit_price * part.quantity
            assert min(part.commission.amount_minor, part.commission_gst.amount_minor) >= 0
    assert sum(reversal.amount.amount_minor for reversal in parts) == order.total.amount_minor


@given(st.data(), orders(8_000))
def test_no_piece_costs_its_designer_less_than_nothing(data: st.DataObject, order: Order) -> None:
    for reversal in split(data.draw, order):
        for part in reversal.lines:
            line = order.lines[part.position - 1]
            if line.designer_net.amount_minor >= 2 * line.quantity:
                assert part.designer_net.amount_minor >= 0


def test_f49_a_refund_takes_back_the_lines_own_commission_whatever_the_rate_is_now() -> None:
    order = placed(
        checkout_line(1, price=rupees(1_000), quantity=3, commission_basis_points=1_000),
        checkout_line(2, price=rupees(1_000), commission_basis_points=2_000),
    )
    reversal = reverse(order, NOTHING, [LineQuantity(1, 1), LineQuantity(2, 1)], Money.zero())
    assert [line.commission for line in reversal.lines] == [rupees(100), rupees(200)]
    assert [line.commission_gst for line in reversal.lines] == [rupees(18), rupees(36)]


@pytest.mark.parametrize(
    ("wanted", "shipping", "reason"),
    [
        ([(3, 1)], 0, Reason.VALIDATION_FAILED),
        ([(1, 1), (1, 1)], 0, Reason.VALIDATION_FAILED),
        ([], 0, Reason.VALIDATION_FAILED),
        ([], -1, Reason.VALIDATION_FAILED),
        ([(1, 1)], -1, Reason.VALIDATION_FAILED),
        ([(1, 3)], 0, Reason.REFUND_EXCEEDS_ORDER),
        ([(1, 0)], 0, Reason.REFUND_EXCEEDS_ORDER),
        ([(1, -1)], 0, Reason.REFUND_EXCEEDS_ORDER),
        ([(1, 1)], 9_901, Reason.REFUND_EXCEEDS_ORDER),
    ],
)
def test_f30_more_than_is_there_less_than_nothing_and_nothing_are_refused(
    wanted: list[tuple[int, int]], shipping: int, reason: Reason
) -> None:
    order = placed(checkout_line(1, quantity=2), checkout_line(2), shipping=9_900)
    with pytest.raises(DomainError) as refused:
        reverse(order, NOTHING, [LineQuantity(*want) for want in wanted], Money(shipping, INR))
    assert refused.value.reason is reason


def test_what_has_gone_back_does_not_go_back_again() -> None:
    order = placed(checkout_line(1, quantity=2), shipping=9_900)
    returned = Returned({1: 1}, rupees(99))
    with pytest.raises(FailedPreconditionError):
        reverse(order, returned, [LineQuantity(1, 2)], Money.zero())
    with pytest.raises(FailedPreconditionError):
        reverse(order, returned, [LineQuantity(1, 1)], Money(1, INR))
    assert everything_left(order, returned).amount == order.lines[0].unit_price
    assert not everything_left(order, Returned({1: 2}, rupees(99))).amount.is_positive


def _refund(number: int, amount: Money) -> Refund:
    return Refund(
        id=RefundId(UUID(int=number)),
        kind=RefundKind.ORDER_LINES,
        payment_id=PaymentId(UUID(int=9)),
        gateway_payment_id="pay_KapdaSample0001",
        order_id=OrderId(UUID(int=8)),
        case_id=None,
        amount=amount,
        state=RefundState.REQUESTED,
        gateway_refund_id=None,
        reason="torn",
        actor="admin",
        requested_at=NOON,
    )


def _balances(booked: list[LedgerTransaction]) -> Counter[Account]:
    balances: Counter[Account] = Counter()
    for transaction in booked:
        assert sum(entry.amount.amount_minor for entry in transaction.entries) == 0
        for entry in transaction.entries:
            balances[entry.account] += entry.amount.amount_minor
    return balances


@given(st.data(), orders())
def test_f48_an_order_that_went_back_in_parts_leaves_every_account_at_zero(data: st.DataObject, order: Order) -> None:
    booked = [postings.order_placed(UUID(int=1), order)]
    for number, reversal in enumerate(split(data.draw, order), start=10):
        if reversal.amount.is_positive:
            refund = _refund(number, reversal.amount)
            booked.append(postings.lines_reversed(UUID(int=number), refund, reversal))
            # What comes back to the gateway once is owed again, and goes again.
            booked.append(postings.refund_processed(UUID(int=number), refund, NOON))
            booked.append(postings.refund_returned(UUID(int=number), refund, NOON))
            booked.append(postings.refund_processed(UUID(int=number), refund, NOON))
    assert set(_balances(booked).values()) == {0}


@pytest.mark.parametrize("source", [Account.UNASSIGNED_RECEIPTS, Account.REFUND_ADJUSTMENTS])
def test_a_refund_by_hand_that_comes_to_nothing_leaves_no_trace_in_the_balances(source: Account) -> None:
    refund = _refund(1, rupees(100))
    booked = [postings.refund_requested(UUID(int=1), refund, source)]
    assert _balances(booked)[Account.REFUNDS_PAYABLE] == -10_000
    booked.append(postings.refund_dropped(UUID(int=2), refund, source, NOON))
    assert set(_balances(booked).values()) == {0}


def test_an_order_can_be_called_off_once() -> None:
    order = placed(checkout_line())
    cancelled = order.after(OrderVerb.CANCEL, at=NOON, reason="changed my mind", actor="customer")
    assert (cancelled.state, cancelled.version, len(cancelled.history)) == (OrderState.CANCELLED, 2, 2)
    assert (cancelled.lines, cancelled.total) == (order.lines, order.total)
    with pytest.raises(FailedPreconditionError) as refused:
        cancelled.after(OrderVerb.CANCEL, at=NOON, reason="again", actor="customer")
    assert refused.value.reason is Reason.ORDER_STATE_INVALID
