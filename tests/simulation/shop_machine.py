"""The shop as a state machine: any step in any order, a small model of what should come of it, all invariants after each.

The model knows pieces, carts, checkouts and orders, and nothing of tables, locks or gateways. Real are PostgreSQL and the
emulator over HTTP; time passes for one checkout at a time.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kapda.domain.checkout.checkout import Checkout
from kapda.domain.orders.order import Order
from kapda.domain.shared.errors import DomainError, FailedPreconditionError, Reason
from kapda.domain.shared.ids import VariantId
from tests.shop.buyer import Buyer, Triple, deliver, new_buyers, settle
from tests.shop.desk import cancel, check_books, customer, faults, refund, run_out, send_due
from tests.shop.guest import new_guest
from tests.shop.shop import Shop, new_request

T = TypeVar("T")
PIECES, LIMIT = (1, 3, 8), 4
_TOO_MANY = {Reason.INSUFFICIENT_STOCK, Reason.QUANTITY_LIMIT_EXCEEDED}


@dataclass
class Started:
    """A checkout as the model knows it."""

    buyer: int
    checkout: Checkout
    pieces: dict[int, int]
    state: str = "open"
    payments: list[Triple] = field(default_factory=list)
    order: Order | None = None
    cancelled: bool = False
    returned: Counter[int] = field(default_factory=Counter)


class ShopMachine(RuleBasedStateMachine):
    """Two customers, three variants that run out. `shop` and `loop` are the test's."""

    shop: ClassVar[Shop]
    loop: ClassVar[asyncio.AbstractEventLoop]
    reached: ClassVar[Counter[str]]
    """How many checkouts have ended in each state, and how many orders were called off or sent back in part."""

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """One step, to its end."""
        return self.loop.run_until_complete(work)

    def attempt(self, work: Coroutine[Any, Any, T]) -> T | DomainError:
        """One step that may be refused."""
        try:
            return self.run(work)
        except DomainError as refused:
            return refused

    @initialize()
    def opens(self) -> None:
        """New customers on their way to pay, and new shelves; the rows of earlier runs stay beside them."""
        self.buyers: list[Buyer] = self.run(new_buyers(self.shop, 2))
        self.variants: list[VariantId] = [self.run(self.shop.variant(pieces=n, limit=LIMIT)) for n in PIECES]
        self.on_hand = list(PIECES)
        self.carts: list[Counter[int]] = [Counter(), Counter()]
        self.checkouts: list[Started] = []
        for who in range(2):
            self.wants_and_checks_out(who, 2)

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

    @rule(who=st.integers(0, 1), what=st.integers(0, 2), quantity=st.integers(1, 3), twice=st.booleans())
    def adds(self, who: int, what: int, quantity: int, twice: bool) -> None:
        """Into the cart; sent twice, it is there once."""
        request, wanted = new_request(), self.carts[who][what] + quantity
        fits = wanted <= LIMIT and wanted <= self.on_hand[what] - self.held(what)
        for _ in range(1 + twice):
            added = self.attempt(self.buyers[who].add(self.variants[what], quantity, request))
            assert fits is not isinstance(added, DomainError), added
            if isinstance(added, DomainError):
                assert added.reason in _TOO_MANY
        if fits:
            self.carts[who][what] = wanted

    @rule(who=st.integers(0, 1), what=st.integers(0, 2))
    def wants_and_checks_out(self, who: int, what: int) -> None:
        """One more piece, and straight on."""
        self.adds(who, what, 1, twice=False)
        self.checks_out(who)

    @rule(who=st.integers(0, 1), what=st.integers(0, 2))
    def a_guest_becomes_the_customer(self, who: int, what: int) -> None:
        """A cart of one piece comes along: the larger quantity stays."""
        if self.on_hand[what] - self.held(what) < 1:
            return
        guest = self.run(new_guest(self.shop))
        self.run(guest.add(self.variants[what]))
        self.run(guest.becomes(self.buyers[who].id))
        self.carts[who][what] = max(1, self.carts[who][what])

    @rule(who=st.integers(0, 1))
    def checks_out(self, who: int) -> None:
        """The cart's content is held, or nothing is: what the customer's own older checkout holds counts as free."""
        pieces, older = {v: n for v, n in self.carts[who].items() if n}, self.live(who)
        own = older.pieces if older is not None else {}
        fits = bool(pieces) and all(n <= self.on_hand[v] - self.held(v) + own.get(v, 0) for v, n in pieces.items())
        checkout = self.attempt(self.buyers[who].check_out())
        if isinstance(checkout, DomainError):
            assert checkout.reason is Reason.RATE_LIMITED or not fits, checkout
            return
        assert fits
        if older is not None and older.checkout.id == checkout.id:
            assert older.pieces == pieces
            return
        if older is not None:
            older.state = "superseded"
        self.checkouts.append(Started(who, checkout, pieces))

    @precondition(lambda self: self.has("open", "superseded", "abandoned", "expired"))
    @rule(data=st.data(), how=st.sampled_from(["success", "authorize_only"]))
    def pays(self, data: st.DataObject, how: str) -> None:
        """Whatever has become of the checkout; its window at the gateway is still open."""
        one = self.pick(data, "open", "superseded", "abandoned", "expired")
        if not one.payments:
            one.payments.append(self.run(self.buyers[one.buyer].pay(one.checkout, outcome=how)))

    @precondition(lambda self: self.has("placed"))
    @rule(data=st.data())
    def pays_again(self, data: st.DataObject) -> None:
        """A second payment of an order is refunded by itself, and moves nothing else."""
        one = self.pick(data, "placed")

        async def again() -> None:
            async with faults(self.shop, {"kind": "second_payment", "order_id": one.checkout.gateway_order_id}):
                triple = await self.shop.pay(one.checkout.gateway_order_id or "")
            await deliver(self.shop, triple)

        if len(one.payments) == 1:
            self.run(again())
            one.payments.append({})

    @precondition(lambda self: any(one.payments for one in self.checkouts))
    @rule(data=st.data(), door=st.sampled_from(["browser", "webhook", "poller"]), times=st.integers(1, 2))
    def the_money_is_found(self, data: st.DataObject, door: str, times: int) -> None:
        """By any door, any number of times."""
        one = data.draw(st.sampled_from([one for one in self.checkouts if one.payments]))
        places = one.state == "open" or (one.state == "expired" and self._can_be_held_again(one))
        for _ in range(times):
            self.run(self._through(door, one))
        if places:
            self._placed(one)

    @precondition(lambda self: self.has("open"))
    @rule(data=st.data(), door=st.sampled_from(["browser", "webhook", "poller"]))
    def buys(self, data: st.DataObject, door: str) -> None:
        """Pays, and one door or another finds it."""
        one = self.pick(data, "open")
        if not one.payments:
            one.payments.append(self.run(self.buyers[one.buyer].pay(one.checkout)))
        self.run(self._through(door, one))
        self._placed(one)

    def _can_be_held_again(self, one: Started) -> bool:
        free = all(n <= self.on_hand[v] - self.held(v) for v, n in one.pieces.items())
        captured = self._is_captured(one)
        # Money nobody has taken yet is not taken beside another live checkout of the cart.
        return free and (captured or self.live(one.buyer) is None)

    def _is_captured(self, one: Started) -> bool:
        payments = self.run(self.shop.books())["payments"]
        return any(p["id"] == one.payments[0]["razorpay_payment_id"] and p["captured"] for p in payments)

    async def _through(self, door: str, one: Started) -> None:
        if door == "poller":
            await settle(self.shop, one.checkout.id)
        elif door == "webhook":
            await deliver(self.shop, one.payments[0])
        else:
            with suppress(FailedPreconditionError):
                await self.buyers[one.buyer].place(one.checkout, one.payments[0])

    def _placed(self, one: Started) -> None:
        one.state = "placed"
        one.order = self.run(self.buyers[one.buyer].place(one.checkout, one.payments[0])).value
        for variant, pieces in one.pieces.items():
            self.on_hand[variant] -= pieces
            self.carts[one.buyer][variant] = max(0, self.carts[one.buyer][variant] - pieces)

    @precondition(lambda self: self.has("open"))
    @rule(data=st.data())
    def gives_up(self, data: st.DataObject) -> None:
        """The customer leaves."""
        one = self.pick(data, "open")
        self.run(self.buyers[one.buyer].abandon(one.checkout.id))
        one.state = "abandoned"

    @precondition(lambda self: self.has("open"))
    @rule(data=st.data())
    def an_hour_passes(self, data: st.DataObject) -> None:
        """The poller looks: what is paid becomes an order, what is not gives its pieces back."""
        one = self.pick(data, "open")
        self.run(run_out(self.shop, one.checkout.id))
        if one.payments:
            self._placed(one)
        else:
            one.state = "expired"

    @precondition(lambda self: self.has("placed"))
    @rule(data=st.data())
    def calls_off(self, data: st.DataObject) -> None:
        """Once; what is left comes back to the shelf."""
        one = self.pick(data, "placed")
        assert one.order is not None
        outcome = self.attempt(cancel(self.shop, customer(self.buyers[one.buyer].id), one.order.id))
        assert one.cancelled is isinstance(outcome, FailedPreconditionError), outcome
        if one.cancelled:
            return
        one.cancelled = True
        for variant, pieces in one.pieces.items():
            self.on_hand[variant] += pieces - one.returned[variant]

    @precondition(lambda self: self.has("placed"))
    @rule(data=st.data(), restock=st.booleans())
    def a_piece_goes_back(self, data: st.DataObject, restock: bool) -> None:
        """By the desk's decision, as long as there is one left."""
        one = self.pick(data, "placed")
        assert one.order is not None
        line = data.draw(st.sampled_from(one.order.lines))
        variant = self.variants.index(line.variant_id)
        left = 0 if one.cancelled else one.pieces[variant] - one.returned[variant]
        outcome = self.attempt(self._refund(one.order, line.position, restock=restock))
        assert (left == 0) is isinstance(outcome, FailedPreconditionError), outcome
        if not left:
            return
        one.returned[variant] += 1
        self.on_hand[variant] += restock

    async def _refund(self, order: Order, position: int, *, restock: bool) -> None:
        await refund(self.shop, await self.shop.admin(), order.id, (position, 1), restock=restock)

    @rule()
    def refunds_are_sent(self) -> None:
        """The worker's turn."""
        self.run(send_due(self.shop))

    @invariant()
    def shelves_and_carts_are_the_models(self) -> None:
        """Each piece is where it should be."""
        for number, variant in enumerate(getattr(self, "variants", ())):
            assert self.run(self.shop.level(variant)) == (self.on_hand[number], self.held(number))
        for number, buyer in enumerate(getattr(self, "buyers", ())):
            lines = self.run(buyer.cart()).lines
            found = {self.variants.index(line.variant_id): line.quantity for line in lines}
            assert found == {v: n for v, n in self.carts[number].items() if n}

    @invariant()
    def checkouts_are_the_models(self) -> None:
        """Each checkout has come where it should be."""
        for one in getattr(self, "checkouts", ()):
            assert self.run(self.buyers[one.buyer].checkout(one.checkout.id)).state.value == one.state

    @invariant()
    def every_promise_holds(self) -> None:
        """As the shop itself recomputes them."""
        report = self.run(self.shop.container.check_promises().execute())
        assert [result for result in report.results if result.violations] == []

    def teardown(self) -> None:
        """All money is found, and the books are the gateway's."""
        for one in getattr(self, "checkouts", ()):
            self.reached.update({one.state: 1, "cancelled": one.cancelled, "returned": one.returned.total()})
            if one.payments and one.state in ("superseded", "abandoned", "expired"):
                self.run(settle(self.shop, one.checkout.id))
        self.run(self._ends())

    async def _ends(self) -> None:
        for one in getattr(self, "checkouts", ()):
            await settle(self.shop, one.checkout.id)
        await send_due(self.shop)
        await check_books(self.shop)
