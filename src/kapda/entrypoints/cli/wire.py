"""A client of kapda's gRPC services, as good as a shop's app would be: deadlines, typed refusals, patient retries."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import grpc
from google.rpc import error_details_pb2, status_pb2

from kapda.api.cart.v1.cart_service_pb2_grpc import CartServiceStub
from kapda.api.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub
from kapda.api.checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from kapda.api.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from kapda.api.inventory.v1.inventory_service_pb2_grpc import InventoryServiceStub
from kapda.api.ops.v1.ops_service_pb2_grpc import OpsServiceStub
from kapda.api.orders.v1.order_service_pb2_grpc import OrderServiceStub

Request = TypeVar("Request")
Response = TypeVar("Response")

_DEADLINE_SECONDS: Final = 12.0
# What a client is told to send again as it was; the request id keeps it from having a second effect.
_PASSING: Final = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED)
_PAUSES: Final = (0.1, 0.3, 0.6, 1.0, 1.0)
_DETAILS: Final = "grpc-status-details-bin"
_REPLAYED: Final = ("idempotent-replayed", "true")


class RefusedError(Exception):
    """kapda said no. `code` is gRPC's, `reason` the one in ErrorInfo (empty where there is none)."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        self.code = error.code()
        self.reason = _reason(error)
        super().__init__(f"{self.code.name} {self.reason}: {error.details()}")


@dataclass(frozen=True, slots=True)
class Reply(Generic[Response]):
    """An answer, and whether it was said to be the answer to an earlier sending of the same request."""

    message: Response
    replayed: bool


class Wire:
    """The services of one server."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.identity = IdentityServiceStub(channel)
        self.catalog = CatalogServiceStub(channel)
        self.inventory = InventoryServiceStub(channel)
        self.cart = CartServiceStub(channel)
        self.checkout = CheckoutServiceStub(channel)
        self.orders = OrderServiceStub(channel)
        self.ops = OpsServiceStub(channel)


@asynccontextmanager
async def wire_to(address: str) -> AsyncIterator[Wire]:
    """Talk to the server at `address` (host:port), on this machine and without TLS."""
    async with grpc.aio.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        yield Wire(channel)


async def send(
    method: grpc.aio.UnaryUnaryMultiCallable[Request, Response], request: Request, token: str = ""
) -> Reply[Response]:
    """Call `method`, signed in with `token`; a few times when the answer is that this may pass. Raises RefusedError."""
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    for pause in (*_PAUSES, None):
        call = method(request, timeout=_DEADLINE_SECONDS, metadata=metadata)
        try:
            message = await call
        except grpc.aio.AioRpcError as error:
            if pause is None or error.code() not in _PASSING:
                raise RefusedError(error) from error
            await asyncio.sleep(pause)
        else:
            return Reply(message, _REPLAYED in tuple(await call.trailing_metadata()))
    raise AssertionError("the last pause is None")


def _reason(error: grpc.aio.AioRpcError) -> str:
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS and isinstance(value, bytes):
            info = error_details_pb2.ErrorInfo()
            if any(detail.Unpack(info) for detail in status_pb2.Status.FromString(value).details):
                return info.reason
    return ""
