"""A checkout: one cart's content at fixed prices, its stock held, and one gateway order to pay by a deadline.

| from       | verb       | to         | when                                                             |
|------------|------------|------------|------------------------------------------------------------------|
| -          | start      | opening    | stock is held; the gateway's order is being made                 |
| opening    | open       | open       | the gateway's order is known                                     |
| opening    | fail       | failed     | the gateway refused; nobody can pay                              |
| open       | pin        | capturing  | an authorised payment is about to be captured; expiry keeps off  |
| expired    | pin        | capturing  | the same for a late one, its stock held again                    |
| open       | place      | placed     | the money is captured                                            |
| capturing  | place      | placed     | the money is captured                                            |
| expired    | place      | placed     | captured after all, its stock held again                         |
| capturing  | unpin      | open       | the capture did not come about                                   |
| opening/open | supersede | superseded | the customer started another checkout of this cart              |
| opening/open | abandon  | abandoned  | the customer gave up                                             |
| opening/open | expire   | expired    | the hold ran out unpaid                                          |

Every other pair is refused. Nothing leaves placed, superseded, abandoned or failed; money that arrives there becomes a
case, and money that arrives at expired is placed if the stock can be held again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, unique

from kapda.domain.shared import money
from kapda.domain.shared.address import Address
from kapda.domain.shared.errors import FailedPreconditionError, NotFoundError, Precondition, Reason
from kapda.domain.shared.ids import CartId, CheckoutId, DesignerId, HoldId, OrderId, ProductId, UserId, VariantId
from kapda.domain.shared.money import Money


@unique
class CheckoutState(Enum):
    """See the module's table."""

    OPENING = "opening"
    OPEN = "open"
    CAPTURING = "capturing"
    PLACED = "placed"
    SUPERSEDED = "superseded"
    ABANDONED = "abandoned"
    EXPIRED = "expired"
    FAILED = "failed"


@unique
class CheckoutVerb(Enum):
    """What can be done to a checkout."""

    OPEN = "open"
    FAIL = "fail"
    PIN = "pin"
    UNPIN = "unpin"
    PLACE = "place"
    SUPERSEDE = "supersede"
    ABANDON = "abandon"
    EXPIRE = "expire"


_S, _V = CheckoutState, CheckoutVerb
TRANSITIONS: Mapping[tuple[CheckoutState, CheckoutVerb], CheckoutState] = {
    (_S.OPENING, _V.OPEN): _S.OPEN,
    (_S.OPENING, _V.FAIL): _S.FAILED,
    (_S.OPENING, _V.SUPERSEDE): _S.SUPERSEDED,
    (_S.OPENING, _V.ABANDON): _S.ABANDONED,
    (_S.OPENING, _V.EXPIRE): _S.EXPIRED,
    (_S.OPEN, _V.PIN): _S.CAPTURING,
    (_S.OPEN, _V.PLACE): _S.PLACED,
    (_S.OPEN, _V.SUPERSEDE): _S.SUPERSEDED,
    (_S.OPEN, _V.ABANDON): _S.ABANDONED,
    (_S.OPEN, _V.EXPIRE): _S.EXPIRED,
    (_S.CAPTURING, _V.PLACE): _S.PLACED,
    (_S.CAPTURING, _V.UNPIN): _S.OPEN,
    (_S.EXPIRED, _V.PIN): _S.CAPTURING,
    (_S.EXPIRED, _V.PLACE): _S.PLACED,
}
# States in which the checkout holds its stock and its cart can have no other.
LIVE = frozenset({CheckoutState.OPENING, CheckoutState.OPEN, CheckoutState.CAPTURING})


@dataclass(frozen=True, slots=True)
class CheckoutLine:
    """One variant at its fixed price, with everything that the sale will freeze."""

    position: int
    variant_id: VariantId
    product_id: ProductId
    designer_id: DesignerId
    sku: str
    title: str
    options: Mapping[str, str]
    quantity: int
    unit_price: Money
    hsn_code: str
    gst_basis_points: int
    designer_gstin: str
    commission_basis_points: int

    @property
    def line_total(self) -> Money:
        """Tax included, as every price is."""
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Checkout:
    """See the module's text. `order_id` is the order it became, None before."""

    id: CheckoutId
    cart_id: CartId
    customer_id: UserId
    state: CheckoutState
    content_digest: bytes
    lines: tuple[CheckoutLine, ...]
    shipping: Money
    address: Address
    gateway_order_id: str | None
    created_at: datetime
    pay_before: datetime
    hold_until: datetime
    order_id: OrderId | None = None

    @property
    def hold_id(self) -> HoldId:
        """Its hold at the inventory, known by the checkout's own id."""
        return HoldId(self.id)

    @property
    def items_total(self) -> Money:
        """The lines without shipping."""
        return money.total(line.line_total for line in self.lines)

    @property
    def total(self) -> Money:
        """What the customer pays."""
        return self.items_total + self.shipping

    def allows(self, verb: CheckoutVerb) -> bool:
        """Whether the table has a way."""
        return (self.state, verb) in TRANSITIONS

    def after(self, verb: CheckoutVerb) -> "Checkout":
        """The checkout once `verb` is done. Raises FailedPreconditionError (CHECKOUT_STATE_INVALID)."""
        target = TRANSITIONS.get((self.state, verb))
        if target is None:
            raise invalid_state(self, verb)
        return replace(self, state=target)

    def opened(self, gateway_order_id: str) -> "Checkout":
        """Open for payment under the gateway's order."""
        return replace(self.after(CheckoutVerb.OPEN), gateway_order_id=gateway_order_id)

    def serves(self, content_digest: bytes, now: datetime) -> bool:
        """Whether it can stand for a new checkout of the same content: nobody should pay twice for one cart."""
        payable = self.state in (CheckoutState.OPENING, CheckoutState.OPEN) and now < self.pay_before
        return payable and self.content_digest == content_digest

    def has_run_out(self, now: datetime) -> bool:
        """Whether its hold may be given back."""
        return self.allows(CheckoutVerb.EXPIRE) and self.hold_until <= now


def invalid_state(checkout: Checkout, verb: CheckoutVerb) -> FailedPreconditionError:
    """The refusal of a verb that the checkout's state does not allow."""
    message = f"checkout {checkout.id} is {checkout.state.value}: cannot {verb.value}"
    return FailedPreconditionError(
        Reason.CHECKOUT_STATE_INVALID,
        message,
        metadata={"checkout_id": str(checkout.id), "state": checkout.state.value, "verb": verb.value},
        preconditions=(Precondition(Reason.CHECKOUT_STATE_INVALID.value, f"checkouts/{checkout.id}", message),),
    )


def checkout_not_found(checkout_id: CheckoutId) -> NotFoundError:
    """No such checkout, or another customer's."""
    return NotFoundError(
        Reason.CHECKOUT_NOT_FOUND, f"checkout {checkout_id} not found", metadata={"checkout_id": str(checkout_id)}
    )
