"""A customer who uses the shop's use cases the way the servicers do, through any of its processes."""

from dataclasses import dataclass, replace

from kapda.domain.cart.cart import Cart
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.use_cases.add_item import AddItemCommand
from kapda.domain.cart.use_cases.change_item import ChangeItemCommand
from kapda.domain.cart.use_cases.get_cart import GetCartCommand
from kapda.domain.checkout.checkout import Checkout
from kapda.domain.checkout.use_cases.abandon_checkout import AbandonCheckoutCommand
from kapda.domain.checkout.use_cases.get_checkout import GetCheckoutCommand
from kapda.domain.checkout.use_cases.start_checkout import StartCheckoutCommand
from kapda.domain.orders.order import Order
from kapda.domain.orders.use_cases.place_order import PlaceOrderCommand
from kapda.domain.orders.use_cases.process_gateway_event import ProcessGatewayEventCommand
from kapda.domain.orders.use_cases.settle_checkout import SettleCheckoutCommand
from kapda.domain.payments.use_cases.receive_gateway_event import ReceiveGatewayEventCommand
from kapda.domain.shared.address import Address
from kapda.domain.shared.ids import CheckoutId, RequestId, UserId, VariantId
from kapda.domain.shared.money import Money
from kapda.domain.shared.request_log import Answer
from tests.fakes.samples import HOME
from tests.shop.shop import Shop, new_request, webhook

Triple = dict[str, str]


@dataclass(frozen=True, slots=True)
class Buyer:
    """One customer of the shop. Every call goes through the next process, as a load balancer would send it."""

    shop: Shop
    id: UserId

    @property
    def owner(self) -> CartOwner:
        """The customer as the cart knows one."""
        return CartOwner.of_customer(self.id)

    @property
    def address(self) -> Address:
        """A door of the customer's own: what many send to one door is limited."""
        return replace(HOME, line1=f"{self.id.hex} Prabhat Road")

    @property
    def home(self) -> Address:
        """Where nobody else lives: how many checkouts may wait at one door is limited."""
        return replace(HOME, line1=f"{self.id.hex} Prabhat Road")

    async def add(self, variant_id: VariantId, quantity: int = 1, request_id: RequestId | None = None) -> Answer[Cart]:
        """Put pieces into the cart."""
        command = AddItemCommand(self.owner, request_id or new_request(), variant_id, quantity)
        return await self.shop.door().add_item().execute(command)

    async def change(self, variant_id: VariantId, quantity: int, request_id: RequestId | None = None) -> Answer[Cart]:
        """Have another quantity in the cart."""
        command = ChangeItemCommand(self.owner, request_id or new_request(), variant_id, quantity)
        return await self.shop.door().change_item().execute(command)

    async def cart(self) -> Cart:
        """The cart as it is."""
        return await self.shop.door().get_cart().execute(GetCartCommand(self.owner))

    async def start(self, total: Money, request_id: RequestId | None = None) -> Answer[Checkout]:
        """Start a checkout, agreeing to the total."""
        command = StartCheckoutCommand(self.id, request_id or new_request(), self.address, total)
        return await self.shop.door().start_checkout().execute(command)

    async def check_out(self) -> Checkout:
        """Start a checkout at whatever the cart costs."""
        return (await self.start((await self.cart()).total)).value

    async def checks_out_one(self, variant_id: VariantId, quantity: int = 1) -> Checkout:
        """Into the cart, and checked out."""
        await self.add(variant_id, quantity)
        return await self.check_out()

    async def abandon(self, checkout_id: CheckoutId, request_id: RequestId | None = None) -> Answer[Checkout]:
        """Give the checkout up."""
        command = AbandonCheckoutCommand(self.id, request_id or new_request(), checkout_id)
        return await self.shop.door().abandon_checkout().execute(command)

    async def checkout(self, checkout_id: CheckoutId) -> Checkout:
        """The checkout as it is."""
        return await self.shop.door().get_checkout().execute(GetCheckoutCommand(self.id, checkout_id))

    async def pay(self, checkout: Checkout, **how: object) -> Triple:
        """Pay at the gateway."""
        return await self.shop.pay(checkout.gateway_order_id or "", **how)

    def coming_back(self, checkout: Checkout, triple: Triple, request_id: RequestId | None = None) -> PlaceOrderCommand:
        """What the browser sends after paying."""
        return PlaceOrderCommand(
            self.id,
            request_id or new_request(),
            checkout.id,
            triple["razorpay_payment_id"],
            triple["razorpay_order_id"],
            triple["razorpay_signature"],
        )

    async def place(self, checkout: Checkout, triple: Triple, request_id: RequestId | None = None) -> Answer[Order]:
        """Come back from paying."""
        command = self.coming_back(checkout, triple, request_id)
        return await self.shop.door().place_order().execute(command)

    async def buys(self, variant_id: VariantId, quantity: int = 1) -> Order:
        """The whole purchase."""
        checkout = await self.checks_out_one(variant_id, quantity)
        return (await self.place(checkout, await self.pay(checkout))).value


async def new_buyers(shop: Shop, count: int) -> list[Buyer]:
    """Customers who have just signed up."""
    return [Buyer(shop, customer) for customer in await shop.customers(count)]


async def new_buyer(shop: Shop) -> Buyer:
    """One of them."""
    return (await new_buyers(shop, 1))[0]


async def deliver(shop: Shop, triple: Triple, event: str = "payment.captured") -> None:
    """The webhook's way: store the delivery, and work on it as the worker would."""
    headers, body = webhook(event, triple["razorpay_payment_id"], triple["razorpay_order_id"])
    door = shop.door()
    stored = await door.receive_gateway_event().execute(ReceiveGatewayEventCommand(headers, body))
    await door.process_gateway_event().execute(ProcessGatewayEventCommand(stored.id))


async def settle(shop: Shop, checkout_id: CheckoutId) -> None:
    """The poller looks at the checkout."""
    await shop.door().settle_checkout().execute(SettleCheckoutCommand(checkout_id))
