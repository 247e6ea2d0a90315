"""F14: one request id, many parallel callers: one effect, one answer; with another body it is refused."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from kapda.domain.cart.guest import GuestToken
from kapda.domain.cart.use_cases.add_item import AddItemCommand
from kapda.domain.cart.use_cases.change_item import ChangeItemCommand
from kapda.domain.cart.use_cases.clear_cart import ClearCartCommand
from kapda.domain.cart.use_cases.merge_guest_cart import MergeGuestCartCommand
from kapda.domain.cart.use_cases.remove_item import RemoveItemCommand
from kapda.domain.checkout.use_cases.abandon_checkout import AbandonCheckoutCommand
from kapda.domain.checkout.use_cases.start_checkout import StartCheckoutCommand
from kapda.domain.inventory.use_cases.adjust_stock import AdjustStockCommand
from kapda.domain.inventory.use_cases.receive_stock import ReceiveStockCommand
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import CheckoutId, RequestId, VariantId
from kapda.domain.shared.request_log import Answer
from tests.fakes.samples import rupees
from tests.shop.buyer import Buyer, new_buyer
from tests.shop.gate import at_once
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
    async def version_steps() -> int:
        return (await scene.buyer.cart()).version - before

    before = (await scene.buyer.cart()).version
    return Case(
        "change_item",
        lambda request: ChangeItemCommand(scene.buyer.owner, request, scene.variant, 3),
        lambda request: ChangeItemCommand(scene.buyer.owner, request, scene.variant, 4),
        version_steps,
    )


async def remove_item(scene: Scene) -> Case:
    async def version_steps() -> int:
        return (await scene.buyer.cart()).version - before

    before = (await scene.buyer.cart()).version
    return Case(
        "remove_item",
        lambda request: RemoveItemCommand(scene.buyer.owner, request, scene.variant),
        lambda request: RemoveItemCommand(scene.buyer.owner, request, VariantId(request)),
        version_steps,
    )


async def clear_cart(scene: Scene) -> Case:
    async def version_steps() -> int:
        return (await scene.buyer.cart()).version - before

    before = (await scene.buyer.cart()).version

    def command(request: RequestId) -> ClearCartCommand:
        return ClearCartCommand(scene.buyer.owner, request)

    return Case("clear_cart", command, command, version_steps)


async def merge_guest_cart(scene: Scene) -> Case:
    async def version_steps() -> int:
        return (await scene.buyer.cart()).version - before

    before = (await scene.buyer.cart()).version
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
)


@pytest.fixture
async def scene(shop: Shop) -> Scene:
    variant = await shop.variant(pieces=50)
    buyer = await new_buyer(shop)
    await buyer.add(variant)
    return Scene(shop, buyer, variant)


async def _call(shop: Shop, use_case: str, command: object) -> Answer[Any]:
    answer: Answer[Any] = await getattr(shop.door(), use_case)().execute(command)
    return answer


@pytest.mark.parametrize("twins", [2, 10])
@pytest.mark.parametrize("prepare", CASES, ids=lambda prepare: prepare.__name__)
async def test_f14_twins_have_one_effect_and_hear_the_same(
    scene: Scene, prepare: Callable[[Scene], Awaitable[Case]], twins: int
) -> None:
    case, request = await prepare(scene), new_request()

    outcomes = await at_once([partial(_call, scene.shop, case.use_case, case.command(request)) for _ in range(twins)])

    assert not outcomes.refusals
    assert all(answer.value == outcomes.answers[0].value for answer in outcomes.answers)
    assert [answer.replayed for answer in outcomes.answers].count(False) == 1
    later = await _call(scene.shop, case.use_case, case.command(request))
    assert later == Answer(outcomes.answers[0].value, replayed=True)
    assert await case.effects() == 1


@pytest.mark.parametrize(
    "prepare", [case for case in CASES if case is not clear_cart], ids=lambda prepare: prepare.__name__
)
async def test_f14_one_request_id_with_two_bodies_serves_one_and_refuses_the_other(
    scene: Scene, prepare: Callable[[Scene], Awaitable[Case]]
) -> None:
    case, request = await prepare(scene), new_request()
    first = await _call(scene.shop, case.use_case, case.command(request))

    outcomes = await at_once(
        [
            partial(_call, scene.shop, case.use_case, make(request))
            for make in (case.other_body, case.command, case.other_body)
        ]
    )

    assert outcomes.reasons == {Reason.REQUEST_ID_REUSED: 2}
    assert [answer.value for answer in outcomes.answers] == [first.value]
    assert await case.effects() == 1


# Those whose two bodies could both be served, and the effects of either.
BOTH_POSSIBLE = {
    add_item: {1, 2},
    change_item: {1},
    start_checkout: {1},
    place_order: {0, 1},
    receive_stock: {1},
    adjust_stock: {1},
}


@pytest.mark.parametrize(
    ("prepare", "allowed"), BOTH_POSSIBLE.items(), ids=[prepare.__name__ for prepare in BOTH_POSSIBLE]
)
async def test_f14_two_bodies_that_race_under_one_request_id_have_one_winner(
    scene: Scene, prepare: Callable[[Scene], Awaitable[Case]], allowed: set[int]
) -> None:
    case, request = await prepare(scene), new_request()

    async def call(make: Callable[[RequestId], Any]) -> tuple[Any, Answer[Any]]:
        return make, await _call(scene.shop, case.use_case, make(request))

    outcomes = await at_once([partial(call, make) for make in (case.command, case.other_body) * 4])

    assert outcomes.reasons == {Reason.REQUEST_ID_REUSED: 4}
    assert len({make for make, _ in outcomes.answers}) == 1
    assert [answer.replayed for _, answer in outcomes.answers].count(False) == 1
    assert all(answer.value == outcomes.answers[0][1].value for _, answer in outcomes.answers)
    assert await case.effects() in allowed
    # What was paid and lost the race is placed by the sweep.
    await scene.shop.door().sweep_recent_payments().execute()


@pytest.mark.parametrize("prepare", [add_item, change_item, start_checkout, place_order], ids=lambda one: one.__name__)
async def test_f14_one_request_id_that_two_customers_use_at_once_is_two_requests(
    scene: Scene, prepare: Callable[[Scene], Awaitable[Case]]
) -> None:
    other = Scene(scene.shop, await new_buyer(scene.shop), scene.variant)
    await other.buyer.add(scene.variant)
    cases, request = [await prepare(one) for one in (scene, other)], new_request()

    outcomes = await at_once([partial(_call, scene.shop, case.use_case, case.command(request)) for case in cases * 3])

    assert not outcomes.refusals
    assert [answer.replayed for answer in outcomes.answers].count(False) == 2
    assert len({repr(answer.value) for answer in outcomes.answers}) == 2


async def test_one_request_id_of_two_customers_is_two_requests(shop: Shop) -> None:
    variant, request = await shop.variant(), new_request()
    ours, theirs = await new_buyer(shop), await new_buyer(shop)

    outcomes = await at_once([partial(buyer.add, variant, 1, request) for buyer in (ours, theirs)])

    assert {answer.value.customer_id for answer in outcomes.answers} == {ours.id, theirs.id}
    assert not any(answer.replayed for answer in outcomes.answers)


async def test_a_refused_request_leaves_no_claim_and_is_judged_anew(shop: Shop) -> None:
    variant, request = await shop.variant(pieces=0), new_request()
    buyer, admin = await new_buyer(shop), await shop.admin()

    refused = await at_once([partial(buyer.add, variant, 1, request) for _ in range(5)])
    assert refused.reasons == {Reason.INSUFFICIENT_STOCK: 5}
    delivery = ReceiveStockCommand(admin, new_request(), variant, 1, "delivery")
    await shop.container.receive_stock().execute(delivery)

    served = await at_once([partial(buyer.add, variant, 1, request) for _ in range(5)])
    assert not served.refusals
    assert (await buyer.cart()).item_count == 1


async def test_two_tabs_with_request_ids_of_their_own_are_given_one_checkout(scene: Scene) -> None:
    outcomes = await at_once([partial(scene.buyer.start, rupees(1_000)) for _ in range(6)])

    assert not outcomes.refusals
    assert len({answer.value.id for answer in outcomes.answers}) == 1
    orders = [o for o in (await scene.shop.books())["orders"] if o["receipt"] == str(outcomes.answers[0].value.id)]
    assert len(orders) == 1
