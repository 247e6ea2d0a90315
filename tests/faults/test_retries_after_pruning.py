"""A request comes again when its answer has been pruned: whoever slept for a week must not move money or pieces twice."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from kapda.adapters.postgres import retention
from kapda.domain.shared.errors import DomainError
from tests.shop.request_cases import (
    CASES,
    Case,
    Scene,
    add_item,
    change_item,
    clear_cart,
    merge_guest_cart,
    new_scene,
    remove_item,
)
from tests.shop.shop import Shop, new_request


@pytest.fixture
async def scene(shop: Shop) -> Scene:
    return await new_scene(shop)


async def _a_week_and_a_day_later(shop: Shop) -> None:
    await shop.sql("UPDATE request_log SET created_at = created_at - interval '8 days'")
    assert await shop.container.retention().prune() >= 1


# A cart is neither: after a week, more is put into it.
CARTS = (add_item, change_item, remove_item, clear_cart, merge_guest_cart)


@pytest.mark.parametrize("prepare", [case for case in CASES if case not in CARTS], ids=lambda prepare: prepare.__name__)
async def test_f14_a_request_that_comes_again_after_its_answer_was_pruned_has_no_second_effect(
    scene: Scene, prepare: Callable[[Scene], Awaitable[Case]]
) -> None:
    case, request = await prepare(scene), new_request()
    use_case = getattr(scene.shop.container, case.use_case)()
    await use_case.execute(case.command(request))
    await _a_week_and_a_day_later(scene.shop)

    # It may be refused by then, because what it asks for has been done.
    with suppress(DomainError):
        await use_case.execute(case.command(request))

    assert await case.effects() == 1


async def test_pruning_finds_what_may_go_by_an_index_however_many_stay(shop: Shop) -> None:
    await shop.sql(
        """INSERT INTO request_log (scope, method, request_id, fingerprint, created_at)
           SELECT uuidv7(), 'ReceiveStock', uuidv7(), '', now() - interval '1 year' FROM generate_series(1, 20000)"""
    )
    await shop.sql("ANALYZE request_log")
    await shop.container.retention().prune()
    (pruning,) = (str(rule) for rule in retention._RULES if "request_log" in str(rule))
    plan = await shop.sql(f"EXPLAIN {pruning}", age=retention.REQUESTS_FOR, batch=retention.BATCH)
    assert any("request_log_prunable_idx" in row["QUERY PLAN"] for row in plan), plan
    await shop.sql("DELETE FROM request_log WHERE created_at < now() - interval '300 days'")
