"""Every use case that takes a request id, ready to be called with one: what races are run on, and late retries."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from kapda.domain.cart.guest import GuestToken
from kapda.domain.cart.use_cases.add_item import AddItemCommand
from kapda.domain.cart.use_cases.change_item import ChangeItemCommand
from kapda.domain.cart.use_cases.clear_cart import ClearCartCommand
from kapda.domain.cart.use_cases.merge_guest_cart import MergeGuestCartCommand
from kapda.domain.cart.use_cases.remove_item import RemoveItemCommand
from kapda.domain.checkout.use_cases.abandon_checkout import AbandonCheckoutCommand
from kapda.domain.checkout.use_cases.start_checkout import StartCheckoutCommand
from kapda.domain.inventory.delivery import DeliveryLine
from kapda.domain.inventory.use_cases.adjust_stock import AdjustStockCommand
from kapda.domain.inventory.use_cases.batch_receive_stock import BatchReceiveStockCommand
from kapda.domain.inventory.use_cases.receive_stock import ReceiveStockCommand
from kapda.domain.inventory.use_cases.set_stock import SetStockCommand
from kapda.domain.orders.reversal import LineQuantity
from kapda.domain.orders.use_cases.cancel_order import CancelOrderCommand
from kapda.domain.orders.use_cases.refund_order import RefundOrderCommand
from kapda.domain.orders.use_cases.resolve_case import ResolveCaseCommand
from kapda.domain.payments.payment_case import Resolution
from kapda.domain.shared.ids import CaseId, CheckoutId, RequestId, VariantId
from kapda.domain.shared.money import Money
from tests.fakes.samples import rupees
from tests.shop.buyer import Buyer, deliver, new_buyer
from tests.shop.desk import a_proof, cases_of, customer, faults
from tests.shop.guest import new_guest
from tests.shop.shop import Shop, new_request


@dataclass(frozen=True, slots=True)
class Case:
    """A use case ready to be called: by its name in the container, with a body and another one, and its effects."""

    use_case: str
    command: Callable[[RequestId], Any]
    other_body: Callable[[RequestId], Any]
    # What there is exactly one of after any number of calls.
    effects: Callable[[], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Scene:
    """A customer with one kurta in the cart."""

    shop: Shop
    buyer: Buyer
    variant: VariantId


async def _pieces(scene: Scene) -> int:
    return (await scene.buyer.cart()).item_count


async def new_scene(shop: Shop) -> Scene:
    """A new buyer with one of fifty pieces in the cart."""
    variant = await shop.variant(pieces=50)
    buyer = await new_buyer(shop)
    await buyer.add(variant)
    return Scene(shop, buyer, variant)


async def _version_steps(scene: Scene) -> Callable[[], Awaitable[int]]:
    """How often the cart has been changed since now."""

    async def steps() -> int:
        return (await scene.buyer.cart()).version - before

    before = (await scene.buyer.cart()).version
    return steps


async def _moves(scene: Scene, kind: str) -> int:
    """Movements of the kind besides the opening stock."""
    among = "stock_movements WHERE variant_id = :id AND kind = :kind AND actor <> 'seed'"
    return await scene.shop.count(among, id=scene.variant, kind=kind)


async def add_item(scene: Scene) -> Case:
    async def added() -> int:
        return await _pieces(scene) - 1

    return Case(
        "add_item",
        lambda request: AddItemCommand(scene.buyer.owner, request, scene.variant, 1),
        lambda request: AddItemCommand(scene.buyer.owner, request, scene.variant, 2),
        added,
    )


async def change_item(scene: Scene) -> Case:
    version_steps = await _version_steps(scene)
    return Case(
        "change_item",
        lambda request: ChangeItemCommand(scene.buyer.owner, request, scene.variant, 3),
        lambda request: ChangeItemCommand(scene.buyer.owner, request, scene.variant, 4),
        version_steps,
    )


async def remove_item(scene: Scene) -> Case:
    version_steps = await _version_steps(scene)
    return Case(
        "remove_item",
        lambda request: RemoveItemCommand(scene.buyer.owner, request, scene.variant),
        lambda request: RemoveItemCommand(scene.buyer.owner, request, VariantId(request)),
        version_steps,
    )


async def clear_cart(scene: Scene) -> Case:
    version_steps = await _version_steps(scene)

    def command(request: RequestId) -> ClearCartCommand:
        return ClearCartCommand(scene.buyer.owner, request)

    return Case("clear_cart", command, command, version_steps)


async def merge_guest_cart(scene: Scene) -> Case:
    version_steps = await _version_steps(scene)
    guest = await new_guest(scene.shop)
    await guest.add(scene.variant, 2)
    return Case(
        "merge_guest_cart",
        lambda request: MergeGuestCartCommand(scene.buyer.id, request, guest.token),
        lambda request: MergeGuestCartCommand(scene.buyer.id, request, GuestToken("another")),
        version_steps,
    )


async def start_checkout(scene: Scene) -> Case:
    return Case(
        "start_checkout",
        lambda request: StartCheckoutCommand(scene.buyer.id, request, scene.buyer.address, rupees(1_000)),
        lambda request: StartCheckoutCommand(scene.buyer.id, request, scene.buyer.address, rupees(1_001)),
        partial(_moves, scene, "hold"),
    )


async def abandon_checkout(scene: Scene) -> Case:
    checkout, another = await scene.buyer.check_out(), new_request()
    return Case(
        "abandon_checkout",
        lambda request: AbandonCheckoutCommand(scene.buyer.id, request, checkout.id),
        lambda request: AbandonCheckoutCommand(scene.buyer.id, request, CheckoutId(another)),
        partial(_moves, scene, "release"),
    )


async def place_order(scene: Scene) -> Case:
    variant = await scene.shop.variant()
    earlier = await scene.buyer.check_out()
    earlier_triple = await scene.buyer.pay(earlier)
    await scene.buyer.place(earlier, earlier_triple)
    checkout = await scene.buyer.checks_out_one(variant)
    triple = await scene.buyer.pay(checkout)

    return Case(
        "place_order",
        lambda request: scene.buyer.coming_back(checkout, triple, request),
        lambda request: scene.buyer.coming_back(earlier, earlier_triple, request),
        partial(scene.shop.count, "orders WHERE checkout_id = :id", id=checkout.id),
    )


async def receive_stock(scene: Scene) -> Case:
    admin = await scene.shop.admin()
    return Case(
        "receive_stock",
        lambda request: ReceiveStockCommand(admin, request, scene.variant, 5, "delivery"),
        lambda request: ReceiveStockCommand(admin, request, scene.variant, 6, "delivery"),
        partial(_moves, scene, "receive"),
    )


async def adjust_stock(scene: Scene) -> Case:
    admin = await scene.shop.admin()
    return Case(
        "adjust_stock",
        lambda request: AdjustStockCommand(admin, request, scene.variant, -1, "moth", None),
        lambda request: AdjustStockCommand(admin, request, scene.variant, -1, "moths", None),
        partial(_moves, scene, "adjust"),
    )


async def set_stock(scene: Scene) -> Case:
    admin = await scene.shop.admin()
    counted = await scene.shop.variant(pieces=50)
    return Case(
        "set_stock",
        lambda request: SetStockCommand(admin, request, counted, 40, "v1", "counted"),
        lambda request: SetStockCommand(admin, request, counted, 41, "v1", "counted"),
        partial(scene.shop.count, "stock_movements WHERE variant_id = :id AND kind = 'adjust'", id=counted),
    )


async def batch_receive_stock(scene: Scene) -> Case:
    admin = await scene.shop.admin()

    def command(request: RequestId, quantity: int) -> BatchReceiveStockCommand:
        return BatchReceiveStockCommand(admin, request, (DeliveryLine(quantity, scene.variant),), "delivery")

    return Case(
        "batch_receive_stock",
        lambda request: command(request, 5),
        lambda request: command(request, 6),
        partial(_moves, scene, "receive"),
    )


async def cancel_order(scene: Scene) -> Case:
    order = await scene.buyer.buys(await scene.shop.variant())

    def command(request: RequestId, reason: str) -> CancelOrderCommand:
        return CancelOrderCommand(customer(scene.buyer.id), None, request, order.id, reason)

    return Case(
        "cancel_order",
        lambda request: command(request, "changed my mind"),
        lambda request: command(request, "and changed it again"),
        partial(scene.shop.count, "refunds WHERE order_id = :id", id=order.id),
    )


async def refund_order(scene: Scene) -> Case:
    """One piece of two, so that a second refund would be possible."""
    order, admin = await scene.buyer.buys(await scene.shop.variant(), 2), await scene.shop.admin()

    def command(request: RequestId, reason: str) -> RefundOrderCommand:
        pieces = (LineQuantity(order.lines[-1].position, 1),)
        return RefundOrderCommand(admin, a_proof(admin), request, order.id, pieces, Money.zero(), True, reason)

    return Case(
        "refund_order",
        lambda request: command(request, "torn"),
        lambda request: command(request, "worn"),
        partial(scene.shop.count, "refunds WHERE order_id = :id", id=order.id),
    )


async def resolve_case(scene: Scene) -> Case:
    checkout, admin = await scene.buyer.checks_out_one(await scene.shop.variant()), await scene.shop.admin()
    async with faults(scene.shop, {"kind": "paid_amount", "by": -100, "order_id": checkout.gateway_order_id}):
        triple = await scene.buyer.pay(checkout)
    await deliver(scene.shop, triple)
    (case,) = await cases_of(scene.shop, triple["razorpay_payment_id"])

    def command(request: RequestId, resolution: Resolution) -> ResolveCaseCommand:
        return ResolveCaseCommand(admin, a_proof(admin), request, CaseId(case["id"]), resolution, "as agreed")

    return Case(
        "resolve_case",
        lambda request: command(request, Resolution.REFUND),
        lambda request: command(request, Resolution.WRITE_OFF),
        partial(scene.shop.count, "refunds WHERE payment_id = :id", id=case["payment_id"]),
    )


CASES = (
    add_item,
    change_item,
    remove_item,
    clear_cart,
    merge_guest_cart,
    start_checkout,
    abandon_checkout,
    place_order,
    receive_stock,
    adjust_stock,
    set_stock,
    batch_receive_stock,
    cancel_order,
    refund_order,
    resolve_case,
)
