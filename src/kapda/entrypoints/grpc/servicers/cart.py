"""CartService."""

# The contract names the methods, and grpc hands every one the same parameters.
# ruff: noqa: N802, ARG002

from typing import Protocol
from uuid import UUID

from kapda.api.cart.v1 import cart_service_pb2 as pb
from kapda.api.cart.v1.cart_service_pb2_grpc import CartServiceServicer
from kapda.domain.cart.cart import Cart
from kapda.domain.cart.guest import GuestToken
from kapda.domain.cart.merge import MergedCart
from kapda.domain.cart.use_cases.add_item import AddItemCommand
from kapda.domain.cart.use_cases.change_item import ChangeItemCommand
from kapda.domain.cart.use_cases.clear_cart import ClearCartCommand
from kapda.domain.cart.use_cases.create_guest_cart import NewGuestCart
from kapda.domain.cart.use_cases.get_cart import GetCartCommand
from kapda.domain.cart.use_cases.merge_guest_cart import MergeGuestCartCommand
from kapda.domain.cart.use_cases.remove_item import RemoveItemCommand
from kapda.domain.cart.use_cases.validate_cart import CartValidation, ValidateCartCommand
from kapda.domain.shared.ids import RequestId, VariantId
from kapda.domain.shared.request_log import Answer
from kapda.entrypoints.grpc.call import Context, caller, cart_owner, value_of
from kapda.entrypoints.grpc.translate.cart import cart_to_proto, change_to_proto, cut_to_proto
from kapda.entrypoints.use_case import UseCase


class MakesGuestCarts(Protocol):
    """CreateGuestCart, which needs no command."""

    async def execute(self) -> NewGuestCart:
        """A new cart with its token."""
        ...


class CartServicer(CartServiceServicer):
    """The caller's own cart, or the guest's whose token came with the call."""

    def __init__(
        self,
        *,
        create_guest_cart: MakesGuestCarts,
        merge_guest_cart: UseCase[MergeGuestCartCommand, Answer[MergedCart]],
        get_cart: UseCase[GetCartCommand, Cart],
        add_item: UseCase[AddItemCommand, Answer[Cart]],
        change_item: UseCase[ChangeItemCommand, Answer[Cart]],
        remove_item: UseCase[RemoveItemCommand, Answer[Cart]],
        clear_cart: UseCase[ClearCartCommand, Answer[Cart]],
        validate_cart: UseCase[ValidateCartCommand, CartValidation],
    ) -> None:
        self._create_guest_cart = create_guest_cart
        self._merge_guest_cart = merge_guest_cart
        self._get_cart = get_cart
        self._add_item = add_item
        self._change_item = change_item
        self._remove_item = remove_item
        self._clear_cart = clear_cart
        self._validate_cart = validate_cart

    async def CreateGuestCart(self, request: pb.CreateGuestCartRequest, context: Context) -> pb.CreateGuestCartResponse:
        """A cart for somebody unknown."""
        made = await self._create_guest_cart.execute()
        return pb.CreateGuestCartResponse(cart=cart_to_proto(made.cart), guest_token=made.token.secret)

    async def MergeGuestCart(self, request: pb.MergeGuestCartRequest, context: Context) -> pb.MergeGuestCartResponse:
        """Put a guest's pieces into the customer's cart."""
        answer = await self._merge_guest_cart.execute(
            MergeGuestCartCommand(
                customer_id=caller().user_id,
                request_id=RequestId(UUID(request.request_id)),
                token=GuestToken(request.guest_token),
            )
        )
        merged = value_of(answer)
        return pb.MergeGuestCartResponse(
            cart=cart_to_proto(merged.cart), cuts=[cut_to_proto(cut) for cut in merged.cuts]
        )

    async def GetCart(self, request: pb.GetCartRequest, context: Context) -> pb.GetCartResponse:
        """The cart."""
        return pb.GetCartResponse(cart=cart_to_proto(await self._get_cart.execute(GetCartCommand(cart_owner()))))

    async def AddItem(self, request: pb.AddItemRequest, context: Context) -> pb.AddItemResponse:
        """Put pieces in."""
        answer = await self._add_item.execute(
            AddItemCommand(
                owner=cart_owner(),
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
                owner=cart_owner(),
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
                owner=cart_owner(),
                request_id=RequestId(UUID(request.request_id)),
                variant_id=VariantId(UUID(request.variant_id)),
            )
        )
        return pb.RemoveItemResponse(cart=cart_to_proto(value_of(answer)))

    async def ClearCart(self, request: pb.ClearCartRequest, context: Context) -> pb.ClearCartResponse:
        """Take everything out."""
        answer = await self._clear_cart.execute(
            ClearCartCommand(owner=cart_owner(), request_id=RequestId(UUID(request.request_id)))
        )
        return pb.ClearCartResponse(cart=cart_to_proto(value_of(answer)))

    async def ValidateCart(self, request: pb.ValidateCartRequest, context: Context) -> pb.ValidateCartResponse:
        """Compare the cart with the world."""
        validation = await self._validate_cart.execute(ValidateCartCommand(cart_owner()))
        return pb.ValidateCartResponse(
            cart=cart_to_proto(validation.cart),
            changes=[change_to_proto(change) for change in validation.changes],
            valid=validation.valid,
        )
