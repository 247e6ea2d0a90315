"""The documented HTTP API under /v1: orders, payments and refunds, behind Basic auth."""

import base64
import hmac
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kapda.emulator.books import Books
from kapda.emulator.errors import ApiError, not_applicable, unknown_id
from kapda.emulator.fault_kinds import Operation
from kapda.emulator.http_body import Endpoint, answer, guarded, read_object
from kapda.emulator.http_faults import NEWEST, FaultyCalls
from kapda.emulator.merchant import Merchant
from kapda.emulator.model import Order
from kapda.emulator.paging import Page, cut, parse_page
from kapda.emulator.refunds import Refunds
from kapda.emulator.requests import KEY_HEADER, parse_idempotency_key
from kapda.emulator.shapes import JsonObject, collection_shape, order_shape, payment_shape, refund_shape


class Api:
    """The endpoints a merchant's server calls."""

    def __init__(
        self,
        *,
        books: Books,
        merchant: Merchant,
        refunds: Refunds,
        faulty: FaultyCalls,
        key_id: str,
        key_secret: str,
    ) -> None:
        self._books = books
        self._merchant = merchant
        self._refunds = refunds
        self._faulty = faulty
        credentials = base64.b64encode(f"{key_id}:{key_secret}".encode()).decode()
        self._authorization = f"Basic {credentials}".encode()

    def routes(self) -> list[Route]:
        """Returns the routes, to be mounted at /v1."""
        table: list[tuple[str, str, Operation, Endpoint]] = [
            ("POST", "/orders", "create_order", self.create_order),
            ("GET", "/orders", "list_orders", self.list_orders),
            ("GET", "/orders/{id}", "get_order", self.get_order),
            ("PATCH", "/orders/{id}", "update_order", self.update_order),
            ("GET", "/orders/{id}/payments", "list_order_payments", self.list_order_payments),
            ("GET", "/payments", "list_payments", self.list_payments),
            ("GET", "/payments/{id}", "get_payment", self.get_payment),
            ("POST", "/payments/{id}/capture", "capture", self.capture),
            ("POST", "/payments/{id}/refund", "refund", self.refund),
            ("GET", "/payments/{id}/refunds", "list_payment_refunds", self.list_payment_refunds),
            ("GET", "/payments/{id}/refunds/{refund_id}", "get_payment_refund", self.get_payment_refund),
            ("GET", "/refunds", "list_refunds", self.list_refunds),
            ("GET", "/refunds/{id}", "get_refund", self.get_refund),
        ]
        return [
            Route(path, guarded(self._secured(self._faulty.wrap(name, endpoint))), methods=[method], name=name)
            for method, path, name, endpoint in table
        ]

    def _secured(self, endpoint: Endpoint) -> Endpoint:
        async def respond(request: Request) -> Response:
            given = request.headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, self._authorization):
                raise not_applicable("The api key provided is invalid", HTTPStatus.UNAUTHORIZED)
            return await endpoint(request)

        return respond

    async def create_order(self, request: Request) -> Response:
        """POST /orders."""
        return answer(order_shape(self._merchant.create_order(await read_object(request))))

    async def list_orders(self, request: Request) -> Response:
        """GET /orders, with `receipt`, `authorized`, paging and `expand[]=payments`."""
        query = request.query_params
        authorized = query.get("authorized")
        if authorized not in (None, "0", "1"):
            raise ApiError("The authorized must be 0 or 1.", field="authorized")
        found = self._books.page_of_orders(
            _page(request), query.get("receipt"), authorized=None if authorized is None else authorized == "1"
        )
        expand = "payments" in query.getlist("expand[]")
        return answer(collection_shape(self._order(order, expand=expand) for order in found))

    async def get_order(self, request: Request) -> Response:
        """GET /orders/{id}."""
        return answer(order_shape(self._books.order(request.path_params["id"])))

    async def update_order(self, request: Request) -> Response:
        """PATCH /orders/{id}: notes only."""
        order = self._merchant.update_order(request.path_params["id"], await read_object(request))
        return answer(order_shape(order))

    async def list_order_payments(self, request: Request) -> Response:
        """GET /orders/{id}/payments: every try, oldest first."""
        order = self._books.order(request.path_params["id"])
        return answer(collection_shape(map(payment_shape, self._books.payments_of(order.id))))

    async def list_payments(self, request: Request) -> Response:
        """GET /payments."""
        found = cut(self._books.payments.values(), _page(request))
        return answer(collection_shape(map(payment_shape, found)))

    async def get_payment(self, request: Request) -> Response:
        """GET /payments/{id}, with `expand[]=card`."""
        payment = self._books.payment(request.path_params["id"])
        expand = "card" in request.query_params.getlist("expand[]")
        return answer(payment_shape(payment, expand_card=expand))

    async def capture(self, request: Request) -> Response:
        """POST /payments/{id}/capture."""
        return answer(payment_shape(self._merchant.capture(request.path_params["id"], await read_object(request))))

    async def refund(self, request: Request) -> Response:
        """POST /payments/{id}/refund, made once a X-Refund-Idempotency key."""
        key = parse_idempotency_key(request.headers.get(KEY_HEADER))
        return answer(refund_shape(self._refunds.refund(request.path_params["id"], await read_object(request), key)))

    async def list_payment_refunds(self, request: Request) -> Response:
        """GET /payments/{id}/refunds."""
        payment = self._books.payment(request.path_params["id"])
        found = cut(self._books.refunds_of(payment.id), parse_page(request.query_params))
        return answer(collection_shape(map(refund_shape, found)))

    async def get_payment_refund(self, request: Request) -> Response:
        """GET /payments/{id}/refunds/{refund_id}."""
        payment = self._books.payment(request.path_params["id"])
        refund = self._books.refund(request.path_params["refund_id"])
        if refund.payment_id != payment.id:
            raise unknown_id()
        return answer(refund_shape(refund))

    async def list_refunds(self, request: Request) -> Response:
        """GET /refunds."""
        found = cut(self._books.refunds.values(), _page(request))
        return answer(collection_shape(map(refund_shape, found)))

    async def get_refund(self, request: Request) -> Response:
        """GET /refunds/{id}."""
        return answer(refund_shape(self._books.refund(request.path_params["id"])))

    def _order(self, order: Order, *, expand: bool) -> JsonObject:
        shape = order_shape(order)
        if expand:
            shape["payments"] = collection_shape(map(payment_shape, self._books.payments_of(order.id)))
        return shape


def _page(request: Request) -> Page:
    page, newest = parse_page(request.query_params), request.scope.get(NEWEST)
    return page if newest is None else page.before(int(newest))
