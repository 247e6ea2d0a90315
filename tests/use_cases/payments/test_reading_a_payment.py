"""A payment is seen by whoever made it, and by an admin."""

from uuid import UUID

import pytest

from kapda.domain.identity.principal import Principal
from kapda.domain.identity.user import Role
from kapda.domain.payments.payment import Payment, PaymentState
from kapda.domain.payments.use_cases.get_payment import GetPayment, GetPaymentCommand
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import PaymentId, SessionId, UserId
from tests.fakes.refusals import refused
from tests.fakes.samples import ASHA, BINOD, rupees
from tests.fakes.shop import Shop


@pytest.fixture
async def paid(shop: Shop) -> Payment:
    """Asha's payment of an order."""
    checkout = await shop.check_out_one()
    shop.gateway.pay(checkout.gateway_order_id or "")
    await shop.settle(checkout)
    (payment,) = shop.tables.payments.values()
    return payment


def seen_by(user_id: UserId, role: Role, payment_id: PaymentId) -> GetPaymentCommand:
    return GetPaymentCommand(Principal(user_id, role, SessionId(UUID(int=1))), payment_id)


@pytest.mark.parametrize(("user_id", "role"), [(ASHA, Role.CUSTOMER), (ASHA, Role.DESIGNER), (BINOD, Role.ADMIN)])
async def test_the_customer_and_an_admin_see_it_with_its_order(
    shop: Shop, paid: Payment, user_id: UserId, role: Role
) -> None:
    payment = await GetPayment(shop.database.unit_of_work).execute(seen_by(user_id, role, paid.id))
    assert (payment.amount, payment.state, payment.method) == (rupees(1_499), PaymentState.CAPTURED, "upi")
    assert payment.order_id == shop.the_order().id


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
async def test_for_everybody_else_it_does_not_exist(shop: Shop, paid: Payment, role: Role) -> None:
    with refused(Reason.PAYMENT_NOT_FOUND):
        await GetPayment(shop.database.unit_of_work).execute(seen_by(BINOD, role, paid.id))


async def test_no_payment_is_not_found_even_by_an_admin(shop: Shop) -> None:
    with refused(Reason.PAYMENT_NOT_FOUND):
        await GetPayment(shop.database.unit_of_work).execute(seen_by(BINOD, Role.ADMIN, PaymentId(ASHA)))
