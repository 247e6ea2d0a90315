"""The official SDK as a caller."""

import asyncio
from contextlib import closing

import pytest
import razorpay
from razorpay.errors import BadRequestError

from tests.emulator.conftest import KEY_ID, KEY_SECRET, Start


async def test_the_official_client_walks_a_purchase_and_its_refund(start: Start) -> None:
    emulator = await start()

    def before() -> str:
        made = client.order.create({"amount": 50_000, "currency": "INR", "receipt": "r1", "notes": {"k": "v"}})
        assert client.order.fetch(made["id"]) == made
        assert client.order.all({"receipt": "r1"})["items"] == [made]
        return str(made["id"])

    def after() -> None:
        assert client.utility.verify_payment_signature(dict(triple))
        payment = client.payment.fetch(triple["razorpay_payment_id"])
        assert payment["status"] == "authorized"
        captured = client.payment.capture(payment["id"], payment["amount"], {"currency": "INR"})
        assert captured["status"] == "captured"
        assert client.order.payments(order_id)["items"] == [captured]
        headers = {"X-Refund-Idempotency": "refund-of-r1"}
        refund = client.payment.refund(payment["id"], {"amount": 50_000}, headers=headers)
        assert client.refund.fetch(refund["id"]) == refund
        with pytest.raises(BadRequestError, match="fully refunded already"):
            client.payment.refund(payment["id"], {"amount": 100})
        with pytest.raises(BadRequestError, match="does not exist"):
            client.order.fetch("order_00000000000000")

    client = razorpay.Client(auth=(KEY_ID, KEY_SECRET), base_url=emulator.url)
    with closing(client.session):
        order_id = await asyncio.to_thread(before)
        triple = await emulator.pay({"id": order_id}, outcome="authorize_only")
        await asyncio.to_thread(after)
