"""Any steps in any order: the model and the shop agree after each of them. Short here, long in make torture."""

import asyncio
from collections import Counter
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.shop.shop import Shop
from tests.simulation.shop_machine import ShopMachine
from tests.torture.budget import CAMPAIGN_SECONDS, SEED

# Shrinking would take longer than reading the twenty steps of a failure.
_PLAIN = settings(
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
    database=None,
    print_blob=False,
)
_EXAMPLES_A_MINUTE = 25
_LONG_SECONDS = 180.0


@pytest.fixture(scope="module")
async def loop_of(shop: Shop) -> asyncio.AbstractEventLoop:
    """The loop that the shop's connections live in; it stands still while a test without one runs."""
    return asyncio.get_running_loop()


def _machine(of: Shop, in_loop: asyncio.AbstractEventLoop) -> type[ShopMachine]:
    class Machine(ShopMachine):
        shop = of
        loop = in_loop
        reached: ClassVar[Counter[str]] = Counter()

    return Machine


def test_f1_f3_f6_f10_f37_any_steps_in_any_order_leave_what_the_model_says(
    shop: Shop, loop_of: asyncio.AbstractEventLoop
) -> None:
    few = settings(_PLAIN, max_examples=5, stateful_step_count=20, derandomize=True)
    machine = _machine(shop, loop_of)
    run_state_machine_as_test(machine, settings=few)
    # The steps have led somewhere.
    assert machine.reached["placed"], machine.reached


@pytest.mark.torture
@pytest.mark.timeout(3 * CAMPAIGN_SECONDS + 300)
def test_f1_f3_f6_f10_f37_many_steps_in_any_order_leave_what_the_model_says(
    shop: Shop, loop_of: asyncio.AbstractEventLoop
) -> None:
    many = settings(
        _PLAIN, max_examples=max(1, int(CAMPAIGN_SECONDS / 60 * _EXAMPLES_A_MINUTE)), stateful_step_count=40
    )
    machine = _machine(shop, loop_of)
    run_state_machine_as_test(seed(SEED)(machine), settings=many)
    # What any dice lead to within a minute, and within some.
    reached = ["placed", "cancelled", "expired", "unanswered", "start again", "place again"]
    if CAMPAIGN_SECONDS >= _LONG_SECONDS:
        reached += ["superseded", "abandoned", "returned", "decided", "cancel again", "refund again", "resolve again"]
    assert all(machine.reached[state] for state in reached), machine.reached
