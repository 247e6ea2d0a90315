"""CartService."""

# The contract names the methods, and grpc hands every one the same parameters.
# ruff: noqa: N802, ARG002

from uuid import UUID

from kapda.api.cart.v1 import cart_service_pb2 as pb
from kapda.api.cart.v1.cart_service_pb2_grpc import CartServiceServicer
from kapda.domain.cart.cart import Cart
from kapda.domain.cart.use_cases.add_item import AddItemCommand
from kapda.domain.cart.use_cases.change_item import ChangeItemCommand
from kapda.domain.cart.use_cases.clear_cart import ClearCartCommand
from kapda.domain.cart.use_cases.get_cart import GetCartCommand
from kapda.domain.cart.use_cases.remove_item import RemoveItemCommand
from kapda.domain.cart.use_cases.validate_cart import CartValidation, ValidateCartCommand
from kapda.domain.shared.ids import RequestId, VariantId
from kapda.domain.shared.request_log import Answer
from kapda.entrypoints.grpc.call import Context, caller, value_of
from kapda.entrypoints.grpc.translate.cart import cart_to_proto, change_to_proto
from kapda.entrypoints.use_case import UseCase


class CartServicer(CartServiceServicer):
    """The caller's own cart."""

    def __init__(
        self,
        *,
        get_cart: UseCase[GetCartCommand, Cart],
        add_item: UseCase[AddItemCommand, Answer[Cart]],
        change_item: UseCase[ChangeItemCommand, Answer[Cart]],
        remove_item: UseCase[RemoveItemCommand, Answer[Cart]],
        clear_cart: UseCase[ClearCartCommand, Answer[Cart]],
        validate_cart: UseCase[ValidateCartCommand, CartValidation],
    ) -> None:
        self._get_cart = get_cart
        self._add_item = add_item
        self._change_item = change_item
        self._remove_item = remove_item
        self._clear_cart = clear_cart
        self._validate_cart = validate_cart

    async def GetCart(self, request: pb.GetCartRequest, context: Context) -> pb.GetCartResponse:
        """The cart."""
        return pb.GetCartResponse(cart=cart_to_proto(await self._get_cart.execute(GetCartCommand(caller().user_id))))

    async def AddItem(self, request: pb.AddItemRequest, context: Context) -> pb.AddItemResponse:
        """Put pieces in."""
        answer = await self._add_item.execute(
            AddItemCommand(
                customer_id=caller().user_id,
                request_id=RequestId(UUID(request.request_id)),
                variant_id=VariantId(UUID(request.variant_id)),
                quantity=request.quantity,
            )
        )
        return pb.AddItemResponse(cart=cart_to_proto(value_of(answer)))

    async def ChangeItem(self, request: pb.ChangeItemRequest, context: Context) -> pb.ChangeItemResponse:
        """Set a line's quantity."""
        answer = await self._change_item.execute(
            ChangeItemCommand(
                customer_id=caller().user_id,
                request_id=RequestId(UUID(request.request_id)),
                variant_id=VariantId(UUID(request.variant_id)),
                quantity=request.quantity,
            )
        )
        return pb.ChangeItemResponse(cart=cart_to_proto(value_of(answer)))

    async def RemoveItem(self, request: pb.RemoveItemRequest, context: Context) -> pb.RemoveItemResponse:
        """Take a line out."""
        answer = await self._remove_item.execute(
            RemoveItemCommand(
                customer_id=caller().user_id,
                request_id=RequestId(UUID(request.request_id)),
                variant_id=VariantId(UUID(request.variant_id)),
            )
        )
        return pb.RemoveItemResponse(cart=cart_to_proto(value_of(answer)))

    async def ClearCart(self, request: pb.ClearCartRequest, context: Context) -> pb.ClearCartResponse:
        """Take everything out."""
        answer = await self._clear_cart.execute(
            ClearCartCommand(customer_id=caller().user_id, request_id=RequestId(UUID(request.request_id)))
        )
        return pb.ClearCartResponse(cart=cart_to_proto(value_of(answer)))

    async def ValidateCart(self, request: pb.ValidateCartRequest, context: Context) -> pb.ValidateCartResponse:
        """Compare the cart with the world."""
        validation = await self._validate_cart.execute(ValidateCartCommand(caller().user_id))
        return pb.ValidateCartResponse(
            cart=cart_to_proto(validation.cart),
            changes=[change_to_proto(change) for change in validation.changes],
            valid=validation.valid,
        )
