"""What customers keep about themselves, and the end of an account, over the real wire."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest

from kapda.api.common.v1.address_pb2 import Address
from kapda.api.identity.v1 import identity_service_pb2 as identity
from kapda.api.identity.v1 import profile_service_pb2 as profiles
from kapda.api.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from kapda.api.identity.v1.profile_service_pb2_grpc import ProfileServiceStub
from tests.shop.mailbox import mail_to
from tests.shop.wire import CALL_SECONDS, PASSWORD, Caller, Wire, a_home, reason_of


@dataclass(frozen=True)
class Customer:
    """Somebody with an address of their own."""

    email: str
    id: UUID
    caller: Caller

    async def asks(self, method: str, request: Any) -> Any:
        """A method of the ProfileService."""
        call = getattr(ProfileServiceStub(self.caller.wire.channel), method)
        return await call(request, metadata=self.caller.metadata, timeout=CALL_SECONDS)

    async def refused(self, method: str, request: Any) -> str:
        """The reason for which it is refused."""
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await self.asks(method, request)
        return reason_of(refusal.value)


async def signs_up(wire: Wire, email: str = "") -> Customer:
    email = email or f"{uuid4().hex}@example.com"
    request = identity.SignUpRequest(email=email, password=PASSWORD, display_name="Asha")
    made = await IdentityServiceStub(wire.channel).SignUp(request, timeout=CALL_SECONDS)
    return Customer(email, UUID(made.user.id), Caller(wire, made.tokens.access_token))


async def test_an_address_whose_pin_or_state_is_not_there_gets_into_no_address_book(wire: Wire) -> None:
    customer = await signs_up(wire)

    def adding(**changes: str) -> profiles.AddAddressRequest:
        address = Address()
        address.CopyFrom(a_home())
        for name, value in changes.items():
            setattr(address, name, value)
        return profiles.AddAddressRequest(request_id=str(uuid4()), label="Home", address=address)

    # Pune's PIN in Karnataka; a state that India has not; PINs that are none.
    for changes in ({"state_code": "KA"}, {"state_code": "ZZ"}, {"pin_code": "011004"}, {"pin_code": "41100"}):
        assert await customer.refused("AddAddress", adding(**changes)) == "VALIDATION_FAILED"
    added = (await customer.asks("AddAddress", adding())).address
    book = (await customer.asks("ListAddresses", profiles.ListAddressesRequest())).addresses
    assert list(book) == [added]
    assert added.preferred


async def test_a_deleted_account_opens_nothing_and_leaves_its_order_for_the_tax(wire: Wire) -> None:
    customer = await signs_up(wire)
    checkout = await customer.caller.checks_out(await wire.variant())
    order = await customer.caller.place(customer.caller.coming_back(checkout, await wire.pay(checkout)))
    # Told of before the account goes: what would be told later finds nobody.
    await mail_to(wire, customer.email, f"Your order {order.number}")
    exported = json.loads((await customer.asks("ExportMyData", profiles.ExportMyDataRequest())).document)
    assert [kept["id"] for kept in exported["orders"]] == [order.id]
    assert exported["account"]["email"] == customer.email

    wrong = profiles.DeleteMyAccountRequest(password="another-lantern-42")
    assert await customer.refused("DeleteMyAccount", wrong) == "CREDENTIALS_INVALID"
    await customer.asks("DeleteMyAccount", profiles.DeleteMyAccountRequest(password=PASSWORD))

    assert await customer.refused("GetProfile", profiles.GetProfileRequest()) == "SESSION_REVOKED"
    log_in = identity.LogInRequest(email=customer.email, password=PASSWORD)
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await IdentityServiceStub(wire.channel).LogIn(log_in, timeout=CALL_SECONDS)
    assert reason_of(refusal.value) == "CREDENTIALS_INVALID"

    row = await wire.database.fetchrow(
        """SELECT o.address ->> 'line1' AS line1, u.status, u.email, u.phone, u.email_confirmed_at
           FROM orders o JOIN users u ON u.id = o.customer_id WHERE o.id = $1::uuid""",
        order.id,
    )
    assert (row["line1"], row["status"]) == (checkout.address.line1, "deleted")
    assert customer.email not in row["email"]
    for table in ("user_addresses", "mails", "mailed_links", "known_networks"):
        left = await wire.database.fetchval(f"SELECT count(*) FROM {table} WHERE user_id = $1", customer.id)  # noqa: S608
        assert left == 0, table

    again = await signs_up(wire, customer.email)
    assert again.id != customer.id
    assert await again.caller.orders() == []
    await wire.check_promises()
