"""An order freezes what was sold, and its postings balance."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from kapda.domain.checkout.checkout import CheckoutLine, CheckoutState
from kapda.domain.ledger.entries import Account, TransactionKind
from kapda.domain.orders.order import HistoryEntry, Order, OrderState, place
from kapda.domain.orders.postings import case_opened, order_placed
from kapda.domain.payments.payment_case import CaseKind, CaseState, PaymentCase
from kapda.domain.shared.ids import CaseId, OrderId, PaymentId
from kapda.domain.shared.money import INR, Money
from tests.fakes.samples import ASHA, HOME, NOON, RANGREZ, checkout_in, checkout_line, rupees

PAID = PaymentId(UUID(int=9))


def placed(*lines: CheckoutLine, shipping: Money | None = None) -> Order:
    return place(
        checkout_in(CheckoutState.OPEN, *lines, shipping=shipping),
        order_id=OrderId(UUID(int=8)),
        number="K100001",
        payment_id=PAID,
        actor="poller",
        at=NOON,
    )


def test_an_order_is_its_checkout_paid() -> None:
    checkout = checkout_in(CheckoutState.OPEN, checkout_line(1, quantity=2), checkout_line(2), shipping=rupees(99))
    order = placed(checkout_line(1, quantity=2), checkout_line(2), shipping=rupees(99))
    assert (order.checkout_id, order.customer_id, order.payment_id) == (checkout.id, ASHA, PAID)
    assert (order.total, order.items_total, order.shipping) == (checkout.total, checkout.items_total, rupees(99))
    assert (order.address, order.number, order.version, order.etag) == (HOME, "K100001", 1, "v1")
    assert order.history == (HistoryEntry(OrderState.PLACED, NOON, "payment captured", "poller"),)


def test_a_line_freezes_what_an_invoice_and_a_statement_need() -> None:
    (line,) = placed(checkout_line(quantity=2)).lines
    assert (line.sku, line.title, line.options) == (
        "RNG-KURTA-001",
        "Handblock kurta",
        {"colour": "Indigo", "size": "M"},
    )
    assert (line.line_total, line.taxable, line.gst) == (rupees(2_998), Money(285_524, INR), Money(14_276, INR))
    assert (line.hsn_code, line.gst_basis_points, line.designer_gstin) == ("621142", 500, "27AAPFU0939F1ZV")
    assert (line.commission, line.commission_gst) == (Money(44_970, INR), Money(8_095, INR))
    assert line.designer_net == line.line_total - line.commission - line.commission_gst


LINES = st.lists(
    st.tuples(st.integers(1, 10**9), st.integers(1, 50), st.integers(0, 10_000)), min_size=1, max_size=8
).map(
    lambda drawn: [
        checkout_line(position, price=Money(price, INR), quantity=quantity, commission_basis_points=commission)
        for position, (price, quantity, commission) in enumerate(drawn, start=1)
    ]
)


@given(LINES, st.integers(0, 50_000))
def test_every_line_is_divided_to_the_paisa(lines: list[CheckoutLine], shipping: int) -> None:
    for line in placed(*lines, shipping=Money(shipping, INR)).lines:
        assert line.taxable + line.gst == line.line_total
        assert line.commission + line.commission_gst + line.designer_net == line.line_total
        parts = (line.taxable, line.gst, line.commission, line.commission_gst, line.designer_net)
        assert all(part.amount_minor >= 0 for part in parts)


@given(LINES, st.integers(0, 50_000))
def test_what_is_booked_for_an_order_sums_to_zero(lines: list[CheckoutLine], shipping: int) -> None:
    order = placed(*lines, shipping=Money(shipping, INR))
    booked = order_placed(UUID(int=1), order)
    assert sum(entry.amount.amount_minor for entry in booked.entries) == 0
    assert all(entry.amount.amount_minor for entry in booked.entries)
    received = [entry.amount for entry in booked.entries if entry.account is Account.GATEWAY_RECEIVABLE]
    assert received == [order.total]
    for entry in booked.entries:
        assert (entry.designer_id is not None) == (entry.account is Account.DESIGNER_PAYABLE)


def test_an_order_is_booked_by_account() -> None:
    order = placed(checkout_line(1, quantity=2), checkout_line(2), shipping=rupees(99))
    first, second = order.lines
    booked = order_placed(UUID(int=1), order)
    assert (booked.kind, booked.reference_id, booked.created_at) == (TransactionKind.ORDER_PLACED, order.id, NOON)
    assert [(entry.account, entry.amount, entry.designer_id) for entry in booked.entries] == [
        (Account.GATEWAY_RECEIVABLE, rupees(4_596), None),
        (Account.DESIGNER_PAYABLE, -first.designer_net, RANGREZ),
        (Account.DESIGNER_PAYABLE, -second.designer_net, RANGREZ),
        (Account.COMMISSION_REVENUE, -(first.commission + second.commission), None),
        (Account.COMMISSION_GST_PAYABLE, -(first.commission_gst + second.commission_gst), None),
        (Account.SHIPPING_REVENUE, rupees(-99), None),
    ]


@given(st.integers(1, 10**11), st.sampled_from(["INR", "USD"]))
def test_money_without_an_order_is_booked_as_unassigned(minor: int, currency: str) -> None:
    checkout = checkout_in(CheckoutState.SUPERSEDED)
    amount = Money(minor, currency)
    case = PaymentCase(
        id=CaseId(UUID(int=3)),
        kind=CaseKind.CHECKOUT_SUPERSEDED,
        gateway_payment_id="pay_1",
        payment_id=PAID,
        checkout_id=checkout.id,
        refund_id=None,
        amount=amount,
        evidence={},
        state=CaseState.OPEN,
        opened_at=NOON,
    )
    booked = case_opened(UUID(int=1), case, NOON)
    assert (booked.kind, booked.reference_id) == (TransactionKind.CASE_OPENED, case.id)
    assert [(entry.account, entry.amount) for entry in booked.entries] == [
        (Account.GATEWAY_RECEIVABLE, amount),
        (Account.UNASSIGNED_RECEIPTS, -amount),
    ]
