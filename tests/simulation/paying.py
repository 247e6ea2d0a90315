"""From the checkout to the order, through any of three doors, or to a case at the desk."""

from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from kapda.domain.orders.order import Order
from kapda.domain.payments.payment_case import Resolution
from kapda.domain.shared.errors import FailedPreconditionError, UnavailableError
from tests.shop.buyer import deliver, settle
from tests.shop.desk import cases_of, faults, resolve, run_out
from tests.shop.shop import new_request
from tests.simulation.buying import Buying
from tests.simulation.walk import LOST, Started

_DECISIONS = [Resolution.REFUND, Resolution.WRITE_OFF]


class Paying(Buying):
    """Customers pay what they should, twice, or too little."""

    @initialize()
    def opens(self) -> None:
        """And one of them has bought already: there is something to call off."""
        super().opens()
        for one in self.checkouts[1:]:
            one.payments.append(self.run(self.buyers[one.buyer].pay(one.checkout)))
            self._placed(one)

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

    @precondition(lambda self: any(one.state == "open" and not one.payments for one in self.checkouts))
    @rule(data=st.data(), how=st.sampled_from([None, *_DECISIONS]))
    def pays_too_little(self, data: st.DataObject, how: Resolution | None) -> None:
        """A case for the desk, which may decide at once; the checkout goes on as if nobody had paid."""
        one = data.draw(st.sampled_from([one for one in self.checkouts if one.state == "open" and not one.payments]))

        async def pay() -> None:
            order = one.checkout.gateway_order_id
            async with faults(self.shop, {"kind": "paid_amount", "by": -100, "order_id": order}):
                one.payments.append(await self.shop.pay(order or ""))
            await deliver(self.shop, one.payments[0])
            (case,) = await cases_of(self.shop, one.payments[0]["razorpay_payment_id"])
            one.case, one.too_little = case["id"], True

        self.run(pay())
        if how is not None:
            self._decide(one, how)

    @precondition(lambda self: any(one.case for one in self.checkouts))
    @rule(data=st.data(), how=st.sampled_from(_DECISIONS))
    def the_desk_decides(self, data: st.DataObject, how: Resolution) -> None:
        """Once."""
        self._decide(data.draw(st.sampled_from([one for one in self.checkouts if one.case])), how)

    def _decide(self, one: Started, how: Resolution) -> None:
        admin, case, request = self.run(self.shop.admin()), one.case, new_request()
        decided = self.asks("resolve", lambda: resolve(self.shop, admin, case, how, request))
        assert not isinstance(decided, Exception), decided
        self.asks_again(self.asked[-1])
        one.case = None
        self.reached["decided"] += 1

    @precondition(lambda self: any(one.payments for one in self.checkouts))
    @rule(data=st.data(), door=st.sampled_from(["browser", "webhook", "poller"]), times=st.integers(1, 2), lost=LOST)
    def the_money_is_found(self, data: st.DataObject, door: str, times: int, lost: int) -> None:
        """By any door, any number of times."""
        one = data.draw(st.sampled_from([one for one in self.checkouts if one.payments]))
        places = one.is_paid and (one.state == "open" or (one.state == "expired" and self._can_be_held_again(one)))
        for _ in range(times):
            self.run(self._through(door, one, lost))
        if places:
            self._placed(one)

    @precondition(lambda self: self.has("open"))
    @rule(data=st.data(), door=st.sampled_from(["browser", "webhook", "poller"]))
    def buys(self, data: st.DataObject, door: str) -> None:
        """Pays, and one door or another finds it."""
        one = self.pick(data, "open")
        if not one.payments:
            one.payments.append(self.run(self.buyers[one.buyer].pay(one.checkout)))
        self.run(self._through(door, one, 0))
        if one.is_paid:
            self._placed(one)

    def _can_be_held_again(self, one: Started) -> bool:
        free = all(n <= self.on_hand[v] - self.held(v) for v, n in one.pieces.items())
        captured = self._is_captured(one)
        # Money nobody has taken yet is not taken beside another live checkout of the cart.
        return free and (captured or self.live(one.buyer) is None)

    def _is_captured(self, one: Started) -> bool:
        payments = self.run(self.shop.books())["payments"]
        return any(p["id"] == one.payments[0]["razorpay_payment_id"] and p["captured"] for p in payments)

    async def _through(self, door: str, one: Started, lost: int) -> None:
        """The money comes through a door. Where the gateway leaves too much unanswered, it comes again."""
        async with self.unanswered(lost):
            try:
                await self._once_through(door, one)
            except UnavailableError:
                self.reached["unanswered"] += 1
            else:
                return
        await self._once_through(door, one)

    async def _once_through(self, door: str, one: Started) -> None:
        if door == "poller":
            await settle(self.shop, one.checkout.id)
        elif door == "webhook":
            await deliver(self.shop, one.payments[0])
        else:
            with suppress(FailedPreconditionError):
                await self.buyers[one.buyer].place(one.checkout, one.payments[0])

    def _placed(self, one: Started) -> None:
        one.state = "placed"
        buyer, request = self.buyers[one.buyer], new_request()
        order = self.asks("place", lambda: buyer.place(one.checkout, one.payments[0], request))
        assert isinstance(order, Order), order
        one.order = order
        for variant, pieces in one.pieces.items():
            self.on_hand[variant] -= pieces
            self.carts[one.buyer][variant] = max(0, self.carts[one.buyer][variant] - pieces)

    @precondition(lambda self: self.has("open"))
    @rule(data=st.data())
    def an_hour_passes(self, data: st.DataObject) -> None:
        """The poller looks: what is paid becomes an order, what is not gives its pieces back."""
        one = self.pick(data, "open")
        self.run(run_out(self.shop, one.checkout.id))
        if one.is_paid:
            self._placed(one)
        else:
            one.state = "expired"
