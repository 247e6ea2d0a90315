"""What the in-memory database keeps: plain tables of frozen rows, copied whole for each transaction."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Self
from uuid import UUID

from kapda.domain.cart.cart import SaleTerms
from kapda.domain.checkout.checkout import Checkout
from kapda.domain.identity.mailed_link import MailedLink
from kapda.domain.identity.user import User
from kapda.domain.inventory.availability import ListingState
from kapda.domain.inventory.stock import StockLevel, StockMovement
from kapda.domain.ledger.entries import LedgerTransaction
from kapda.domain.orders.order import Order
from kapda.domain.orders.reversal import Reversal
from kapda.domain.payments.gateway import GatewayPayment
from kapda.domain.payments.gateway_event import GatewayEvent, ReceivedEvent
from kapda.domain.payments.payment import Payment
from kapda.domain.payments.payment_case import PaymentCase
from kapda.domain.payments.refund import Refund
from kapda.domain.shared.events import DomainEvent
from kapda.domain.shared.ids import (
    CartId,
    CheckoutId,
    DesignerId,
    HoldId,
    LinkId,
    MailId,
    OrderId,
    PaymentId,
    ProductId,
    RefundId,
    RequestId,
    UserId,
    VariantId,
)
from kapda.domain.shared.jobs import Job
from kapda.domain.shared.money import Money
from tests.fakes.mails import MailRow
from tests.fakes.signing_keys import Spent


@dataclass(frozen=True, slots=True)
class VariantRow:
    """A variant beside what its product and house say of it."""

    id: VariantId
    product_id: ProductId
    designer_id: DesignerId
    sku: str
    title: str
    options: Mapping[str, str]
    price: Money
    terms: SaleTerms
    max_quantity: int = 10
    active: bool = True
    listing: ListingState = ListingState.PUBLISHED

    @property
    def on_sale(self) -> bool:
        """Whether a customer may buy it."""
        return self.active and self.listing is ListingState.PUBLISHED


@dataclass(frozen=True, slots=True)
class HoldRow:
    """So many pieces of a variant under a hold: held, sold or released."""

    quantity: int
    state: str
    held_since: datetime


@dataclass(frozen=True, slots=True)
class CartRow:
    """A cart without its lines: a customer's, or the guest's whose token has that digest."""

    id: CartId
    customer_id: UserId | None
    version: int
    updated_at: datetime
    expires_at: datetime
    guest_token_digest: bytes | None = None


@dataclass(frozen=True, slots=True)
class CartLineRow:
    """A line as its owner made it."""

    quantity: int
    price_when_added: Money
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CheckoutRow:
    """A checkout and what only the machinery around it knows."""

    checkout: Checkout
    lease_until: datetime | None
    next_check_at: datetime | None
    check_attempts: int = 0


@dataclass(frozen=True, slots=True)
class GatewayEventRow:
    """A delivery, where it stands, and when it is due."""

    event: GatewayEvent
    received: ReceivedEvent
    next_attempt_at: datetime | None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class RefundRow:
    """A refund, and when it is looked at again while it is under way."""

    refund: Refund
    next_look_at: datetime | None


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A claimed request."""

    fingerprint: bytes
    resource_id: UUID | None
    answer: object | None = None


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """An event, and whether it has left."""

    sequence: int
    event: DomainEvent
    sent_at: datetime | None = None


@dataclass
class Tables:
    """All that is committed, or, as a copy, what a transaction sees and has changed."""

    users: dict[UserId, User] = field(default_factory=dict)
    mails: dict[MailId, MailRow] = field(default_factory=dict)
    mailed_links: dict[LinkId, MailedLink] = field(default_factory=dict)
    variants: dict[VariantId, VariantRow] = field(default_factory=dict)
    members: set[tuple[DesignerId, UserId]] = field(default_factory=set)
    stock: dict[VariantId, StockLevel] = field(default_factory=dict)
    holds: dict[tuple[HoldId, VariantId], HoldRow] = field(default_factory=dict)
    movements: list[StockMovement] = field(default_factory=list)
    carts: dict[CartId, CartRow] = field(default_factory=dict)
    cart_lines: dict[tuple[CartId, VariantId], CartLineRow] = field(default_factory=dict)
    checkouts: dict[CheckoutId, CheckoutRow] = field(default_factory=dict)
    payments: dict[PaymentId, Payment] = field(default_factory=dict)
    cases: list[PaymentCase] = field(default_factory=list)
    refunds: dict[RefundId, RefundRow] = field(default_factory=dict)
    reversals: dict[RefundId, tuple[OrderId, Reversal]] = field(default_factory=dict)
    foreign_payments: dict[str, GatewayPayment] = field(default_factory=dict)
    account_read_through: datetime | None = None
    # Later than this has not come yet, by the database's own clock; None where that is the machine's.
    database_time: datetime | None = None
    gateway_events: dict[UUID, GatewayEventRow] = field(default_factory=dict)
    orders: dict[OrderId, Order] = field(default_factory=dict)
    ledger: list[LedgerTransaction] = field(default_factory=list)
    requests: dict[tuple[UUID, str, RequestId], RequestRow] = field(default_factory=dict)
    nonces: Spent = field(default_factory=set)
    outbox: dict[UUID, tuple[OutboxRow, ...]] = field(default_factory=dict)
    relay_leases: dict[UUID, datetime] = field(default_factory=dict)
    # A dictionary for its order: a wake-up given twice is one.
    jobs: dict[tuple[Job, UUID], None] = field(default_factory=dict)

    def payer_of(self, refund_id: RefundId) -> UserId | None:
        """The customer whose payment goes back."""
        row = self.refunds.get(refund_id)
        return (
            None
            if row is None
            else self.checkouts[self.payments[row.refund.payment_id].checkout_id].checkout.customer_id
        )

    def copied(self) -> Self:
        """A copy that can change without this one; rows are frozen, so they are shared."""
        return type(self)(**{table.name: copy(getattr(self, table.name)) for table in fields(self)})
