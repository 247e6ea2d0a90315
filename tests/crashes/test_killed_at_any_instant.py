"""F16, F23, F31: a process dies at any instant while orders are placed, called off or refunded and their money is sent back.

The seed says what is done, who dies and after how long; when exactly inside a call that is, is the machine's own throw.
"""

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from kapda.api.cart.v1 import cart_service_pb2 as carts
from kapda.api.cart.v1.cart_service_pb2_grpc import CartServiceStub
from kapda.api.checkout.v1 import checkout_service_pb2 as checkouts
from kapda.api.checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from kapda.api.orders.v1 import order_service_pb2 as orders
from kapda.api.orders.v1.order_service_pb2_grpc import OrderServiceStub
from tests.shop.looking_on import looking_on
from tests.shop.processes import kill, restart
from tests.shop.wire import Wire, a_home
from tests.torture.budget import CAMPAIGN_SECONDS, SEED
from tests.torture.calls import Line
from tests.torture.diary import Diary
from tests.torture.reckoning import comes_to_rest
from tests.torture.sign_up import new_customer, the_admin

pytestmark = [pytest.mark.torture, pytest.mark.timeout(CAMPAIGN_SECONDS + 400)]

# Who is at work at once: one death catches each of them somewhere else.
CROWD = 12
# Longer than any of the calls takes, and the worker's part after it; most of the instants are early ones.
INSTANTS_SECONDS = 0.3
VICTIMS = ("serve", "worker")
Deed = Callable[[], Coroutine[Any, Any, None]]
Ready = Callable[[], Coroutine[Any, Any, Deed]]


@dataclass
class Attack:
    """Customers at work, an admin beside them, and somebody with a gun and dice."""

    wire: Wire
    admin: Line
    variant: str
    dice: random.Random
    diary: Diary
    refunds: dict[str, str] = field(default_factory=dict)
    """Orders whose money goes back, by the kind of refund."""
    deaths: Counter[tuple[str, str]] = field(default_factory=Counter)
    cut_off: Counter[str] = field(default_factory=Counter)
    """Calls that a death left without an answer."""

    def request_id(self) -> str:
        """A request id from the dice."""
        return str(UUID(int=self.dice.getrandbits(128), version=4))

    async def paid(self) -> tuple[Line, orders.PlaceOrderRequest]:
        """Somebody who has paid for one piece, and is about to come back."""
        line = Line(await new_customer(self.wire), random.Random(self.dice.random()), self.diary)  # noqa: S311
        adds = carts.AddItemRequest(request_id=self.request_id(), variant_id=self.variant, quantity=1)
        cart = (await line.ask(CartServiceStub(self.wire.channel).AddItem, adds)).cart
        starts = checkouts.StartCheckoutRequest(
            request_id=self.request_id(), address=a_home(), expected_total=cart.total
        )
        checkout = (await line.ask(CheckoutServiceStub(self.wire.channel).StartCheckout, starts)).checkout
        triple = await self.wire.pay(checkout, outcome=self.dice.choice(["success", "authorize_only"]))
        return line, orders.PlaceOrderRequest(request_id=self.request_id(), checkout_id=checkout.id, **triple)

    async def placing(self) -> Deed:
        """Ready to place."""
        line, request = await self.paid()

        async def place() -> None:
            order = (await line.ask(OrderServiceStub(self.wire.channel).PlaceOrder, request)).order
            assert await self.wire.orders_of(request.checkout_id) == 1
            self.diary.placed[request.request_id] = (request.checkout_id, order.id)

        return place

    async def _placed(self) -> tuple[Line, Any]:
        line, request = await self.paid()
        return line, (await line.ask(OrderServiceStub(self.wire.channel).PlaceOrder, request)).order

    async def cancelling(self) -> Deed:
        """Ready to call off."""
        line, order = await self._placed()
        request = orders.CancelOrderRequest(request_id=self.request_id(), order_id=order.id, reason="changed my mind")

        async def cancel() -> None:
            await line.ask(OrderServiceStub(self.wire.channel).CancelOrder, request)
            self.refunds[order.id] = "order_cancelled"

        return cancel

    async def refunding(self) -> Deed:
        """Ready to be refunded."""
        _, order = await self._placed()
        lines = [orders.RefundLine(position=order.lines[0].position, quantity=1)]
        request = orders.RefundOrderRequest(
            request_id=self.request_id(), order_id=order.id, lines=lines, reason="arrived torn"
        )

        async def refund() -> None:
            await self.admin.ask(OrderServiceStub(self.wire.channel).RefundOrder, request)
            self.refunds[order.id] = "order_lines"

        return refund

    async def strike(self, ready: Ready, victim: str) -> None:
        """All do it at once, the victim dies amid it and is back; everybody hears what came of it, once."""
        doing = await asyncio.gather(*(ready() for _ in range(CROWD)))
        before = self.diary.retries
        begun = [asyncio.ensure_future(do()) for do in doing]
        await asyncio.sleep(INSTANTS_SECONDS * self.dice.random() ** 2)
        kill(self.wire.stack, victim)
        restart(self.wire.stack, victim)
        await asyncio.gather(*begun)
        self.deaths[ready.__name__, victim] += 1
        self.cut_off[ready.__name__] += self.diary.retries - before

    @property
    def has_been_everywhere(self) -> bool:
        """Each deed has met with each death, and calls of each have been cut off by one."""
        deeds = [ready.__name__ for ready in (self.placing, self.cancelling, self.refunding)]
        return all(self.cut_off[deed] and all(self.deaths[deed, victim] for victim in VICTIMS) for deed in deeds)


def _order_of_things(attack: Attack) -> Iterator[tuple[Ready, str]]:
    """Each deed with each victim, in ever another order."""
    pairs = list(itertools.product((attack.placing, attack.cancelling, attack.refunding), VICTIMS))
    while True:
        yield from attack.dice.sample(pairs, k=len(pairs))


async def test_f16_f23_f31_whoever_dies_while_money_moves_it_moves_once(
    wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    diary, dice = Diary(), random.Random(f"{SEED} instants")  # noqa: S311
    async with looking_on(wire.stack, wire.gateway) as shop:
        admin = Line(await the_admin(wire, shop), random.Random(f"{SEED} admin"), diary)  # noqa: S311
        attack = Attack(wire, admin, await wire.variant(pieces=2_000), dice, diary)
        ends = time.monotonic() + CAMPAIGN_SECONDS / 2
        for ready, victim in _order_of_things(attack):
            await attack.strike(ready, victim)
            if time.monotonic() > ends and attack.has_been_everywhere:
                break
        await comes_to_rest(wire)
        for order_id, kind in attack.refunds.items():
            rows = await shop.sql("SELECT kind, state FROM refunds WHERE order_id = :id", id=UUID(order_id))
            assert [(row["kind"], row["state"]) for row in rows] == [(kind, "processed")]
    await wire.check_promises()
    with capsys.disabled():
        told = f"{attack.deaths.total()} deaths, calls cut off: {dict(attack.cut_off)}, refunds: {len(attack.refunds)}"
        print(f"\nseed {SEED}: {told}")  # noqa: T201
