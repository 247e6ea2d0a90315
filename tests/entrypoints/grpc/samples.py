"""Domain objects with something in every field."""

from datetime import UTC, datetime
from uuid import UUID

from kapda.domain.cart.cart import Cart, CartChange, CartLine, ChangeKind, SaleTerms
from kapda.domain.cart.merge import CutReason, MergeCut
from kapda.domain.catalog.product import DesignerRef, OptionView, ProductDetail, ProductSummary, VariantView
from kapda.domain.checkout.checkout import Checkout, CheckoutLine, CheckoutState
from kapda.domain.identity.address_book import Label, SavedAddress
from kapda.domain.identity.administration import ManagedUser
from kapda.domain.identity.api_key import ApiKey, ApiKeyText
from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.phone import PhoneNumber
from kapda.domain.identity.profile import Profile
from kapda.domain.identity.refresh import IssuedRefreshToken, RefreshSecret, SessionTokens
from kapda.domain.identity.scope import Scope
from kapda.domain.identity.session import AccessToken, Contact, Session
from kapda.domain.identity.signing import SigningKey, SigningSecret
from kapda.domain.identity.user import DisplayName, EmailAddress, Role, User
from kapda.domain.inventory.availability import Availability, HolderState, ListingState, LiveHold
from kapda.domain.inventory.stock import MovementKind, StockLevel, StockMovement
from kapda.domain.ops.promises import PromiseResult, Verdict
from kapda.domain.ops.use_cases.check_promises import PromiseReport
from kapda.domain.orders.order import Order, OrderSummary, place
from kapda.domain.payments.payment import Payment, PaymentState
from kapda.domain.payments.payment_case import CaseKind, CaseState, PaymentCase, Resolution
from kapda.domain.payments.refund import Refund, RefundKind, RefundState
from kapda.domain.shared.address import Address
from kapda.domain.shared.audit import Actor, ActorKind, AuditAction, AuditEntry, Occasion
from kapda.domain.shared.ids import (
    AddressId,
    ApiKeyId,
    CartId,
    CaseId,
    CheckoutId,
    DesignerId,
    HoldId,
    OrderId,
    PaymentId,
    ProductId,
    RefundId,
    SessionId,
    SigningKeyId,
    UserId,
    VariantId,
)
from kapda.domain.shared.money import INR, Money

NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
OPTIONS = {"colour": "indigo", "size": "M"}
PRICE, LOWER = Money(149_900, INR), Money(129_900, INR)

CONFIRMED = datetime(2026, 1, 2, 4, 5, 6, 789000, tzinfo=UTC)
USER = User(
    UserId(UUID(int=1)),
    EmailAddress("Asha@example.in"),
    DisplayName("Asha"),
    Role.CUSTOMER,
    "hash",
    NOW,
    NOW,
    email_confirmed_at=CONFIRMED,
)
TOKENS = SessionTokens(
    AccessToken("header.claims.signature", NOW), IssuedRefreshToken(RefreshSecret("refresh-secret"), NOW)
)
# The session of the sample caller.
SESSION = Session(
    SessionId(UUID(int=11)),
    UserId(UUID(int=1)),
    created_at=NOW,
    expires_at=NOW,
    begun_from=Contact(ClientNetwork("203.0.113.0/24"), "Firefox"),
    refreshed_at=NOW,
    refreshed_from=Contact(ClientNetwork("2001:db8:7::/48"), "Firefox"),
)

MANAGED = ManagedUser.of(USER)
AUDIT_ENTRY = AuditEntry(
    UUID(int=70),
    NOW,
    Occasion(Actor(ActorKind.USER, UUID(int=4)), "call-12345678", "asked for by mail"),
    AuditAction.USER_DISABLED,
    "user",
    USER.id,
    {"state_before": "active"},
)
PROFILE = Profile(USER.id, USER.email, USER.display_name, PhoneNumber("+919820012345"), 3, NOW, CONFIRMED)
KEY_TEXT = ApiKeyText("abcd2345", "s" * 43)
API_KEY = ApiKey(
    id=ApiKeyId(UUID(int=80)),
    service_id=UserId(UUID(int=81)),
    service_name="warehouse",
    prefix=KEY_TEXT.prefix,
    digest=KEY_TEXT.digest,
    scopes=frozenset({Scope.INVENTORY_READ, Scope.INVENTORY_WRITE}),
    designer_id=DesignerId(UUID(int=20)),
    created_at=NOW,
    expires_at=NOW,
    revoked_at=NOW,
    last_used_at=NOW,
    replaced_by=ApiKeyId(UUID(int=82)),
)

SIGNING_SECRET = SigningSecret("s" * 43)
SIGNING_KEY = SigningKey(SigningKeyId(UUID(int=83)), UserId(UUID(int=4)), NOW, NOW)

DESIGNER = DesignerRef(DesignerId(UUID(int=20)), "anokhi", "Anokhi")
SUMMARY = ProductSummary(
    ProductId(UUID(int=21)),
    "indigo-kurta",
    "Indigo kurta",
    "kurta",
    DESIGNER,
    LOWER,
    PRICE,
    ("indigo",),
    ("M",),
    True,
    NOW,
)
PRODUCT = ProductDetail(
    id=ProductId(UUID(int=21)),
    slug="indigo-kurta",
    title="Indigo kurta",
    description="Hand-block printed.",
    category="kurta",
    designer=DESIGNER,
    options=(OptionView("colour", ("indigo",)), OptionView("size", ("M",))),
    variants=(VariantView(VariantId(UUID(int=22)), "AN-1-M", OPTIONS, PRICE, 30, 10),),
    min_price=LOWER,
    max_price=PRICE,
    published_at=NOW,
)

