"""Who is refused at the door is counted: guessing at tokens and keys ends, and calls that are let in pay nothing for it."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from kapda.api.cart.v1 import cart_service_pb2 as cart
from kapda.api.cart.v1.cart_service_pb2_grpc import CartServiceStub
from kapda.api.identity.v1 import identity_service_pb2 as identity
from kapda.api.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from kapda.api.inventory.v1 import inventory_service_pb2 as inventory
from kapda.api.inventory.v1.inventory_service_pb2_grpc import InventoryServiceStub
from kapda.domain.shared.errors import Reason, UnauthenticatedError, UnavailableError
from kapda.entrypoints.grpc.interceptors.access import GUEST_CART_KEY
from tests.entrypoints.grpc import samples
from tests.entrypoints.grpc.conftest import (
    CUSTOMER,
    EVERYTHING,
    GUEST,
    PRINCIPALS,
    KnownTokens,
    Running,
    Start,
    as_caller,
    as_service,
    refusal,
)
from tests.entrypoints.grpc.conftest import SERVICES as KNOWN_SERVICES
from tests.fakes.rate_limits import CountedCalls

HERE = "127.0.0.0/24"
Call = Callable[[Running, str], Awaitable[Any]]


def with_token(served: Running, token: str) -> Awaitable[Any]:
    """A call of somebody with an access token."""
    return IdentityServiceStub(served.channel).GetMe(identity.GetMeRequest(), metadata=as_caller(token))


def with_key(served: Running, key: str) -> Awaitable[Any]:
    """A call of a service."""
    request = inventory.GetStockRequest(variant_id=str(uuid4()))
    return InventoryServiceStub(served.channel).GetStock(request, metadata=as_service(key))


def about_stock(served: Running, token: str) -> Awaitable[Any]:
    """A call about stock, of somebody who signed in."""
    request = inventory.GetStockRequest(variant_id=str(uuid4()))
    return InventoryServiceStub(served.channel).GetStock(request, metadata=as_caller(token))


def as_guest(served: Running, token: str) -> Awaitable[Any]:
    """A call of a guest."""
    return CartServiceStub(served.channel).GetCart(cart.GetCartRequest(), metadata=((GUEST_CART_KEY, token),))


async def reason(call: Any) -> str:
    """Why it is refused."""
    return (await refusal(call)).info.reason


def answering(served: Running) -> Running:
    """The same, with answers."""

    async def user(_: object) -> object:
        return samples.USER

    async def stock(_: object) -> object:
        return samples.LEVEL

    async def a_cart(_: object) -> object:
        return samples.CART

    served.use_cases.behaviours.update(get_me=user, get_stock=stock, get_cart=a_cart)
    return served


@pytest.mark.parametrize(
    ("call", "refused_as"),
    [(with_token, "TOKEN_INVALID"), (with_key, "API_KEY_INVALID"), (as_guest, "GUEST_CART_UNKNOWN")],
)
async def test_guesses_are_counted_by_network_and_end(start: Start, call: Call, refused_as: str) -> None:
    limits = CountedCalls({"refused": 3})
    served = await start(rate_limits=limits)
    reasons = [await reason(call(served, f"guess-{number}")) for number in range(5)]
    assert reasons == [refused_as] * 3 + ["RATE_LIMITED"] * 2
    assert limits.taken == {("refused", HERE): 3}


async def test_who_brings_nothing_is_counted_too(start: Start) -> None:
    served = await start(rate_limits=CountedCalls({"refused": 1}))
    call = IdentityServiceStub(served.channel).GetMe
    assert [await reason(call(identity.GetMeRequest())) for _ in range(2)] == ["TOKEN_MISSING", "RATE_LIMITED"]


async def test_behind_too_many_guesses_nothing_is_looked_up_any_more(start: Start) -> None:
    served = answering(await start(rate_limits=CountedCalls({"refused": 2})))
    for number in range(2):
        await reason(with_key(served, f"guess-{number}"))
    for secret in ("guess-3", EVERYTHING):
        assert await reason(with_key(served, secret)) == "RATE_LIMITED"
    assert await reason(as_guest(served, GUEST)) == "RATE_LIMITED"
    assert (served.keys.looked_up, served.guests.looked_up) == (2, 0)


async def test_a_neighbours_guesses_keep_nobody_out_who_signed_in(start: Start) -> None:
    served = answering(await start(rate_limits=CountedCalls({"refused": 0})))
    assert await reason(with_token(served, "guess")) == "RATE_LIMITED"
    assert await with_token(served, CUSTOMER) is not None


async def test_what_a_known_caller_may_not_do_is_counted_as_the_callers_own(start: Start) -> None:
    limits = CountedCalls({"caller": 1})
    served = await start(rate_limits=limits)
    assert await reason(about_stock(served, CUSTOMER)) == "ROLE_NOT_ALLOWED"
    assert await reason(about_stock(served, CUSTOMER)) == "RATE_LIMITED"
    assert limits.taken == {("caller", str(PRINCIPALS[CUSTOMER].user_id)): 1}


async def test_who_is_let_in_is_counted_once_and_never_as_refused(start: Start) -> None:
    limits = CountedCalls({"refused": 1})
    served = answering(await start(rate_limits=limits))
    await with_token(served, CUSTOMER)
    await with_key(served, EVERYTHING)
    await as_guest(served, GUEST)
    service = str(KNOWN_SERVICES[EVERYTHING].user_id)
    assert limits.taken == {
        ("caller", str(PRINCIPALS[CUSTOMER].user_id)): 1,
        ("caller", service): 1,
        ("network", HERE): 1,
    }


async def test_what_a_method_itself_refuses_is_not_counted_twice(start: Start) -> None:
    limits = CountedCalls()
    served = await start(rate_limits=limits)

    async def over(_: object) -> object:
        raise UnauthenticatedError(Reason.SESSION_REVOKED, "over")

    served.use_cases.behaviours["get_me"] = over
    assert await reason(with_token(served, CUSTOMER)) == "SESSION_REVOKED"
    assert limits.taken == {("caller", str(PRINCIPALS[CUSTOMER].user_id)): 1}


async def test_a_door_that_cannot_look_counts_nothing(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(*_: object) -> object:
        raise UnavailableError(Reason.DATABASE_UNAVAILABLE, "gone")

    monkeypatch.setattr(KnownTokens, "execute", gone)
    limits = CountedCalls()
    served = await start(rate_limits=limits)
    assert await reason(with_token(served, CUSTOMER)) == "DATABASE_UNAVAILABLE"
    assert limits.taken == {}
