"""Who is let in, and what may be said."""

from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.rpc import error_details_pb2 as details

from kapda.api.cart.v1 import cart_service_pb2
from kapda.api.cart.v1.cart_service_pb2_grpc import CartServiceStub
from kapda.api.catalog.v1 import catalog_service_pb2
from kapda.api.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub
from kapda.api.checkout.v1 import checkout_service_pb2
from kapda.api.checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from kapda.api.common.v1 import access_pb2, api_scope_pb2, role_pb2
from kapda.api.inventory.v1 import inventory_service_pb2
from kapda.api.inventory.v1.inventory_service_pb2_grpc import InventoryServiceStub
from kapda.domain.cart.owner import CartOwner
from kapda.domain.identity.scope import Scope
from kapda.domain.identity.user import Role
from kapda.domain.shared.ids import UserId
from kapda.domain.shared.pages import Page
from kapda.entrypoints.grpc.access_rules import PEOPLE, AccessRule, AccessRulesError, read_rules
from kapda.entrypoints.grpc.interceptors.access import GUEST_CART_KEY
from kapda.entrypoints.grpc.server import GrpcServer, ServerSettings
from kapda.entrypoints.supervisor import Supervisor
from tests.entrypoints.grpc import samples
from tests.entrypoints.grpc.conftest import (
    CUSTOMER,
    EVERYTHING,
    GUEST,
    GUEST_OWNER,
    SERVICES,
    STOCK_READER,
    KnownGuests,
    KnownKeys,
    KnownSignatures,
    KnownTokens,
    Refusal,
    Running,
    as_caller,
    as_service,
    refusal,
)
from tests.fakes.log_ins import ReadableDigests
from tests.fakes.rate_limits import CountedCalls

REFUND = api_scope_pb2.API_SCOPE_REFUND


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ((), "TOKEN_MISSING"),
        ((("authorization", "Basic dXNlcjpwYXNz"),), "TOKEN_MISSING"),
        ((("authorization", "Bearer forged"),), "TOKEN_INVALID"),
    ],
)
async def test_nobody_enters_without_a_token_of_ours(
    served: Running, metadata: tuple[tuple[str, str], ...], reason: str
) -> None:
    refused = await refusal(
        CartServiceStub(served.channel).GetCart(cart_service_pb2.GetCartRequest(), metadata=metadata)
    )
    assert refused.code is grpc.StatusCode.UNAUTHENTICATED
    assert refused.info.reason == reason
    assert served.use_cases.commands == []


async def test_the_wrong_role_is_denied_before_its_message_is_looked_at(served: Running) -> None:
    nonsense = inventory_service_pb2.ReceiveStockRequest(quantity=-1)
    refused = await refusal(InventoryServiceStub(served.channel).ReceiveStock(nonsense, metadata=as_caller(CUSTOMER)))
    assert refused.code is grpc.StatusCode.PERMISSION_DENIED
    assert refused.info.reason == "ROLE_NOT_ALLOWED"


async def test_the_authentication_scheme_is_read_in_any_case(served: Running) -> None:
    async def fine(_: object) -> Any:
        raise AssertionError("reached")

    served.use_cases.behaviours["get_cart"] = fine
    refused = await refusal(
        CartServiceStub(served.channel).GetCart(
            cart_service_pb2.GetCartRequest(), metadata=(("authorization", f"bearer {CUSTOMER}"),)
        )
    )
    assert refused.code is grpc.StatusCode.INTERNAL
    assert served.use_cases.commands[0].owner.id == UUID(int=1)


async def called_with(served: Running, *metadata: tuple[str, str]) -> Any:
    """The owner of the cart that a call with the metadata gets, or how the call is refused."""

    async def cart(_: object) -> Any:
        return samples.CART

    served.use_cases.behaviours["get_cart"] = cart
    call = CartServiceStub(served.channel).GetCart(cart_service_pb2.GetCartRequest(), metadata=metadata)
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return Refusal(error)
    return served.use_cases.commands.pop().owner


async def test_a_guest_reaches_the_cart_that_the_token_opens(served: Running) -> None:
    assert await called_with(served, (GUEST_CART_KEY, GUEST)) == GUEST_OWNER


async def test_a_guest_token_that_opens_no_cart_is_refused_by_a_reason_of_its_own(served: Running) -> None:
    refused = await called_with(served, (GUEST_CART_KEY, "guessed"))
    assert (refused.code, refused.info.reason) == (grpc.StatusCode.UNAUTHENTICATED, "GUEST_CART_UNKNOWN")


async def test_a_caller_with_both_tokens_is_the_signed_in_one(served: Running) -> None:
    owner = await called_with(served, (GUEST_CART_KEY, GUEST), *as_caller(CUSTOMER))
    assert owner == CartOwner.of_customer(UserId(UUID(int=1)))


