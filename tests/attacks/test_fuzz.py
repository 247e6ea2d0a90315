"""No request, however mad, is a fault of ours; and after thousands of them every promise holds."""

import time

import pytest
import structlog

from tests.attacks.contract import METHODS, Method
from tests.attacks.fuzzer import Fuzzer
from tests.attacks.stage import Stage
from tests.shop.desk import check_books, send_due
from tests.shop.shop import Shop
from tests.torture.budget import CAMPAIGN_SECONDS, SEED

# Some seconds of them; the campaign of make torture goes on for as long as it is told.
SHOTS = 1_000


async def _fuzz(stage: Stage, fuzzer: Fuzzer, seconds: float, shots: int | None = None) -> None:
    ends = time.monotonic() + seconds
    with structlog.testing.capture_logs() as lines:
        await fuzzer.fire(lambda fired: fired < shots if shots is not None else time.monotonic() < ends)
    logged = "\n".join(map(str, lines))
    assert not [secret for secret in await stage.secrets() if secret in logged]
    await _keep_promises(stage.shop)


async def _keep_promises(shop: Shop) -> None:
    """What the worker does, and then the proof."""
    await shop.door().sweep_recent_payments().execute()
    await send_due(shop)
    await check_books(shop)


async def test_a_short_fuzz_finds_no_fault_of_ours(stage: Stage) -> None:
    fuzzer = Fuzzer(stage, seed=1)
    await _fuzz(stage, fuzzer, 0.0, SHOTS)
    assert {name for name, _ in fuzzer.answers} == {method.descriptor.name for method in METHODS}
    assert {name for name, reason in fuzzer.answers if reason == "OK"}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.descriptor.name)
async def test_a_request_made_from_the_contract_gets_past_its_shape(stage: Stage, method: Method) -> None:
    """Otherwise the fuzz knocks at the door only: tests/attacks/messages.py then lacks what the rules do not say."""
    fuzzer = Fuzzer(stage, seed=3, methods=[method])
    reasons = {await fuzzer.ask_well() for _ in range(20)}
    assert reasons - {"VALIDATION_FAILED"}, reasons


@pytest.mark.torture
@pytest.mark.timeout(CAMPAIGN_SECONDS + 300)
async def test_a_long_fuzz_finds_no_fault_of_ours(stage: Stage) -> None:
    await _fuzz(stage, Fuzzer(stage, SEED), CAMPAIGN_SECONDS)
