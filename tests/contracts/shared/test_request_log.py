"""The request log as its port promises: one effect and one answer for one request id."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from kapda.domain.cart.cart import Cart
from kapda.domain.checkout.checkout import Checkout, CheckoutState
from kapda.domain.inventory.stock import StockLevel
from kapda.domain.orders.order import Order, place
from kapda.domain.shared.errors import InvalidArgumentError, Reason
from kapda.domain.shared.ids import OrderId, PaymentId, RequestId, VariantId
from kapda.domain.shared.request_log import EarlierRequest, RequestKey
from tests.contracts.backing import Backing
from tests.fakes.samples import ASHA, BINOD, NOON, cart_line, cart_of, checkout_in, checkout_line, rupees

KEY = RequestKey(ASHA, "StartCheckout", RequestId(UUID(int=1)), b"this body")
LEVEL = StockLevel(VariantId(UUID(int=1)), 10, 3, 7, NOON + timedelta(microseconds=123_456))
CHECKOUT = checkout_in(CheckoutState.OPEN, checkout_line(1, quantity=2), checkout_line(2), shipping=rupees(99))
ORDER = place(
    CHECKOUT, order_id=OrderId(UUID(int=2)), number="K1", payment_id=PaymentId(UUID(int=3)), actor="poller", at=NOON
)


async def claim(
    backing: Backing, key: RequestKey = KEY, resource_id: UUID | None = None
) -> EarlierRequest[StockLevel] | None:
    async with backing.unit_of_work() as uow:
        earlier = await uow.requests.claim(key, StockLevel, resource_id)
        await uow.commit()
    return earlier


async def test_the_first_claim_is_the_first_and_the_next_learns_of_it(backing: Backing) -> None:
    assert await claim(backing, resource_id=UUID(int=7)) is None
    assert await claim(backing, resource_id=UUID(int=8)) == EarlierRequest(b"this body", UUID(int=7), None)


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, scope=BINOD),
        replace(KEY, method="AbandonCheckout"),
        replace(KEY, request_id=RequestId(UUID(int=2))),
    ],
)
async def test_another_customer_method_or_request_id_is_another_request(backing: Backing, other: RequestKey) -> None:
    await claim(backing)
    assert await claim(backing, replace(other, fingerprint=b"any body")) is None


async def test_another_body_under_the_same_key_is_refused(backing: Backing) -> None:
    await claim(backing)
    with pytest.raises(InvalidArgumentError) as refused:
        await claim(backing, replace(KEY, fingerprint=b"another body"))
    assert refused.value.reason is Reason.REQUEST_ID_REUSED


async def test_a_claim_that_was_rolled_back_never_was(backing: Backing) -> None:
    async with backing.unit_of_work() as uow:
        assert await uow.requests.claim(KEY, StockLevel) is None
    assert await claim(backing, replace(KEY, fingerprint=b"another body")) is None


async def test_the_first_answer_stays(backing: Backing) -> None:
    await claim(backing)
    for answer in (LEVEL, replace(LEVEL, on_hand=99)):
        async with backing.unit_of_work() as uow:
            await uow.requests.answer(KEY, answer)
            await uow.commit()
    assert await claim(backing) == EarlierRequest(b"this body", None, LEVEL)


@pytest.mark.parametrize(
    "answer",
    [LEVEL, CHECKOUT, replace(CHECKOUT, gateway_order_id=None), ORDER, cart_of(), cart_of(cart_line(1), cart_line(2))],
)
async def test_an_answer_is_given_back_as_it_was(
    backing: Backing, answer: StockLevel | Checkout | Order | Cart
) -> None:
    async with backing.unit_of_work() as uow:
        assert await uow.requests.claim(KEY, type(answer)) is None
        await uow.requests.answer(KEY, answer)
        await uow.commit()
    async with backing.unit_of_work() as uow:
        earlier = await uow.requests.claim(KEY, type(answer))
    assert earlier is not None
    assert earlier.answer == answer


async def test_a_claim_can_be_bound_to_what_was_there_already(backing: Backing) -> None:
    await claim(backing, resource_id=UUID(int=7))
    async with backing.unit_of_work() as uow:
        await uow.requests.rebind(KEY, UUID(int=8))
        await uow.commit()
    assert await claim(backing) == EarlierRequest(b"this body", UUID(int=8), None)
