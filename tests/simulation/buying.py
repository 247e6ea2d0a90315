"""From the cart to the checkout."""

from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from kapda.domain.shared.errors import DomainError, Reason
from tests.shop.buyer import new_buyers
from tests.shop.guest import new_guest
from tests.shop.shop import new_request
from tests.simulation.walk import LIMIT, LOST, PIECES, Started, Walk

_TOO_MANY = {Reason.INSUFFICIENT_STOCK, Reason.QUANTITY_LIMIT_EXCEEDED}


class Buying(Walk):
    """Customers fill carts, check out, change their minds and let time pass."""

    def opens(self) -> None:
        """New customers on their way to pay, and new shelves; the rows of earlier runs stay beside them."""
        self.buyers = self.run(new_buyers(self.shop, 2))
        self.variants = [self.run(self.shop.variant(pieces=n, limit=LIMIT)) for n in PIECES]
        self.on_hand = list(PIECES)
        self.carts: list[Counter[int]] = [Counter(), Counter()]
        self.checkouts, self.asked = [], []
        for who in range(2):
            self.wants_and_checks_out(who, 2)

    @rule(who=st.integers(0, 1), what=st.integers(0, 2), quantity=st.integers(1, 3), twice=st.booleans())
    def adds(self, who: int, what: int, quantity: int, twice: bool) -> None:
        """Into the cart; sent twice, it is there once. What the customer's own checkout holds counts as free."""
        request, wanted, live = new_request(), self.carts[who][what] + quantity, self.live(who)
        own = live.pieces.get(what, 0) if live is not None else 0
        fits = wanted <= LIMIT and wanted <= self.on_hand[what] - self.held(what) + own
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
        self.checks_out(who, 0)

    @rule(who=st.integers(0, 1), what=st.integers(0, 2))
    def a_guest_becomes_the_customer(self, who: int, what: int) -> None:
        """A cart of one piece comes along: the larger quantity stays."""
        if self.on_hand[what] - self.held(what) < 1:
            return
        guest = self.run(new_guest(self.shop))
        self.run(guest.add(self.variants[what]))
        self.run(guest.becomes(self.buyers[who].id))
        self.carts[who][what] = max(1, self.carts[who][what])

    @rule(who=st.integers(0, 1), lost=LOST)
    def checks_out(self, who: int, lost: int) -> None:
        """The cart's content is held, or nothing is: what the customer's own older checkout holds counts as free."""
        pieces, older = {v: n for v, n in self.carts[who].items() if n}, self.live(who)
        own = older.pieces if older is not None else {}
        fits = bool(pieces) and all(n <= self.on_hand[v] - self.held(v) + own.get(v, 0) for v, n in pieces.items())
        buyer, request = self.buyers[who], new_request()
        total = self.run(buyer.cart()).total
        checkout = self.asks("start", lambda: buyer.start(total, request), lost=lost)
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

    @precondition(lambda self: self.has("open"))
    @rule(data=st.data())
    def gives_up(self, data: st.DataObject) -> None:
        """The customer leaves."""
        one = self.pick(data, "open")
        self.run(self.buyers[one.buyer].abandon(one.checkout.id))
        one.state = "abandoned"
