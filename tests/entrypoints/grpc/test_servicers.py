"""Every method over the wire: the command that the use case gets, and a response with nothing left out."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from kapda.api.cart.v1 import cart_pb2
from kapda.api.checkout.v1 import checkout_pb2
from kapda.api.common.v1 import address_pb2, money_pb2
from kapda.api.identity.v1 import identity_service_pb2 as identity
from kapda.api.identity.v1 import profile_service_pb2 as profiles
from kapda.api.identity.v1 import user_service_pb2 as users
from kapda.api.ops.v1 import ops_service_pb2, promise_pb2
from kapda.domain.cart.use_cases.validate_cart import CartValidation
from kapda.domain.identity.administration import ManagedUser
from kapda.domain.payments.payment_case import CaseState
from kapda.domain.shared.pages import Page
from kapda.domain.shared.request_log import Answer
from kapda.entrypoints.grpc.services import SERVICES
from tests.entrypoints.grpc import samples
from tests.entrypoints.grpc.conftest import ADMIN, CUSTOMER, FROM_A_BROWSER, SIGNED, Running, as_caller
from tests.entrypoints.grpc.method_cases import (
    ADDRESS,
    CASES,
    CUSTOMER_ID,
    PRICE,
    VARIANT,
    Case,
    R,
    cart,
    checkout,
    order,
)

# Every method by the name of its request, which no two share.
METHODS = {method.input_type.full_name: method for service in SERVICES for method in service.descriptor.methods}

# Set for changes of stock only, and false unless the cart could be bought: looked at on their own below.
LEFT_EMPTY = {
    # An admin lists the sessions of somebody else.
    "Session.current",
    "CartChange.requested_quantity",
    "CartChange.available_quantity",
    # The sample has been decided; an open case is below.
    "PaymentCase.allowed_resolutions",
}


async def ask(served: Running, token: str, name: str, request: Message, answer: object) -> Any:
    """Call the method that belongs to the use case, which answers so."""

    async def behave(_: object) -> object:
        return answer

    served.use_cases.behaviours[name] = behave
    method = METHODS[request.DESCRIPTOR.full_name]
    call: Any = served.channel.unary_unary(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=type(request).SerializeToString,
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    return await call(request, metadata=(*as_caller(token), *FROM_A_BROWSER, *SIGNED))


def empty_fields(message: Message) -> set[str]:
    """The fields of a message and the messages in it that are as if never set."""
    found = set()
    for field in message.DESCRIPTOR.fields:
        value: Any = getattr(message, field.name)
        if field.is_repeated:
            filled = len(value) > 0
            inner = [] if field.message_type is None or field.message_type.GetOptions().map_entry else list(value)
        elif field.message_type is not None:
            filled, inner = message.HasField(field.name), [value] if message.HasField(field.name) else []
        else:
            filled, inner = value != field.default_value, []
        if not filled:
            found.add(f"{message.DESCRIPTOR.name}.{field.name}")
        for part in inner:
            if part.DESCRIPTOR.file.package.startswith("kapda."):
                found |= empty_fields(part)
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.use_case)
async def test_a_method_becomes_its_command_and_answers_in_full(served: Running, case: Case) -> None:
    response = await ask(served, case.token, case.use_case, case.request, case.answer)
    assert served.use_cases.commands == [case.command]
    assert empty_fields(response) <= LEFT_EMPTY


def test_no_method_is_left_out_above() -> None:
    assert {case.request.DESCRIPTOR.full_name for case in CASES} == set(METHODS)
    assert len(METHODS) == sum(len(service.descriptor.methods) for service in SERVICES)


async def test_an_order_shows_its_customer_no_commission(served: Running) -> None:
    request = order.GetOrderRequest(order_id=str(VARIANT))
    response = await ask(served, CUSTOMER, "get_order", request, samples.ORDER)
    line = response.order.lines[0]
    assert (line.line_total.amount_minor, line.gst_rate_basis_points) == (299_800, 500)
    assert line.taxable_amount.amount_minor + line.gst_amount.amount_minor == line.line_total.amount_minor
    assert response.order.total.amount_minor == 299_800 + 9_900
    assert not any("commission" in field.name or "net" in field.name for field in line.DESCRIPTOR.fields)


async def test_an_open_case_says_what_may_be_done_about_it(served: Running) -> None:
    undecided = replace(
        samples.CASE, state=CaseState.OPEN, resolution=None, resolved_at=None, resolved_by=None, resolution_reason=None
    )
    response = await ask(
        served, ADMIN, "list_open_cases", ops_service_pb2.ListOpenCasesRequest(), Page((undecided,), None)
    )
    (case,) = response.cases
    assert list(case.allowed_resolutions) == [
        promise_pb2.PaymentCase.RESOLUTION_REFUND,
        promise_pb2.PaymentCase.RESOLUTION_WRITE_OFF,
    ]
    assert case.resolution == promise_pb2.PaymentCase.RESOLUTION_UNSPECIFIED
    assert not case.HasField("resolve_time")


async def test_a_checkout_says_what_the_browser_needs_to_pay(served: Running) -> None:
    request = checkout.GetCheckoutRequest(checkout_id=str(VARIANT))
    shown = (await ask(served, CUSTOMER, "get_checkout", request, samples.CHECKOUT)).checkout
    assert (shown.razorpay_order_id, shown.razorpay_key_id) == ("order_1", "rzp_test_key")
    assert shown.state == checkout_pb2.Checkout.STATE_PLACED
    assert [(option.name, option.value) for option in shown.lines[0].options] == [("colour", "indigo"), ("size", "M")]


async def test_a_shortage_in_the_cart_tells_quantities_and_no_prices(served: Running) -> None:
    validation = CartValidation(samples.CART, (samples.SHORT,))
    answer = await ask(served, CUSTOMER, "validate_cart", cart.ValidateCartRequest(), validation)
    (change,) = answer.changes
    assert change.kind == cart_pb2.CartChange.KIND_INSUFFICIENT_STOCK
    assert (change.requested_quantity, change.available_quantity) == (9, 7)
    assert not change.HasField("price_before")
    assert not answer.valid


async def test_a_cart_never_written_has_no_id_and_no_times(served: Running) -> None:
    empty = type(samples.CART)(samples.CART.id, CUSTOMER_ID, (), 0, samples.NOW, samples.NOW)
    shown = (await ask(served, CUSTOMER, "get_cart", cart.GetCartRequest(), empty)).cart
    assert (shown.id, shown.HasField("update_time"), shown.HasField("expire_time")) == ("", False, False)
    assert shown.total == money_pb2.Money(currency_code="INR", amount_minor=0)


async def test_an_address_that_cannot_be_is_refused_before_the_use_case(served: Running) -> None:
    elsewhere = address_pb2.Address()
    elsewhere.CopyFrom(ADDRESS)
    elsewhere.pin_code = "110001"
    request = checkout.StartCheckoutRequest(**R, address=elsewhere, expected_total=PRICE)
    with pytest.raises(Exception, match="the address is not valid"):
        await ask(served, CUSTOMER, "start_checkout", request, Answer(samples.CHECKOUT))
    assert served.use_cases.commands == []


@pytest.mark.parametrize("at", [samples.CONFIRMED, None])
async def test_an_address_shows_when_it_was_confirmed_and_nothing_until_then(
    served: Running, at: datetime | None
) -> None:
    user, profile = replace(samples.USER, email_confirmed_at=at), replace(samples.PROFILE, email_confirmed_at=at)
    managed = ManagedUser.of(user)
    shown = [
        (await ask(served, CUSTOMER, "get_me", identity.GetMeRequest(), user)).user,
        (await ask(served, CUSTOMER, "get_profile", profiles.GetProfileRequest(), profile)).profile,
        (await ask(served, ADMIN, "get_user", users.GetUserRequest(user_id=str(user.id)), managed)).user.user,
    ]
    for message in shown:
        assert message.HasField("email_confirm_time") == (at is not None)
        if at is not None:
            assert message.email_confirm_time.ToDatetime(UTC) == at
