"""Lines for a shell that call the running stack: to paste one after the other, with real ids."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from google.protobuf.json_format import MessageToDict

from kapda.api.catalog.v1 import product_pb2
from kapda.entrypoints.cli.account import Account, home_of, new_id

# Takes one field out of what grpcurl prints, so that nothing has to be copied by hand.
_FIELD: Final = r"""field() { sed -n 's/.*"'"$1"'": *"\([^"]*\)".*/\1/p' | head -n 1; }"""
_CUSTOMER: Final = '-H "authorization: Bearer $TOKEN"'
_ADMIN: Final = '-H "authorization: Bearer $ADMIN"'


@dataclass(frozen=True, slots=True)
class Introduction:
    """What a stack has to offer. An empty `emulator_url` means that payments go elsewhere; None that there is none.

    `sign_with` is the admin's signing key as `kapda sign` takes it, and `kapda` the command, as a shell finds it.
    """

    address: str
    emulator_url: str
    customer: Account
    admin: Account | None
    product: product_pb2.Product | None
    sign_with: str = field(default="", repr=False)
    kapda: str = "kapda"

    def text(self) -> str:
        """Everything, as comments and commands of a POSIX shell."""
        return "\n".join(["", *self._browsing(), *self._purchase(), *self._proof(), ""])

    def _browsing(self) -> Iterator[str]:
        yield "# what is served"
        yield f"grpcurl -plaintext {self.address} list"
        yield "# the catalogue is open to everybody"
        yield self._call("catalog.v1.CatalogService/SearchProducts", {"query": "kurta", "page_size": 3})
        if self.product is not None:
            yield self._call("catalog.v1.CatalogService/GetProduct", {"product_id": self.product.id})
        yield f"# {self.customer.email}, signed up just now; a token is good for a quarter of an hour"
        yield _FIELD
        yield f"TOKEN={self.customer.token}"
        yield "# and this gets a new one"
        yield f"TOKEN=$({self._log_in(self.customer)} | field accessToken)"

    def _purchase(self) -> Iterator[str]:
        if self.product is None:
            yield "# the catalogue has nothing in stock"
            return
        variant = max(self.product.variants, key=lambda variant: variant.available_quantity)
        item = {"request_id": new_id(), "variant_id": variant.id, "quantity": 1}
        yield "# one into the cart; sent again with its request id, it is answered as before and adds nothing"
        yield self._call("cart.v1.CartService/AddItem", item, _CUSTOMER)
        checkout = {
            "request_id": new_id(),
            "address": MessageToDict(home_of(self.customer), preserving_proto_field_name=True),
            "expected_total": MessageToDict(variant.price, preserving_proto_field_name=True),
        }
        start = self._call("checkout.v1.CheckoutService/StartCheckout", checkout, _CUSTOMER)
        yield "# hold the stock, fix the price, open an order at Razorpay"
        yield f"""CHECKOUT=$({start}); printf '%s\\n' "$CHECKOUT\""""
        if self.emulator_url:
            yield from self._payment()

    def _payment(self) -> Iterator[str]:
        yield "# pay by UPI as the customer; the webhook places the order within moments, PlaceOrder answers with it"
        order_id = """'"$(printf '%s\\n' "$CHECKOUT" | field razorpayOrderId)"'"""
        yield (
            f"TRIPLE=$(curl -s -X POST {self.emulator_url}/emulator/pay "
            f"""-d '{{"order_id": "{order_id}", "method": "upi"}}'); printf '%s\\n' "$TRIPLE\""""
        )
        # The triple's fields are PlaceOrder's own: its opening brace goes, the rest continues the object.
        checkout_id = """'"$(printf '%s\\n' "$CHECKOUT" | field id)"'"""
        body = f"""'{{"request_id": "{new_id()}", "checkout_id": "{checkout_id}", '"${{TRIPLE#?}}\""""
        place = self._line("orders.v1.OrderService/PlaceOrder", body, _CUSTOMER)
        yield f"""ORDER=$({place}); printf '%s\\n' "$ORDER\""""
        yield self._call("orders.v1.OrderService/ListOrders", {}, _CUSTOMER)

    def _proof(self) -> Iterator[str]:
        if self.admin is None:
            yield "# no admin: the database was seeded with a password that is not KAPDA_SEED_ADMIN_PASSWORD"
        else:
            yield f"# {self.admin.email}: the promises, recomputed from the database"
            yield f"ADMIN={self.admin.token}"
            yield "# and this gets a new one"
            yield f"ADMIN=$({self._log_in(self.admin)} | field accessToken)"
            yield self._call("ops.v1.OpsService/CheckPromises", {}, _ADMIN)
            if self.sign_with and self.emulator_url and self.product is not None:
                yield from self._signed()
        if self.emulator_url:
            yield "# what Razorpay's own books say"
            yield f"curl -s {self.emulator_url}/emulator/books"

    def _signed(self) -> Iterator[str]:
        """The money of a piece goes back: one of the methods that take signed requests only."""
        yield "# money goes back by signed requests only: the admin's signing key, made just now, signs this JSON"
        yield f"export KAPDA_SIGN_WITH={self.sign_with}"
        order_id = """'"$(printf '%s\\n' "$ORDER" | field id)"'"""
        yield (
            f"""JSON='{{"request_id": "{new_id()}", "order_id": "{order_id}", """
            """"lines": [{"position": 1, "quantity": 1}], "reason": "one came torn"}'"""
        )
        method = "orders.v1.OrderService/RefundOrder"
        signature = f"""$(printf %s "$JSON" | {self.kapda} sign kapda.api.{method})"""
        yield "# a signature is good once and for five minutes; a retry keeps its request_id and is signed anew"
        yield self._line(method, '"$JSON"', f"{_ADMIN} {signature}")

    def _log_in(self, account: Account) -> str:
        return self._call("identity.v1.IdentityService/LogIn", {"email": account.email, "password": account.password})

    def _call(self, method: str, body: Mapping[str, object], header: str = "") -> str:
        return self._line(method, shlex.quote(json.dumps(body)), header)

    def _line(self, method: str, body: str, header: str) -> str:
        words = ("grpcurl -plaintext", header, f"-d {body}", self.address, f"kapda.api.{method}")
        return " ".join(word for word in words if word)
