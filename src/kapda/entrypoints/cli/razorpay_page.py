"""What a customer does on Razorpay's page, and what Razorpay itself knows: the emulator's own endpoints."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import httpx
import msgspec

_TIMEOUT_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.05


class Triple(msgspec.Struct, frozen=True):
    """What the browser brings back from a payment that went well."""

    razorpay_payment_id: str
    razorpay_order_id: str
    razorpay_signature: str


class Attempt(msgspec.Struct, frozen=True):
    """One try to deliver a webhook; no status when nobody answered."""

    status_code: int | None


class Delivery(msgspec.Struct, frozen=True):
    """A webhook and its tries."""

    event_id: str
    event: str
    status: str
    body: str
    attempts: Sequence[Attempt]

    @property
    def is_delivered(self) -> bool:
        """Whether somebody took it."""
        return self.status == "delivered"

    @property
    def was_sent(self) -> bool:
        """Whether it was sent at all; a fault may have swallowed it."""
        return self.status != "dropped"


class _Deliveries(msgspec.Struct, frozen=True):
    items: Sequence[Delivery]


class Totals(msgspec.Struct, frozen=True):
    """The account's sums in paise."""

    captured: int
    refunded: int


class Refund(msgspec.Struct, frozen=True):
    """Money Razorpay sent back, in paise."""

    payment_id: str
    amount: int
    status: str


class _Books(msgspec.Struct, frozen=True):
    totals: Totals
    refunds: Sequence[Refund]


class RazorpayPage:
    """The emulator as everybody but kapda sees it. Every method raises httpx.HTTPError."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def pay(self, razorpay_order_id: str) -> Triple:
        """Pay by UPI."""
        answer = await self._client.post("/emulator/pay", json={"order_id": razorpay_order_id, "method": "upi"})
        return msgspec.json.decode(answer.raise_for_status().content, type=Triple)

    async def totals(self) -> Totals:
        """What Razorpay's own books say."""
        return (await self._books()).totals

    async def refunds(self, razorpay_payment_id: str) -> Sequence[Refund]:
        """What Razorpay sent back of a payment."""
        return [refund for refund in (await self._books()).refunds if refund.payment_id == razorpay_payment_id]

    async def arm(self, name: str, **fault: object) -> None:
        """Have Razorpay misbehave."""
        (await self._client.put(f"/emulator/faults/{name}", json=fault)).raise_for_status()

    async def deliveries(self, about: str = "") -> Sequence[Delivery]:
        """The webhooks sent whose body speaks of `about`, oldest first."""
        answer = await self._client.get("/emulator/deliveries")
        found = msgspec.json.decode(answer.raise_for_status().content, type=_Deliveries).items
        return [delivery for delivery in found if about in delivery.body and delivery.was_sent]

    async def settled_deliveries(self, within: float, about: str = "") -> Sequence[Delivery]:
        """The same once all are delivered, or as they are after so many seconds."""
        deadline = asyncio.get_running_loop().time() + within
        while True:
            found = await self.deliveries(about)
            settled = found and all(delivery.is_delivered for delivery in found)
            if settled or asyncio.get_running_loop().time() > deadline:
                return found
            await asyncio.sleep(_POLL_SECONDS)

    async def _books(self) -> _Books:
        answer = await self._client.get("/emulator/books")
        return msgspec.json.decode(answer.raise_for_status().content, type=_Books)

    async def replay(self, event_id: str) -> None:
        """Have a webhook sent again, with the same id and the same bytes."""
        (await self._client.post("/emulator/deliveries/replay", json={"event_id": event_id})).raise_for_status()


@asynccontextmanager
async def razorpay_page_at(url: str) -> AsyncIterator[RazorpayPage]:
    """Talk to the emulator at `url`."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=_TIMEOUT_SECONDS) as client:
        yield RazorpayPage(client)
