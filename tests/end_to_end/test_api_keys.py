"""A service's key from its issue to its end, over the real wire, and the signed requests that make keys."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from kapda.api.common.v1 import api_scope_pb2
from kapda.api.identity.v1 import api_key_service_pb2 as api_keys
from kapda.api.identity.v1.api_key_pb2 import ApiKey
from kapda.api.identity.v1.api_key_service_pb2_grpc import ApiKeyServiceStub
from kapda.api.inventory.v1 import inventory_service_pb2 as inventory
from kapda.api.inventory.v1.inventory_service_pb2_grpc import InventoryServiceStub
from kapda.api.orders.v1 import order_service_pb2 as orders
from kapda.api.orders.v1.order_service_pb2_grpc import OrderServiceStub
from kapda.entrypoints.cli.signer import Signer
from tests.shop.wire import CALL_SECONDS, Caller, Wire, eventually, reason_of

SERVICE = "/kapda.api.identity.v1.ApiKeyService"
Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Desk:
    """The admin, with a signing key that was made on the machine."""

    wire: Wire
    admin: Caller
    signer: Signer

    @property
    def keys(self) -> ApiKeyServiceStub:
        return ApiKeyServiceStub(self.wire.channel)

    def signed(self, method: str, request: Any) -> Metadata:
        return (*self.admin.metadata, *self.signer.headers(f"{SERVICE}/{method}", request.SerializeToString()))

    async def issues(self, request: api_keys.IssueApiKeyRequest) -> api_keys.IssueApiKeyResponse:
        metadata = self.signed("IssueApiKey", request)
        return await self.keys.IssueApiKey(request, metadata=metadata, timeout=CALL_SECONDS)

    async def rotates(self, key: ApiKey, hours: int) -> api_keys.RotateApiKeyResponse:
        request = api_keys.RotateApiKeyRequest(api_key_id=key.id, overlap_hours=hours, reason="the yearly rotation")
        metadata = self.signed("RotateApiKey", request)
        return await self.keys.RotateApiKey(request, metadata=metadata, timeout=CALL_SECONDS)

    async def revokes(self, key: ApiKey) -> None:
        request = api_keys.RevokeApiKeyRequest(api_key_id=key.id, reason="it leaked")
        await self.keys.RevokeApiKey(request, metadata=self.admin.metadata, timeout=CALL_SECONDS)

    async def listed(self, key: ApiKey) -> ApiKey:
        answer = await self.keys.ListApiKeys(
            api_keys.ListApiKeysRequest(page_size=100), metadata=self.admin.metadata, timeout=CALL_SECONDS
        )
        (found,) = [one for one in answer.api_keys if one.id == key.id]
        return found


@pytest.fixture
async def desk(wire: Wire) -> Desk:
    admin = await wire.admin()
    made = await asyncio.to_thread(
        wire.stack.chore, "signing-key", "issue", (await admin.me()).user.id, "--reason", "an end-to-end test"
    )
    return Desk(wire, admin, Signer.parse(json.loads(made)["sign_with"]))


def a_warehouse() -> api_keys.IssueApiKeyRequest:
    scopes = [api_scope_pb2.API_SCOPE_INVENTORY_READ]
    return api_keys.IssueApiKeyRequest(service_name="warehouse", scopes=scopes, reason="counts what comes in")


async def refusal_of(call: Callable[[], Any]) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call()
    return reason_of(refused.value)


async def test_a_key_works_for_its_scopes_from_its_issue_through_its_rotation_to_its_end(
    wire: Wire, desk: Desk
) -> None:
    variant, order_id = await wire.variant(), "018f3c1b-0000-7000-8000-00000000000b"

    async def looks(key_text: str) -> None:
        request = inventory.GetStockRequest(variant_id=variant)
        metadata = (("x-kapda-api-key", key_text),)
        await InventoryServiceStub(wire.channel).GetStock(request, metadata=metadata, timeout=CALL_SECONDS)

    async def lists_refunds(key_text: str) -> None:
        request = orders.ListRefundsRequest(order_id=order_id)
        metadata = (("x-kapda-api-key", key_text),)
        await OrderServiceStub(wire.channel).ListRefunds(request, metadata=metadata, timeout=CALL_SECONDS)

    issued = await desk.issues(a_warehouse())
    await looks(issued.key_text)
    assert await refusal_of(lambda: lists_refunds(issued.key_text)) == "SCOPE_MISSING"
    assert await refusal_of(lambda: looks(f"{issued.key_text[:-1]}!")) == "API_KEY_INVALID"

    # Shown once: what lists and logs have of it is its prefix.
    secret = issued.key_text.rpartition("_")[2]
    assert issued.api_key.prefix in issued.key_text
    assert secret not in str(await desk.listed(issued.api_key))

    async def used() -> bool:
        return (await desk.listed(issued.api_key)).HasField("last_use_time")

    await eventually(used)

    rotated = await desk.rotates(issued.api_key, hours=24)
    assert rotated.api_key.service_id == issued.api_key.service_id
    for key_text in (issued.key_text, rotated.key_text):
        await looks(key_text)
    old = await desk.listed(issued.api_key)
    assert old.replaced_by == rotated.api_key.id
    assert old.HasField("expire_time")

    await desk.revokes(rotated.api_key)
    assert await refusal_of(lambda: looks(rotated.key_text)) == "API_KEY_INVALID"
    await looks(issued.key_text)
    await desk.revokes(issued.api_key)
    assert await refusal_of(lambda: looks(issued.key_text)) == "API_KEY_INVALID"


async def test_rotated_without_an_overlap_the_old_key_ends_at_once(wire: Wire, desk: Desk) -> None:
    issued = await desk.issues(a_warehouse())
    rotated = await desk.rotates(issued.api_key, hours=0)
    stub, request = InventoryServiceStub(wire.channel), inventory.GetStockRequest(variant_id=await wire.variant())
    assert await refusal_of(
        lambda: stub.GetStock(request, metadata=(("x-kapda-api-key", issued.key_text),), timeout=CALL_SECONDS)
    ) in ("API_KEY_EXPIRED", "API_KEY_INVALID")
    await stub.GetStock(request, metadata=(("x-kapda-api-key", rotated.key_text),), timeout=CALL_SECONDS)


async def test_a_signed_request_takes_effect_once_and_only_as_it_was_signed(desk: Desk) -> None:
    request = a_warehouse()
    metadata = desk.signed("IssueApiKey", request)

    async def sent(what: api_keys.IssueApiKeyRequest, beside: Metadata) -> None:
        await desk.keys.IssueApiKey(what, metadata=beside, timeout=CALL_SECONDS)

    other = a_warehouse()
    other.scopes.append(api_scope_pb2.API_SCOPE_INVENTORY_WRITE)
    assert await refusal_of(lambda: sent(other, metadata)) == "SIGNATURE_INVALID"
    assert await refusal_of(lambda: sent(request, desk.admin.metadata)) == "SIGNATURE_MISSING"
    # What was refused has spent nothing.
    await sent(request, metadata)
    assert await refusal_of(lambda: sent(request, metadata)) == "NONCE_REUSED"
    made = await desk.wire.database.fetchval(
        "SELECT count(*) FROM request_nonces WHERE key_id = $1", desk.signer.key_id
    )
    assert made == 1
