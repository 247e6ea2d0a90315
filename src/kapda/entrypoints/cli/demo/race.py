"""A hundred buyers for the last ten pieces."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, TypeVar

from kapda.api.checkout.v1 import checkout_pb2
from kapda.api.common.v1 import money_pb2
from kapda.entrypoints.cli.account import Account
from kapda.entrypoints.cli.demo.stage import Stage, describe, roomiest
from kapda.entrypoints.cli.demo.story import duration
from kapda.entrypoints.cli.wire import RefusedError

BUYERS: Final = 100
PIECES: Final = 10
# More at once only queue: a password's hash takes a core for 20 ms, and there are few cores.
_AT_ONCE: Final = 8
_SOLD_OUT: Final = frozenset({"INSUFFICIENT_STOCK", "CART_CHANGED"})

Item = TypeVar("Item")
Result = TypeVar("Result")
Held = tuple[Account, checkout_pb2.Checkout]


async def a_race(stage: Stage) -> None:
    """All have one in the cart, all check out at one moment; ten can have one."""
    story = stage.story
    story.act(f"9. {BUYERS} buyers, {PIECES} pieces left")
    product = await stage.find("lehenga")
    variant = roomiest(product)
    stock = await stage.leave_pieces(variant.id, PIECES)
    story.tell(f"{product.title}, {describe(variant)}: the admin counts, {stock.available} left")
    with story.step() as say:
        crowd = await _some_at_once(stage.newcomer, [f"Buyer {number}" for number in range(1, BUYERS + 1)])
        say(f"{BUYERS} buyers sign up")
    with story.step() as say:
        carts = await _some_at_once(lambda buyer: buyer.add(variant.id, 1), crowd)
        say("each puts one into the cart; a cart holds nothing yet")
    with story.step() as say:
        held, refusals, times = await _all_check_out(crowd, carts[0].total)
        say(f"all check out at once; the slowest answer took {duration(max(times))}")
    reasons = Counter(refusals)
    story.expect(len(held) == PIECES, f"{len(held)} have their piece held")
    story.expect(
        reasons.total() == BUYERS - PIECES and reasons.keys() <= _SOLD_OUT,
        f"{reasons.total()} are told why not: {', '.join(f'{count} {name}' for name, count in reasons.items())}",
    )
    await _all_pay(stage, held)
    left = await stage.stock(variant.id)
    story.expect(
        (left.on_hand, left.held, left.available) == (0, 0, 0),
        f"{left.on_hand} on hand, {left.held} held, {left.available} to sell: sold out, not oversold",
    )


async def _all_check_out(
    crowd: Sequence[Account], total: money_pb2.Money
) -> tuple[list[Held], list[str], Sequence[float]]:
    """Start all checkouts at one gate: who got one, why the others did not, and what each took."""
    gate = asyncio.Event()

    async def check_out(buyer: Account) -> tuple[Held | str, float]:
        await gate.wait()
        start = time.perf_counter()
        try:
            outcome: Held | str = (buyer, await buyer.start_checkout(total))
        except RefusedError as refusal:
            outcome = refusal.reason or refusal.code.name
        return outcome, time.perf_counter() - start

    waiting = [asyncio.create_task(check_out(buyer)) for buyer in crowd]
    await asyncio.sleep(0)  # every task has come to the gate
    gate.set()
    outcomes = await asyncio.gather(*waiting)
    held = [outcome for outcome, _ in outcomes if not isinstance(outcome, str)]
    return held, [outcome for outcome, _ in outcomes if isinstance(outcome, str)], [taken for _, taken in outcomes]


async def _all_pay(stage: Stage, held: Sequence[Held]) -> None:
    story = stage.story

    async def pay(buyer: Account, checkout: checkout_pb2.Checkout) -> str:
        triple = await stage.page.pay(checkout.razorpay_order_id)
        return (await buyer.place(checkout, triple)).message.order.number

    with story.step() as say:
        numbers = await asyncio.gather(*(pay(*one) for one in held))
        say(f"the {len(numbers)} pay and come back, all at once")
    story.expect(len(set(numbers)) == PIECES, f"{len(set(numbers))} orders: {', '.join(sorted(numbers))}")


async def _some_at_once(do: Callable[[Item], Awaitable[Result]], items: Iterable[Item]) -> list[Result]:
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(item: Item) -> Result:
        async with places:
            return await do(item)

    return await asyncio.gather(*(one(item) for item in items))
