"""Callers who go in the midst of a refresh or a log-out: whoever comes again finishes it."""

import pytest

from kapda.domain.identity.use_cases.log_out_everywhere import LogOutEverywhereCommand
from tests.shop.cancelling import run_cancelled_at
from tests.shop.devices import is_let_in, sign_in
from tests.shop.shop import Shop

# More awaits than either has; reaching it means that the test does not end.
TOO_MANY = 200


async def test_a_refresh_cut_off_anywhere_is_made_up_for_by_the_same_token_at_once(shop: Shop) -> None:
    user = await shop.customer()
    for at in range(TOO_MANY):
        device = await sign_in(shop, user)
        reached = await run_cancelled_at(device.refresh(), at)
        again = await device.refresh()
        assert await is_let_in(shop.door(), again)
        await device.refresh(again.refresh_token.secret)
        (row,) = await shop.sql(
            "SELECT successors FROM refresh_tokens WHERE digest = :digest",
            digest=device.tokens.refresh_token.secret.digest,
        )
        # Two where the first was cut off after its commit, or was not cut off.
        assert row["successors"] in ((1, 2) if reached else (2,))
        if not reached:
            break
    else:
        pytest.fail("it never ended")


async def test_a_log_out_everywhere_cut_off_anywhere_is_finished_by_the_next(shop: Shop) -> None:
    user = await shop.customer()
    for at in range(TOO_MANY):
        here, *others = [await sign_in(shop, user) for _ in range(4)]
        for device in (here, *others):
            assert await is_let_in(shop.container, device.tokens)
        command = LogOutEverywhereCommand(here.principal, keep_current=True)
        reached = await run_cancelled_at(shop.door().log_out_everywhere().execute(command), at)
        await shop.door().log_out_everywhere().execute(command)
        for container in shop.containers:
            assert not any([await is_let_in(container, device.tokens) for device in others])
            assert await is_let_in(container, here.tokens)
        if not reached:
            break
    else:
        pytest.fail("it never ended")
