"""A walk through the shop, and the model beside it: pieces, carts, checkouts and orders, nothing of tables or gateways."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from kapda.domain.checkout.checkout import Checkout
from kapda.domain.orders.order import Order
from kapda.domain.shared.errors import DomainError, UnavailableError
from kapda.domain.shared.ids import VariantId
from kapda.domain.shared.request_log import Answer
from tests.shop.buyer import Buyer, Triple
from tests.shop.desk import faults
from tests.shop.shop import Shop

T = TypeVar("T")
PIECES, LIMIT = (1, 3, 8), 4
# How many of a step's calls to the gateway are not answered, though it acts.
LOST = st.sampled_from([0, 0, 0, 1, 2, 3])


@dataclass
class Started:
    """A checkout as the model knows it. `case` is that of a payment of too little, until the desk has decided."""

    buyer: int
    checkout: Checkout
    pieces: dict[int, int]
    state: str = "open"
    payments: list[Triple] = field(default_factory=list)
    order: Order | None = None
    cancelled: bool = False
    returned: Counter[int] = field(default_factory=Counter)
    too_little: bool = False
    case: Any = None

    @property
    def is_paid(self) -> bool:
        """Whether there is money that the checkout can become an order for."""
        return bool(self.payments) and not self.too_little


@dataclass(frozen=True)
class Asked:
    """A request that was answered, to be sent again."""

    what: str
    call: Callable[[], Coroutine[Any, Any, Answer[Any]]]
    answer: Any


class Walk(RuleBasedStateMachine):
    """Two customers, three variants that run out. `shop` and `loop` are the test's."""

    shop: ClassVar[Shop]
    loop: ClassVar[asyncio.AbstractEventLoop]
    reached: ClassVar[Counter[str]]
    """How many checkouts have ended in each state, and how often something has come of the other steps."""
    buyers: list[Buyer]
    variants: list[VariantId]
    on_hand: list[int]
    carts: list[Counter[int]]
    checkouts: list[Started]
    asked: list[Asked]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """One step, to its end."""
        return self.loop.run_until_complete(work)

    def attempt(self, work: Coroutine[Any, Any, T]) -> T | DomainError:
        """One step that may be refused."""
        try:
            return self.run(work)
        except DomainError as refused:
            return refused

    def asks(self, what: str, call: Callable[[], Coroutine[Any, Any, Answer[T]]], *, lost: int = 0) -> T | DomainError:
        """Send a request, of whose calls to the gateway some are not answered; again where that is worth it. An answer may
        be asked for once more, any number of steps later."""

        async def insist() -> Answer[T]:
            async with self.unanswered(lost):
                try:
                    return await call()
                except UnavailableError:
                    self.reached["unanswered"] += 1
            await self.shop.sql("UPDATE checkouts SET gateway_lease_until = NULL WHERE state = 'opening'")
            return await call()

        answer = self.attempt(insist())
        if isinstance(answer, DomainError):
            return answer
        self.asked.append(Asked(what, call, answer.value))
        return answer.value

    def asks_again(self, asked: Asked) -> None:
        """The first answer, whatever has become of it since, and nothing happens."""
        again = self.run(asked.call())
        assert again == Answer(asked.answer, replayed=True), asked.what
        self.reached[f"{asked.what} again"] += 1

    def unanswered(self, lost: int) -> AbstractAsyncContextManager[None]:
        """The gateway acts on the next so many calls, and does not answer."""
        return faults(self.shop, {"kind": "timeout_after", "times": lost}) if lost else nullcontext()

    def live(self, buyer: int) -> Started | None:
        """The buyer's checkout that can be paid."""
        return next((one for one in self.checkouts if one.buyer == buyer and one.state == "open"), None)

    def held(self, variant: int) -> int:
        """Pieces held of a variant."""
        return sum(one.pieces.get(variant, 0) for one in self.checkouts if one.state == "open")

    def pick(self, data: st.DataObject, *states: str) -> Started:
        """One of the checkouts in these states."""
        return data.draw(st.sampled_from([one for one in self.checkouts if one.state in states]))

    def has(self, *states: str) -> bool:
        """Whether there is one."""
        return any(one.state in states for one in self.checkouts)
