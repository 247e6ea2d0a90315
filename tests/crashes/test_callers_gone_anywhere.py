"""F16, F55: a client goes while its call is at any await; what moves money goes on to its end, and is there once."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from dependency_injector import providers

from kapda.entrypoints.container import Container
from kapda.entrypoints.supervisor import Supervisor
from tests.shop.buyer import new_buyer
from tests.shop.cancelling import StruckAt
from tests.shop.served import ADD_ITEM, MONEY_CALLS, MoneyCall, server
from tests.shop.shop import Shop
from tests.waiting import until

# More awaits than any of these has; reaching it means that the test does not end.
TOO_MANY = 120


@dataclass
class Line:
    """A use case, and the client of its next call, who goes when the use case waits for the `at`-th time. Nothing goes on
    before the server has heard of it."""

    use_case: Any
    at: int = -1
    hang_up: Callable[[], object] = lambda: None
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def execute(self, command: object) -> object:
        """As the use case does."""
        return await StruckAt(self.use_case.execute(command), self.at, self._client_goes)

    async def _client_goes(self) -> None:
        self.hang_up()
        async with asyncio.timeout(10):
            await self.gone.wait()


@dataclass
class HearsOfIt(Supervisor):
    """Says when grpc cancels a handler whose money phase goes on."""

    line: Line

    def __post_init__(self) -> None:
        super().__init__()

    async def run(self, name: str, phase: Callable[[], Any]) -> Any:
        """See there."""
        try:
            return await super().run(name, phase)
        except asyncio.CancelledError:
            self.line.gone.set()
            raise


def _wired(shop: Shop, case: MoneyCall) -> tuple[Container, Line]:
    container = Container(settings=shop.container.settings())
    provider = getattr(container, case.use_case)
    line = Line(provider())
    provider.override(providers.Object(line))
    container.supervisor.override(providers.Object(HearsOfIt(line)))
    return container, line


async def _is_cut_off(line: Line, at: int, call: Any) -> bool:
    """Whether the client went before it had its answer."""
    line.at, line.gone, line.hang_up = at, asyncio.Event(), call.cancel
    with suppress(asyncio.CancelledError):
        await call
    return bool(call.cancelled())


@pytest.mark.parametrize("method", MONEY_CALLS)
async def test_what_moves_money_goes_on_from_any_await_at_which_its_client_went(shop: Shop, method: str) -> None:
    case, variant = MONEY_CALLS[method], await shop.variant(pieces=TOO_MANY)
    container, line = _wired(shop, case)
    async with server(shop, container) as (channel, _):
        for at in range(TOO_MANY):
            buyer = await new_buyer(shop)
            call = await case.ready(shop, buyer, variant)
            reached = await _is_cut_off(line, at, call(channel))

            # Nobody asks again, no poller has been due: it ends by itself.
            async def is_there(ids: tuple[Any, ...] = (buyer.id,)) -> bool:
                return await shop.count(case.effects, ids=list(ids)) == 1

            await until(is_there, within=10.0)
            line.at = -1
            assert await call(channel) == await call(channel)
            assert await is_there()
            if not reached:
                break
        else:
            pytest.fail("it never ended")
    assert at > 1


async def test_what_moves_no_money_is_undone_with_its_client_and_done_by_the_same_request(shop: Shop) -> None:
    variant = await shop.variant(pieces=TOO_MANY)
    container, line = _wired(shop, ADD_ITEM)
    async with server(shop, container) as (channel, _):
        for at in range(TOO_MANY):
            buyer = await new_buyer(shop)
            call = await ADD_ITEM.ready(shop, buyer, variant)
            reached = await _is_cut_off(line, at, call(channel))
            line.at = -1
            await call(channel)
            assert await shop.count(ADD_ITEM.effects, ids=[buyer.id]) == 1
            if not reached:
                break
        else:
            pytest.fail("it never ended")
    assert at > 1
