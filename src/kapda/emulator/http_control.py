"""The endpoints under /emulator: the customer, the books, the deliveries.

They ask for no credentials, because this is a tool that listens on the loopback interface; never expose them.
Faults and the clock have their endpoints in `http_switches`.
"""

from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kapda.emulator.books import Books
from kapda.emulator.courier import Courier
from kapda.emulator.errors import ApiError
from kapda.emulator.http_body import Endpoint, answer, guarded, read_as, read_object
from kapda.emulator.postbox import parse_address
from kapda.emulator.refunds import Refunds
from kapda.emulator.shapes import payment_shape, refund_shape
from kapda.emulator.shopper import PayCommand, Shopper


class ReplayCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which event to send again."""

    event_id: str


class AuthorizeCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the late yes is captured when its window allows it."""

    capture: bool = True


class WebhookCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change about webhooks; what is left out stays."""

    url: str | msgspec.UnsetType = msgspec.UNSET
    secret: str | msgspec.UnsetType = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET


class Control:
    """The endpoints a test or a demonstration calls."""

    def __init__(self, *, books: Books, refunds: Refunds, shopper: Shopper, courier: Courier) -> None:
        self._books = books
        self._refunds = refunds
        self._shopper = shopper
        self._courier = courier

    def routes(self) -> list[Route]:
        """Returns the routes, to be mounted at /emulator."""
        table: list[tuple[str, str, Endpoint]] = [
            ("POST", "/pay", self.pay),
            ("POST", "/payments/{id}/authorize", self.authorize),
            ("POST", "/payments/{id}/fail", self.fail),
            ("POST", "/refunds/{id}/process", self.process_refund),
            ("POST", "/refunds/{id}/fail", self.fail_refund),
            ("POST", "/payments/{id}/refund", self.refund),
            ("GET", "/books", self.books),
            ("GET", "/health", self.health),
            ("GET", "/deliveries", self.deliveries),
            ("POST", "/deliveries/replay", self.replay),
            ("GET", "/webhooks", self.webhooks),
            ("PUT", "/webhooks", self.set_webhooks),
        ]
        return [Route(path, guarded(endpoint), methods=[method]) for method, path, endpoint in table]

    async def pay(self, request: Request) -> Response:
        """Plays the customer: 200 with the triple or the browser's error object, 400 when Razorpay takes no payment."""
        return answer(self._shopper.pay(await read_as(request, PayCommand)))

    async def authorize(self, request: Request) -> Response:
        """Lets the bank say yes late, to a `created` or `failed` payment; answers with the payment and its triple."""
        command = await read_as(request, AuthorizeCommand)
        payment = self._books.payment(request.path_params["id"])
        self._shopper.authorize(payment, capture=command.capture)
        return answer({"payment": payment_shape(payment), **self._shopper.signed(payment)})

    async def fail(self, request: Request) -> Response:
        """Lets the bank say no to a payment that is `created`."""
        payment = self._books.payment(request.path_params["id"])
        self._shopper.fail(payment)
        return answer({"payment": payment_shape(payment)})

    async def refund(self, request: Request) -> Response:
        """Refunds as an operator does in the dashboard: the integration hears of it by webhook only.

        The body may have `amount` (paise; all that is left when missing), `notes`, `receipt` and `speed`.
        """
        refund = self._refunds.refund(request.path_params["id"], await read_object(request), key=None)
        return answer(refund_shape(refund))

    async def process_refund(self, request: Request) -> Response:
        """Lets a pending refund succeed."""
        refund = self._books.refund(request.path_params["id"])
        self._refunds.process(refund)
        return answer(refund_shape(refund))

    async def fail_refund(self, request: Request) -> Response:
        """Lets a pending refund fail."""
        refund = self._books.refund(request.path_params["id"])
        self._refunds.fail(refund)
        return answer(refund_shape(refund))

    async def books(self, request: Request) -> Response:  # noqa: ARG002 - an endpoint's form
        """Shows every order, payment and refund with the totals in paise."""
        return answer(self._books.as_json())

    async def health(self, request: Request) -> Response:  # noqa: ARG002 - an endpoint's form
        """Answers once the emulator serves."""
        return answer({"status": "ok"})

    async def deliveries(self, request: Request) -> Response:  # noqa: ARG002 - an endpoint's form
        """Lists the remembered webhook deliveries, oldest first."""
        items = [delivery.as_json() for delivery in self._courier.deliveries]
        return answer({"count": len(items), "items": items})

    async def replay(self, request: Request) -> Response:
        """Sends a past event again, with its id and its bytes."""
        command = await read_as(request, ReplayCommand)
        if not self._courier.enabled:
            raise ApiError("Webhooks are switched off.")
        delivery = self._courier.replay(command.event_id)
        if delivery is None:
            raise ApiError("No such event is remembered.")
        return answer(delivery.as_json(), HTTPStatus.ACCEPTED)

    async def webhooks(self, request: Request) -> Response:  # noqa: ARG002 - an endpoint's form
        """Shows where webhooks go; never the secret."""
        return answer(self._target())

    async def set_webhooks(self, request: Request) -> Response:
        """Changes address, secret or the switch; events made before keep their old secret."""
        command = await read_as(request, WebhookCommand)
        target = self._courier.target
        url = target.url if command.url is msgspec.UNSET else command.url
        secret = target.secret if command.secret is msgspec.UNSET else command.secret
        enabled = target.enabled if command.enabled is msgspec.UNSET else command.enabled
        if enabled and (not url or not secret):
            raise ApiError("Webhooks need an address and a secret.")
        try:
            parse_address(url or "http://localhost")
        except ValueError as error:
            raise ApiError(str(error), field="url") from error
        target.rotate(secret)
        target.url, target.enabled = url, enabled
        return answer(self._target())

    def _target(self) -> dict[str, object]:
        return {"url": self._courier.target.url, "enabled": self._courier.target.enabled}
