"""How long a call may take, and how much time it must bring."""

from collections.abc import Mapping

# A call without a deadline of its own, or with a longer one, ends here: nobody waits in front of a shop for longer.
CAP_SECONDS = 15.0

# Methods that ask the payment gateway, and the seconds a caller must leave them. With less they would begin what they
# cannot tell the outcome of; the work would end well without the caller, but the caller would see only an error.
MINIMUM_SECONDS: Mapping[str, float] = {
    "/kapda.api.checkout.v1.CheckoutService/StartCheckout": 2.0,
    "/kapda.api.orders.v1.OrderService/PlaceOrder": 2.0,
}
