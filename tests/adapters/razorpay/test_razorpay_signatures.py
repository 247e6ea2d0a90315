"""Signatures of checkout and webhooks."""

import hashlib
import hmac
from collections.abc import Callable

import pytest
import razorpay

from kapda.adapters.razorpay.signatures import HmacCheckoutSignatures, HmacWebhookSignatures

BODY = b'{"entity":"event","note":"14\\/2 \\u0917"}'


def signed(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def test_a_webhook_fits_under_each_live_secret_and_no_other() -> None:
    signatures = HmacWebhookSignatures(["new", "old"])
    assert signatures.is_valid(BODY, signed("new", BODY))
    assert signatures.is_valid(BODY, signed("old", BODY))
    assert not signatures.is_valid(BODY, signed("older", BODY))
    assert not signatures.is_valid(BODY + b" ", signed("new", BODY))


def test_a_webhook_body_need_not_be_text() -> None:
    body = b"\xff\x00\xfe"
    assert HmacWebhookSignatures(["s"]).is_valid(body, signed("s", body))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: "",
        lambda good: good[:-1],
        lambda good: good + "0",
        lambda good: good + "\n",
        lambda good: good.upper(),
        lambda good: f"{good},{good}",
        lambda _: "é" * 64,
        lambda _: "٣" * 64,
        lambda _: "g" * 64,
        lambda good: ("0" if good[0] != "0" else "1") + good[1:],
    ],
)
def test_a_spoilt_signature_is_refused_without_a_crash(spoil: Callable[[str], str]) -> None:
    assert not HmacWebhookSignatures(["s"]).is_valid(BODY, spoil(signed("s", BODY)))
    good = signed("s", b"order_1|pay_1")
    assert not HmacCheckoutSignatures(["s"]).is_valid("order_1", "pay_1", spoil(good))


def test_a_checkout_signature_binds_order_and_payment() -> None:
    signatures = HmacCheckoutSignatures(["new", "old"])
    good = signed("old", b"order_1|pay_1")
    assert signatures.is_valid("order_1", "pay_1", good)
    assert not signatures.is_valid("order_2", "pay_1", good)
    assert not signatures.is_valid("order_1", "pay_2", good)
    assert not signatures.is_valid("pay_1", "order_1", good)
    assert not signatures.is_valid("order_1", "\ud800", good)


def test_the_official_client_agrees() -> None:
    good = signed("secret", b"order_1|pay_1")
    client = razorpay.Client(auth=("key", "secret"))
    triple = {"razorpay_order_id": "order_1", "razorpay_payment_id": "pay_1", "razorpay_signature": good}
    assert client.utility.verify_payment_signature(triple)
    assert HmacCheckoutSignatures(["secret"]).is_valid("order_1", "pay_1", good)
    assert client.utility.verify_webhook_signature(BODY.decode(), signed("secret", BODY), "secret")


@pytest.mark.parametrize("secrets", [[], [""], ["good", ""], "text"])
def test_no_secret_or_an_empty_one_is_refused_at_the_start(secrets: list[str]) -> None:
    for make in (HmacWebhookSignatures, HmacCheckoutSignatures):
        with pytest.raises(ValueError, match="secrets"):
            make(secrets)
