"""The whole purchase on fakes: one database, one gateway, one clock, and every use case wired to them."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from kapda.domain.cart.cart import Cart
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.use_cases.add_item import AddItem, AddItemCommand
from kapda.domain.cart.use_cases.cart_editor import CartEditor
from kapda.domain.checkout.checkout import Checkout, CheckoutState
from kapda.domain.checkout.policy import ShippingPolicy
from kapda.domain.checkout.use_cases.abandon_checkout import AbandonCheckout
from kapda.domain.checkout.use_cases.open_at_gateway import OpenAtGateway
from kapda.domain.checkout.use_cases.start_checkout import StartCheckout, StartCheckoutCommand
from kapda.domain.inventory.stock import MovementKind, StockLevel, StockMovement
from kapda.domain.orders.order import Order
from kapda.domain.orders.use_cases.bookkeeper import Bookkeeper
from kapda.domain.orders.use_cases.cancel_order import CancelOrder
from kapda.domain.orders.use_cases.finish_payment import FinishPayment
from kapda.domain.orders.use_cases.place_order import PlaceOrder, PlaceOrderCommand
from kapda.domain.orders.use_cases.process_gateway_event import ProcessGatewayEvent
from kapda.domain.orders.use_cases.record_refund import RecordRefund
from kapda.domain.orders.use_cases.refund_order import RefundOrder
from kapda.domain.orders.use_cases.refunder import Refunder
from kapda.domain.orders.use_cases.send_refund import SendRefund
from kapda.domain.orders.use_cases.settle_checkout import SettleCheckout, SettleCheckoutCommand
from kapda.domain.orders.use_cases.whose_payment import WhosePayment
from kapda.domain.payments.gateway import GatewayPayment
from kapda.domain.payments.payment_case import CaseState
from kapda.domain.payments.use_cases.receive_gateway_event import ReceiveGatewayEvent
from kapda.domain.shared.ids import CheckoutId, ProductId, RequestId, UserId, VariantId
from kapda.domain.shared.money import Money
from tests.fakes.database import InMemoryDatabase
from tests.fakes.identity import CountingIds, SettableClock
from tests.fakes.payment_gateway import FakePaymentGateway
from tests.fakes.samples import ASHA, HOME, NOON, RANGREZ, TERMS, rupees
from tests.fakes.signatures import FakeCheckoutSignatures, FakeWebhookSignatures, checkout_signature
from tests.fakes.tables import Tables, VariantRow

ACCOUNT = "acc_KapdaSample01"


@dataclass
class Sleeper:
    """Sleeping moves the clock; `on_sleep` is what happens elsewhere meanwhile."""

    clock: SettableClock
    naps: int = 0
    on_sleep: Callable[[], Awaitable[object]] | None = None

    async def sleep(self, seconds: float) -> None:
        self.naps += 1
        self.clock.advance(timedelta(seconds=seconds))
        elsewhere, self.on_sleep = self.on_sleep, None
        if elsewhere is not None:
            await elsewhere()


class Shop:
    """A shop with nothing in it. Shipping is free until `charge_shipping`."""

    def __init__(self) -> None:
        self.database = InMemoryDatabase()
        self.clock = SettableClock(NOON)
        self.ids = CountingIds()
        self.gateway = FakePaymentGateway(on_call=self.database.check_nothing_open)
        self.sleeper = Sleeper(self.clock)
        self._variants = 0
        self._requests = 0
        uow = self.database.unit_of_work
        self.editor = CartEditor(uow, self.clock, self.ids)
        self.add_item = AddItem(self.editor, self.clock)
        self.open_at_gateway = OpenAtGateway(uow, uow, self.gateway, self.clock, self.sleeper.sleep)
        self.start_checkout = StartCheckout(
            uow, self.open_at_gateway, ShippingPolicy(Money.zero()), self.clock, self.ids
        )
        self.abandon_checkout = AbandonCheckout(uow, self.clock)
        self.refunder = Refunder(self.clock, self.ids)
        self.record_refund = RecordRefund(uow, self.clock, self.ids)
        self.send_refund = SendRefund(uow, self.gateway, self.record_refund, self.clock)
        self.cancel_order = CancelOrder(uow, self.refunder, self.clock)
        self.refund_order = RefundOrder(uow, self.refunder, self.clock)
        self.finish_payment = FinishPayment(
            uow,
            self.gateway,
            WhosePayment(uow, self.gateway, self.clock),
            Bookkeeper(self.refunder, self.clock, self.ids),
            self.clock,
        )
        self.place_order = PlaceOrder(uow, uow, FakeCheckoutSignatures(), self.finish_payment)
        self.settle_checkout = SettleCheckout(
            uow, self.gateway, self.open_at_gateway, self.finish_payment, self.record_refund, self.clock
        )
        self.receive_event = ReceiveGatewayEvent(uow, FakeWebhookSignatures(), self.clock, self.ids, ACCOUNT)
        self.process_event = ProcessGatewayEvent(uow, self.gateway, self.finish_payment, self.record_refund, self.clock)

    @property
    def tables(self) -> Tables:
        """What is committed."""
        return self.database.tables

    def charge_shipping(self, policy: ShippingPolicy) -> None:
        """From now on delivery costs that."""
        self.start_checkout = replace(self.start_checkout, shipping=policy)

    def new_request(self) -> RequestId:
        """A request id nobody has used."""
        self._requests += 1
        return RequestId(UUID(int=0xEE_0000 + self._requests))

    def stock_variant(self, *, price: Money | None = None, pieces: int = 10, max_quantity: int = 10) -> VariantId:
        """Puts a new variant on sale, with pieces received."""
        self._variants += 1
        variant_id = VariantId(UUID(int=0x5A_0000 + self._variants))
        now = self.clock.now()
        self.tables.variants[variant_id] = VariantRow(
            id=variant_id,
            product_id=ProductId(UUID(int=0x9A_0000 + self._variants)),
            designer_id=RANGREZ,
            sku=f"RNG-KURTA-{self._variants:03}",
            title="Handblock kurta",
            options={"colour": "Indigo", "size": "M"},
            price=price or rupees(1_499),
            terms=TERMS,
            max_quantity=max_quantity,
        )
        self.tables.stock[variant_id] = StockLevel(variant_id, pieces, 0, 1, now)
        movements = self.tables.movements
        movements.append(
            StockMovement(len(movements) + 1, variant_id, MovementKind.RECEIVE, pieces, 0, "opening", "seed", None, now)
        )
        return variant_id

    def reprice(self, variant_id: VariantId, price: Money) -> None:
        """The house changes a price."""
        self.tables.variants[variant_id] = replace(self.tables.variants[variant_id], price=price)

    def take_off_sale(self, variant_id: VariantId) -> None:
        """The house withdraws the variant."""
        self.tables.variants[variant_id] = replace(self.tables.variants[variant_id], active=False)

    async def add(self, variant_id: VariantId, quantity: int = 1, customer: UserId = ASHA) -> Cart:
        """Puts pieces into the customer's cart."""
        return (
            await self.add_item.execute(
                AddItemCommand(CartOwner.of_customer(customer), self.new_request(), variant_id, quantity)
            )
        ).value

    async def check_out(self, expected: Money, customer: UserId = ASHA) -> Checkout:
        """Starts a checkout under a new request id."""
        command = StartCheckoutCommand(customer, self.new_request(), HOME, expected)
        return (await self.start_checkout.execute(command)).value

    async def check_out_one(self, *, pieces: int = 10, quantity: int = 1, customer: UserId = ASHA) -> Checkout:
        """A new variant, into the cart, and checked out."""
        variant = self.stock_variant(pieces=pieces)
        await self.add(variant, quantity, customer)
        return await self.check_out(rupees(1_499) * quantity, customer)

    def coming_back(
        self, checkout: Checkout, payment: GatewayPayment, request_id: RequestId | None = None
    ) -> PlaceOrderCommand:
        """The browser's return from paying."""
        order = checkout.gateway_order_id or ""
        return PlaceOrderCommand(
            checkout.customer_id,
            request_id or self.new_request(),
            checkout.id,
            payment.id,
            order,
            checkout_signature(order, payment.id),
        )

    async def settle(self, checkout: Checkout) -> None:
        """The poller looks at the checkout."""
        await self.settle_checkout.execute(SettleCheckoutCommand(checkout.id))

    def checkout(self, checkout_id: CheckoutId) -> Checkout:
        """As committed."""
        return self.tables.checkouts[checkout_id].checkout

    def state(self, checkout: Checkout) -> CheckoutState:
        """As committed."""
        return self.checkout(checkout.id).state

    def level(self, variant_id: VariantId) -> tuple[int, int]:
        """On hand and held, as committed."""
        level = self.tables.stock[variant_id]
        return level.on_hand, level.held

    def the_order(self) -> Order:
        """The one order there is."""
        (order,) = self.tables.orders.values()
        return order

    def check_promises(self) -> None:
        """What must be true after every test, whatever it did."""
        on_hand: Counter[VariantId] = Counter()
        held: Counter[VariantId] = Counter()
        for movement in self.tables.movements:
            on_hand[movement.variant_id] += movement.on_hand_delta
            held[movement.variant_id] += movement.held_delta
        for variant_id, level in self.tables.stock.items():
            assert (level.on_hand, level.held) == (on_hand[variant_id], held[variant_id]), "counters equal the ledger"
        holding = {
            row.checkout.id
            for row in self.tables.checkouts.values()
            if row.checkout.state in (CheckoutState.OPENING, CheckoutState.OPEN, CheckoutState.CAPTURING)
        }
        assert {hold_id for (hold_id, _), row in self.tables.holds.items() if row.state == "held"} == holding
        ordered = {order.payment_id for order in self.tables.orders.values()}
        in_cases = {case.payment_id for case in self.tables.cases if case.refund_id is None}
        assert ordered | in_cases == set(self.tables.payments), "captured money is on an order or a case"
        undecided = {
            case.payment_id for case in self.tables.cases if case.refund_id is None and case.state is CaseState.OPEN
        }
        assert not ordered & undecided
