"""What callers have of their own, and what a request of each method needs to be one that the server takes."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from kapda.domain.shared.ids import VariantId
from tests.access.asking import request_of, sent
from tests.access.crowd import Crowd
from tests.attacks.contract import Method, method_named
from tests.attacks.refusals import Refusal
from tests.shop.buyer import Buyer

ComeBy = Callable[[Crowd, str], Awaitable[str]]
Fields = Mapping[str, Any]


async def taken(crowd: Crowd, method_name: str, caller: str, **fields: Any) -> Any:
    """The answer to a request that must be taken."""
    method = method_named(method_name)
    answer = await sent(crowd, method, caller, with_fields(request_of(method), fields).SerializeToString())
    assert not isinstance(answer, Refusal), (method_name, answer.text)
    return answer


def with_fields(request: Message, fields: Fields) -> Message:
    """The request, with these fields as told and all others as they were."""
    for name in fields:
        request.ClearField(name)
    request.MergeFrom(type(request)(**fields))
    return request


async def session(crowd: Crowd, owner: str) -> str:
    """One more session of the owner's."""
    return str((await crowd.new_session(crowd.stage.users[owner])).id)


async def address(crowd: Crowd, owner: str) -> str:
    """A new entry of the owner's address book."""
    return str((await taken(crowd, "AddAddress", owner)).address.id)


def told(name: str) -> ComeBy:
    """What the owner was told of first."""

    async def first(crowd: Crowd, owner: str) -> str:
        return crowd.stage.known.of(owner, name)[0]

    return first


async def fields_of_a_taken(crowd: Crowd, method: Method, customer: str) -> Fields:
    """What a request of the method says when the customer means it: of things that are there, as they are now."""
    find = _FIELDS.get(method.descriptor.name)
    return {} if find is None else await find(crowd, customer)


def _named(field: str, come_by: ComeBy) -> Callable[[Crowd, str], Awaitable[Fields]]:
    async def fields(crowd: Crowd, customer: str) -> Fields:
        return {field: await come_by(crowd, customer)}

    return fields


async def _profile(crowd: Crowd, customer: str) -> Fields:
    profile = (await taken(crowd, "GetProfile", customer)).profile
    return {"profile": {"display_name": "Asha Rao"}, "update_mask": {"paths": ["display_name"]}, "etag": profile.etag}


async def _entry(crowd: Crowd, customer: str) -> Fields:
    saved = (await taken(crowd, "AddAddress", customer)).address
    return {"address_id": saved.id, "etag": saved.etag}


async def _item(crowd: Crowd, customer: str) -> Fields:
    return {"variant_id": await told("variant_id")(crowd, customer), "quantity": 1}


async def _line(crowd: Crowd, customer: str) -> Fields:
    item = await _item(crowd, customer)
    await taken(crowd, "AddItem", customer, **item)
    return {"variant_id": item["variant_id"]}


async def _changed_line(crowd: Crowd, customer: str) -> Fields:
    return {**await _line(crowd, customer), "quantity": 2}


async def _guest_cart(crowd: Crowd, _: str) -> Fields:
    return {"guest_token": (await taken(crowd, "CreateGuestCart", "nobody")).guest_token}


async def _total(crowd: Crowd, customer: str) -> Fields:
    await _line(crowd, customer)
    return {"expected_total": (await taken(crowd, "GetCart", customer)).cart.total}


async def _checkout(crowd: Crowd, customer: str) -> Fields:
    buyer, variant = await _buyer(crowd, customer)
    return {"checkout_id": str((await buyer.checks_out_one(variant)).id)}


async def _return_from_paying(crowd: Crowd, customer: str) -> Fields:
    buyer, variant = await _buyer(crowd, customer)
    checkout = await buyer.checks_out_one(variant)
    return {"checkout_id": str(checkout.id), **await buyer.pay(checkout)}


async def _order(crowd: Crowd, customer: str) -> Fields:
    buyer, variant = await _buyer(crowd, customer)
    return {"order_id": str((await buyer.buys(variant)).id)}


async def _buyer(crowd: Crowd, customer: str) -> tuple[Buyer, VariantId]:
    return crowd.stage.buyer(customer), VariantId(UUID(await told("variant_id")(crowd, customer)))


# A method that is missing here says no more than any request of its shape: if that is refused, give it a line.
_FIELDS: Mapping[str, Callable[[Crowd, str], Awaitable[Fields]]] = {
    "EndSession": _named("session_id", session),
    "UpdateProfile": _profile,
    "UpdateAddress": _entry,
    "PreferAddress": _named("address_id", address),
    "RemoveAddress": _named("address_id", address),
    "MergeGuestCart": _guest_cart,
    "AddItem": _item,
    "ChangeItem": _changed_line,
    "RemoveItem": _line,
    "StartCheckout": _total,
    "GetCheckout": _checkout,
    "AbandonCheckout": _checkout,
    "PlaceOrder": _return_from_paying,
    "GetOrder": _order,
    "CancelOrder": _order,
    "ListRefunds": _order,
    "GetPayment": _named("payment_id", told("payment_id")),
}