LEVEL = StockLevel(VariantId(UUID(int=22)), 7, 2, 4, NOW)
MOVEMENT = StockMovement(
    5, VariantId(UUID(int=22)), MovementKind.SELL, -2, -2, "order placed", "system", HoldId(UUID(int=40)), NOW
)
AVAILABILITY = Availability(
    LEVEL,
    "AN-1-M",
    ListingState.ARCHIVED,
    True,
    (LiveHold(HoldId(UUID(int=40)), 2, HolderState.CAPTURING, NOW, NOW),),
    3,
)

CART = Cart(
    id=CartId(UUID(int=30)),
    customer_id=UserId(UUID(int=1)),
    lines=(
        CartLine(
            variant_id=VariantId(UUID(int=22)),
            product_id=ProductId(UUID(int=21)),
            designer_id=DESIGNER.id,
            sku="AN-1-M",
            title="Indigo kurta",
            options=OPTIONS,
            quantity=2,
            price_when_added=LOWER,
            unit_price=PRICE,
            available=7,
            on_sale=True,
            max_quantity=5,
            terms=SaleTerms("6204", "29ABCDE1234F1Z5", 1500),
        ),
    ),
    version=3,
    updated_at=NOW,
    expires_at=NOW,
)
RAISED = CartChange(ChangeKind.PRICE_RAISED, VariantId(UUID(int=22)), LOWER, PRICE, 2, 2)
SHORT = CartChange(ChangeKind.INSUFFICIENT_STOCK, VariantId(UUID(int=22)), PRICE, PRICE, 9, 7)
CUT = MergeCut(CutReason.QUANTITY_LIMIT, VariantId(UUID(int=22)), "Indigo kurta", 9, 7)

ADDRESS = Address("Asha Rao", "+919876543210", "12 MG Road", "Near the park", "Bengaluru", "KA", "560001")
SAVED_ADDRESS = SavedAddress(AddressId(UUID(int=8)), Label("Home"), ADDRESS, True, 2, NOW)
CHECKOUT = Checkout(
    id=CheckoutId(UUID(int=40)),
    cart_id=CART.id,
    customer_id=UserId(UUID(int=1)),
    state=CheckoutState.PLACED,
    content_digest=b"digest",
    lines=(
        CheckoutLine(
            position=1,
            variant_id=VariantId(UUID(int=22)),
            product_id=ProductId(UUID(int=21)),
            designer_id=DESIGNER.id,
            sku="AN-1-M",
            title="Indigo kurta",
            options=OPTIONS,
            quantity=2,
            unit_price=PRICE,
            hsn_code="6204",
            gst_basis_points=500,
            designer_gstin="29ABCDE1234F1Z5",
            commission_basis_points=1500,
        ),
    ),
    shipping=Money(9_900, INR),
    address=ADDRESS,
    gateway_order_id="order_1",
    created_at=NOW,
    pay_before=NOW,
    hold_until=NOW,
    order_id=OrderId(UUID(int=50)),
)

ORDER: Order = place(
    CHECKOUT,
    order_id=OrderId(UUID(int=50)),
    number="K100001",
    payment_id=PaymentId(UUID(int=60)),
    actor="customer",
    at=NOW,
)
ORDER_SUMMARY = OrderSummary(ORDER.id, ORDER.number, ORDER.state, ORDER.total, 2, "Indigo kurta", NOW)

PAYMENT = Payment(
    id=PaymentId(UUID(int=60)),
    checkout_id=CHECKOUT.id,
    gateway_payment_id="pay_1",
    gateway_order_id="order_1",
    state=PaymentState.CAPTURED,
    amount=PRICE,
    method="upi",
    captured_at=NOW,
    refund_reserved=Money.zero(),
    refunded=Money.zero(),
    order_id=ORDER.id,
)
CASE = PaymentCase(
    id=CaseId(UUID(int=70)),
    kind=CaseKind.AMOUNT_MISMATCH,
    gateway_payment_id="pay_2",
    payment_id=PAYMENT.id,
    checkout_id=CHECKOUT.id,
    refund_id=RefundId(UUID(int=71)),
    amount=PRICE,
    evidence={"checkout_state": "expired"},
    state=CaseState.RESOLVED,
    opened_at=NOW,
    resolution=Resolution.WRITE_OFF,
    resolved_at=NOW,
    resolved_by="admin",
    resolution_reason="paid by bank transfer",
)
REFUND = Refund(
    id=RefundId(UUID(int=71)),
    kind=RefundKind.ORDER_LINES,
    payment_id=PAYMENT.id,
    gateway_payment_id="pay_1",
    order_id=ORDER.id,
    case_id=None,
    amount=PRICE,
    state=RefundState.PENDING,
    gateway_refund_id="rfnd_1",
    reason="one came torn",
    actor="admin",
    requested_at=NOW,
)
REPORT = PromiseReport(NOW, (PromiseResult(2, "Stock is never oversold", Verdict.BROKEN, "1 of 9", 1, ("v-1",)),))