async def test_a_session_that_has_run_out_is_told_and_not_answered_from_the_guests_cart(served: Running) -> None:
    refused = await called_with(served, (GUEST_CART_KEY, GUEST), *as_caller("old"))
    assert (refused.code, refused.info.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")


async def test_a_guest_neither_merges_nor_checks_out(served: Running) -> None:
    metadata = ((GUEST_CART_KEY, GUEST),)
    merge = cart_service_pb2.MergeGuestCartRequest(request_id=str(uuid4()), guest_token="g" * 43)
    start = checkout_service_pb2.StartCheckoutRequest(request_id=str(uuid4()))
    calls = (
        CartServiceStub(served.channel).MergeGuestCart(merge, metadata=metadata),
        CheckoutServiceStub(served.channel).StartCheckout(start, metadata=metadata),
    )
    for call in calls:
        assert (await refusal(call)).info.reason == "TOKEN_MISSING"
    assert served.use_cases.commands == []


async def stock_asked_for(served: Running, *metadata: tuple[str, str]) -> Any:
    """The principal of a call for a variant's stock, or how the call is refused."""

    async def level(_: object) -> Any:
        return samples.LEVEL

    served.use_cases.behaviours["get_stock"] = level
    request = inventory_service_pb2.GetStockRequest(variant_id=str(uuid4()))
    try:
        await InventoryServiceStub(served.channel).GetStock(request, metadata=metadata)
    except grpc.aio.AioRpcError as error:
        return Refusal(error)
    return served.use_cases.commands.pop().principal


async def test_a_service_reaches_what_its_key_has_the_scope_for(served: Running) -> None:
    assert await stock_asked_for(served, *as_service(STOCK_READER)) == SERVICES[STOCK_READER]


async def test_a_service_without_the_scope_is_told_which(served: Running) -> None:
    request = inventory_service_pb2.ReceiveStockRequest()
    refused = await refusal(
        InventoryServiceStub(served.channel).ReceiveStock(request, metadata=as_service(STOCK_READER))
    )
    assert (refused.code, refused.info.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")
    assert dict(refused.info.metadata) == {"scope": "INVENTORY_WRITE"}


async def test_a_method_without_a_scope_is_closed_to_every_key(served: Running) -> None:
    refused = await refusal(
        CartServiceStub(served.channel).GetCart(cart_service_pb2.GetCartRequest(), metadata=as_service(EVERYTHING))
    )
    assert (refused.code, refused.info.reason) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")


async def test_what_is_no_key_of_ours_is_refused(served: Running) -> None:
    refused = await stock_asked_for(served, *as_service("guessed"))
    assert (refused.code, refused.info.reason) == (grpc.StatusCode.UNAUTHENTICATED, "API_KEY_INVALID")


async def test_a_caller_with_a_session_and_a_key_is_the_signed_in_one(served: Running) -> None:
    refused = await stock_asked_for(served, *as_service(EVERYTHING), *as_caller(CUSTOMER))
    assert refused.info.reason == "ROLE_NOT_ALLOWED"
    assert dict(refused.info.metadata) == {"role": "customer"}


async def test_a_public_method_does_not_mind_a_bad_token(served: Running) -> None:
    async def nothing(_: object) -> Page[Any]:
        return Page(())

    served.use_cases.behaviours["list_products"] = nothing
    answer = await CatalogServiceStub(served.channel).ListProducts(
        catalog_service_pb2.ListProductsRequest(), metadata=as_caller("forged")
    )
    assert list(answer.products) == []


async def test_every_broken_rule_of_a_message_is_told_at_once_by_its_path(served: Running) -> None:
    request = catalog_service_pb2.ListProductsRequest(page_size=-1, sizes=["M", ""], designer_id="nobody")
    request.min_price.amount_minor = -1
    request.min_price.currency_code = "rupees"
    refused = await refusal(CatalogServiceStub(served.channel).ListProducts(request))
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    fields = [violation.field for violation in refused.detail(details.BadRequest).field_violations]
    assert sorted(fields) == ["designer_id", "min_price", "min_price.currency_code", "page_size", "sizes[1]"]


async def test_a_request_id_must_be_a_uuid(served: Running) -> None:
    request = cart_service_pb2.AddItemRequest(request_id="once", variant_id=str(uuid4()), quantity=1)
    refused = await refusal(CartServiceStub(served.channel).AddItem(request, metadata=as_caller(CUSTOMER)))
    (violation,) = refused.detail(details.BadRequest).field_violations
    assert (violation.field, violation.description) == ("request_id", "must be a valid UUID")


def service_with(access: dict[str, access_pb2.Access | None]) -> Any:
    """A service whose methods have these rules."""
    package = f"test{uuid4().hex}"
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    file.message_type.add(name="Empty")
    service = file.service.add(name="Service")
    for name, rule in access.items():
        method = service.method.add(name=name, input_type=f".{package}.Empty", output_type=f".{package}.Empty")
        if rule is not None:
            method.options.Extensions[access_pb2.access].CopyFrom(rule)
    pool = descriptor_pool.Default()
    pool.Add(file)
    return pool.FindServiceByName(f"{package}.Service")


def test_start_up_names_every_method_without_a_usable_rule() -> None:
    roles = [role_pb2.ROLE_ADMIN]
    service = service_with(
        {
            "Fine": access_pb2.Access(audience=access_pb2.AUDIENCE_PUBLIC),
            "Forgotten": None,
            "Empty": access_pb2.Access(),
            "RolesWithoutRoles": access_pb2.Access(audience=access_pb2.AUDIENCE_ROLES),
            "PublicWithRoles": access_pb2.Access(audience=access_pb2.AUDIENCE_PUBLIC, roles=roles),
            "PublicButOwned": access_pb2.Access(audience=access_pb2.AUDIENCE_PUBLIC, owned=True),
            "GuestsOfNobody": access_pb2.Access(audience=access_pb2.AUDIENCE_SIGNED_IN_OR_GUEST),
            "PublicWithScope": access_pb2.Access(audience=access_pb2.AUDIENCE_PUBLIC, scope=REFUND),
            "GuestsWithScope": access_pb2.Access(
                audience=access_pb2.AUDIENCE_SIGNED_IN_OR_GUEST, owned=True, scope=REFUND
            ),
            "PublicAndSigned": access_pb2.Access(audience=access_pb2.AUDIENCE_PUBLIC, signed=True),
            "GuestsAndSigned": access_pb2.Access(
                audience=access_pb2.AUDIENCE_SIGNED_IN_OR_GUEST, owned=True, signed=True
            ),
            "PublicAndSignedBySome": access_pb2.Access(audience=access_pb2.AUDIENCE_PUBLIC, signed_roles=roles),
            "SignedByAllAndSome": access_pb2.Access(
                audience=access_pb2.AUDIENCE_SIGNED_IN, signed=True, signed_roles=roles
            ),
            "SignedByWhoMayNotCall": access_pb2.Access(
                audience=access_pb2.AUDIENCE_ROLES, roles=[role_pb2.ROLE_BRAND], signed_roles=roles
            ),
            "NoSuchSigner": access_pb2.Access(
                audience=access_pb2.AUDIENCE_SIGNED_IN, signed_roles=[role_pb2.ROLE_UNSPECIFIED]
            ),
            "NoSuchRole": access_pb2.Access(audience=access_pb2.AUDIENCE_ROLES, roles=[role_pb2.ROLE_UNSPECIFIED]),
        }
    )
    with pytest.raises(AccessRulesError) as caught:
        read_rules([service])
    named = [line.split(": ")[0].rpartition("/")[2] for line in str(caught.value).splitlines()[1:]]
    assert named == [
        "Forgotten",
        "Empty",
        "RolesWithoutRoles",
        "PublicWithRoles",
        "PublicButOwned",
        "GuestsOfNobody",
        "PublicWithScope",
        "GuestsWithScope",
        "PublicAndSigned",
        "GuestsAndSigned",
        "PublicAndSignedBySome",
        "SignedByAllAndSome",
        "SignedByWhoMayNotCall",
        "NoSuchSigner",
        "NoSuchRole",
    ]


def test_rules_say_whom_they_let_in() -> None:
    service = service_with(
        {
            "Open": access_pb2.Access(audience=access_pb2.AUDIENCE_PUBLIC),
            "Cart": access_pb2.Access(audience=access_pb2.AUDIENCE_SIGNED_IN_OR_GUEST, owned=True),
            "Mine": access_pb2.Access(audience=access_pb2.AUDIENCE_SIGNED_IN, owned=True),
            "Desk": access_pb2.Access(audience=access_pb2.AUDIENCE_ROLES, roles=[role_pb2.ROLE_ADMIN]),
            "OthersToo": access_pb2.Access(
                audience=access_pb2.AUDIENCE_SIGNED_IN, owned=True, signed_roles=[role_pb2.ROLE_ADMIN]
            ),
            "Bot": access_pb2.Access(
                audience=access_pb2.AUDIENCE_ROLES, roles=[role_pb2.ROLE_ADMIN], scope=REFUND, signed=True
            ),
        }
    )
    rules = {path.rpartition("/")[2]: rule for path, rule in read_rules([service]).items()}
    assert rules == {
        "Open": AccessRule(public=True, roles=frozenset()),
        "Cart": AccessRule(public=False, roles=PEOPLE, guests=True),
        "Mine": AccessRule(public=False, roles=PEOPLE),
        "Desk": AccessRule(public=False, roles=frozenset({Role.ADMIN})),
        "OthersToo": AccessRule(public=False, roles=PEOPLE, signed_by=frozenset({Role.ADMIN})),
        "Bot": AccessRule(public=False, roles=frozenset({Role.ADMIN}), scope=Scope.REFUND, signed_by=frozenset(Role)),
    }


async def test_a_server_does_not_start_with_something_that_is_no_servicer() -> None:
    with pytest.raises(TypeError, match="no servicer"):
        GrpcServer(
            settings=ServerSettings(),
            servicers=[object()],
            authenticate=KnownTokens(),
            identify_guest=KnownGuests(),
            authenticate_api_key=KnownKeys(),
            verify_signature=KnownSignatures(),
            rate_limits=CountedCalls(),
            identifiers=ReadableDigests(),
            supervisor=Supervisor(),
        )
