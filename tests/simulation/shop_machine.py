"""The shop as a state machine: any step in any order, a small model of what should come of it, all invariants after each.

Real are PostgreSQL and the emulator over HTTP; time passes for one checkout at a time.
"""

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from kapda.domain.shared.errors import FailedPreconditionError
from tests.shop.buyer import settle
from tests.shop.desk import cancel, check_books, customer, refund, send_due
from tests.shop.shop import new_request
from tests.simulation.known import check_what_is_known
from tests.simulation.paying import Paying
from tests.simulation.walk import LOST


class ShopMachine(Paying):
    """What goes back, what is asked for again, and what has to be true after each step."""

    @precondition(lambda self: self.has("placed"))
    @rule(data=st.data(), twice=st.booleans())
    def calls_off(self, data: st.DataObject, twice: bool) -> None:
        """Once; what is left comes back to the shelf."""
        one = self.pick(data, "placed")
        assert one.order is not None
        who, order, request = customer(self.buyers[one.buyer].id), one.order.id, new_request()
        outcome = self.asks("cancel", lambda: cancel(self.shop, who, order, request))
        assert one.cancelled is isinstance(outcome, FailedPreconditionError), outcome
        if one.cancelled:
            return
        one.cancelled = True
        if twice:
            self.asks_again(self.asked[-1])
        for variant, pieces in one.pieces.items():
            self.on_hand[variant] += pieces - one.returned[variant]

    @precondition(lambda self: self.has("placed"))
    @rule(data=st.data(), restock=st.booleans(), twice=st.booleans())
    def a_piece_goes_back(self, data: st.DataObject, restock: bool, twice: bool) -> None:
        """By the desk's decision, as long as there is one left."""
        one = self.pick(data, "placed")
        assert one.order is not None
        line = data.draw(st.sampled_from(one.order.lines))
        variant = self.variants.index(line.variant_id)
        left = 0 if one.cancelled else one.pieces[variant] - one.returned[variant]
        admin, order, request, piece = self.run(self.shop.admin()), one.order.id, new_request(), (line.position, 1)
        outcome = self.asks(
            "refund", lambda: refund(self.shop, admin, order, piece, restock=restock, request_id=request)
        )
        assert (left == 0) is isinstance(outcome, FailedPreconditionError), outcome
        if not left:
            return
        one.returned[variant] += 1
        if twice:
            self.asks_again(self.asked[-1])
        self.on_hand[variant] += restock

    @rule(lost=LOST)
    def refunds_are_sent(self, lost: int) -> None:
        """The worker's turn, once more where the gateway does not answer."""

        async def send() -> None:
            async with self.unanswered(lost):
                await send_due(self.shop)

        self.run(send())

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def somebody_asks_again(self, data: st.DataObject) -> None:
        """Whatever has become of it since: the first answer, and nothing happens."""
        what = data.draw(st.sampled_from(sorted({asked.what for asked in self.asked})))
        self.asks_again(data.draw(st.sampled_from([asked for asked in self.asked if asked.what == what])))

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
    def every_promise_holds_and_what_is_known_is_true(self) -> None:
        """As the shop itself recomputes them, and as the gateway says."""
        mine = {one.payments[0]["razorpay_payment_id"] for one in getattr(self, "checkouts", ()) if one.payments}
        self.run(check_what_is_known(self.shop, mine))

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
