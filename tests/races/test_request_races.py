"""F14: one request id, many parallel callers: one effect, one answer; with another body it is refused."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from kapda.domain.inventory.use_cases.receive_stock import ReceiveStockCommand
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import RequestId
from kapda.domain.shared.request_log import Answer
from tests.fakes.samples import rupees
from tests.shop.buyer import new_buyer
from tests.shop.gate import at_once
from tests.shop.request_cases import (
    CASES,
    Case,
    Scene,
    add_item,
    adjust_stock,
    batch_receive_stock,
    cancel_order,
    change_item,
    clear_cart,
    new_scene,
    place_order,
    receive_stock,
    refund_order,
    resolve_case,
    set_stock,
    start_checkout,
)
from tests.shop.shop import Shop, new_request


@pytest.fixture
async def scene(shop: Shop) -> Scene:
    return await new_scene(shop)


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
    set_stock: {1},
    batch_receive_stock: {1},
    cancel_order: {1},
    refund_order: {1},
    resolve_case: {0, 1},
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
