"""The services that this server can offer, and how grpc is told about each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import ServiceDescriptor

from kapda.api.cart.v1 import cart_service_pb2, cart_service_pb2_grpc
from kapda.api.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc
from kapda.api.checkout.v1 import checkout_service_pb2, checkout_service_pb2_grpc
from kapda.api.identity.v1 import (
    api_key_service_pb2,
    api_key_service_pb2_grpc,
    identity_service_pb2,
    identity_service_pb2_grpc,
    password_service_pb2,
    password_service_pb2_grpc,
    profile_service_pb2,
    profile_service_pb2_grpc,
    user_service_pb2,
    user_service_pb2_grpc,
)
from kapda.api.inventory.v1 import inventory_service_pb2, inventory_service_pb2_grpc
from kapda.api.ops.v1 import ops_service_pb2, ops_service_pb2_grpc
from kapda.api.orders.v1 import order_service_pb2, order_service_pb2_grpc
from kapda.api.payments.v1 import payment_service_pb2, payment_service_pb2_grpc


@dataclass(frozen=True, slots=True)
class Service:
    """A service of the contract, the class its servicer extends, and the function that adds one to what takes methods as
    grpc's server does."""

    descriptor: ServiceDescriptor
    servicer_type: type
    add: Callable[[Any, Any], None]


SERVICES: tuple[Service, ...] = (
    Service(
        identity_service_pb2.DESCRIPTOR.services_by_name["IdentityService"],
        identity_service_pb2_grpc.IdentityServiceServicer,
        identity_service_pb2_grpc.add_IdentityServiceServicer_to_server,
    ),
    Service(
        password_service_pb2.DESCRIPTOR.services_by_name["PasswordService"],
        password_service_pb2_grpc.PasswordServiceServicer,
        password_service_pb2_grpc.add_PasswordServiceServicer_to_server,
    ),
    Service(
        profile_service_pb2.DESCRIPTOR.services_by_name["ProfileService"],
        profile_service_pb2_grpc.ProfileServiceServicer,
        profile_service_pb2_grpc.add_ProfileServiceServicer_to_server,
    ),
    Service(
        api_key_service_pb2.DESCRIPTOR.services_by_name["ApiKeyService"],
        api_key_service_pb2_grpc.ApiKeyServiceServicer,
        api_key_service_pb2_grpc.add_ApiKeyServiceServicer_to_server,
    ),
    Service(
        user_service_pb2.DESCRIPTOR.services_by_name["UserService"],
        user_service_pb2_grpc.UserServiceServicer,
        user_service_pb2_grpc.add_UserServiceServicer_to_server,
    ),
    Service(
        catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"],
        catalog_service_pb2_grpc.CatalogServiceServicer,
        catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server,
    ),
    Service(
        inventory_service_pb2.DESCRIPTOR.services_by_name["InventoryService"],
        inventory_service_pb2_grpc.InventoryServiceServicer,
        inventory_service_pb2_grpc.add_InventoryServiceServicer_to_server,
    ),
    Service(
        cart_service_pb2.DESCRIPTOR.services_by_name["CartService"],
        cart_service_pb2_grpc.CartServiceServicer,
        cart_service_pb2_grpc.add_CartServiceServicer_to_server,
    ),
    Service(
        checkout_service_pb2.DESCRIPTOR.services_by_name["CheckoutService"],
        checkout_service_pb2_grpc.CheckoutServiceServicer,
        checkout_service_pb2_grpc.add_CheckoutServiceServicer_to_server,
    ),
    Service(
        order_service_pb2.DESCRIPTOR.services_by_name["OrderService"],
        order_service_pb2_grpc.OrderServiceServicer,
        order_service_pb2_grpc.add_OrderServiceServicer_to_server,
    ),
    Service(
        payment_service_pb2.DESCRIPTOR.services_by_name["PaymentService"],
        payment_service_pb2_grpc.PaymentServiceServicer,
        payment_service_pb2_grpc.add_PaymentServiceServicer_to_server,
    ),
    Service(
        ops_service_pb2.DESCRIPTOR.services_by_name["OpsService"],
        ops_service_pb2_grpc.OpsServiceServicer,
        ops_service_pb2_grpc.add_OpsServiceServicer_to_server,
    ),
)


def service_for(servicer: object) -> Service:
    """The service that the servicer serves. Raises TypeError for one that serves none of the contract."""
    for service in SERVICES:
        if isinstance(servicer, service.servicer_type):
            return service
    raise TypeError(f"{type(servicer).__qualname__} is no servicer of the contract")
