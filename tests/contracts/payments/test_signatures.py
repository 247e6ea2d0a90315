"""Signatures as their ports promise: the fakes of the use cases' tests, and HMAC."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from kapda.adapters.razorpay.signatures import HmacCheckoutSignatures, HmacWebhookSignatures
from kapda.domain.payments.ports import CheckoutSignatures, WebhookSignatures
from tests.fakes.signatures import (
    FakeCheckoutSignatures,
    FakeWebhookSignatures,
    checkout_signature,
    webhook_signature,
)

SECRET = "the account's secret"
ORDER, PAYMENT = "order_KapdaSample001", "pay_KapdaSample0001"
BODY = b'{"event":"payment.captured","note":"caf\xc3\xa9 \\/"}'
NO_SIGNATURES = ["", "x", "0" * 64, "É" * 64, "0" * 63 + "\n"]


def _hmac(message: bytes) -> str:
    return hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class CheckoutProof:
    """One implementation, and how the gateway would sign for it."""

    signatures: CheckoutSignatures
    sign: Callable[[str, str], str]


@dataclass(frozen=True)
class WebhookProof:
    """One implementation, and how the gateway would sign for it."""

    signatures: WebhookSignatures
    sign: Callable[[bytes], str]


@pytest.fixture(params=["fake", "hmac"])
def checkout(request: pytest.FixtureRequest) -> CheckoutProof:
    if request.param == "fake":
        return CheckoutProof(FakeCheckoutSignatures(), checkout_signature)
    return CheckoutProof(HmacCheckoutSignatures([SECRET]), lambda order, payment: _hmac(f"{order}|{payment}".encode()))


@pytest.fixture(params=["fake", "hmac"])
def webhook(request: pytest.FixtureRequest) -> WebhookProof:
    if request.param == "fake":
        return WebhookProof(FakeWebhookSignatures(), webhook_signature)
    return WebhookProof(HmacWebhookSignatures([SECRET]), _hmac)


def test_the_gateways_signature_pairs_its_order_with_its_payment(checkout: CheckoutProof) -> None:
    assert checkout.signatures.is_valid(ORDER, PAYMENT, checkout.sign(ORDER, PAYMENT))


def test_a_signature_of_another_pair_is_worth_nothing(checkout: CheckoutProof) -> None:
    signature = checkout.sign(ORDER, PAYMENT)
    for order, payment in (("order_Another", PAYMENT), (ORDER, "pay_Another"), (PAYMENT, ORDER), ("", "")):
        assert not checkout.signatures.is_valid(order, payment, signature)


@pytest.mark.parametrize("signature", NO_SIGNATURES)
def test_what_is_no_signature_of_the_pair_is_refused(checkout: CheckoutProof, signature: str) -> None:
    assert not checkout.signatures.is_valid(ORDER, PAYMENT, signature)


def test_the_gateways_signature_fits_the_bytes_it_sent(webhook: WebhookProof) -> None:
    assert webhook.signatures.is_valid(BODY, webhook.sign(BODY))


def test_other_bytes_do_not_fit_even_when_they_mean_the_same(webhook: WebhookProof) -> None:
    signature = webhook.sign(BODY)
    for other in (BODY + b"\n", BODY.replace(b"\\/", b"/"), b""):
        assert not webhook.signatures.is_valid(other, signature)


@pytest.mark.parametrize("signature", NO_SIGNATURES)
def test_what_is_no_signature_of_the_bytes_is_refused(webhook: WebhookProof, signature: str) -> None:
    assert not webhook.signatures.is_valid(BODY, signature)
