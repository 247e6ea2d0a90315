"""Signature vectors: whatever the account, the same bytes under the same secret have the same signature.

Made with `openssl dgst -sha256 -hmac`, so that no code of ours vouches for itself.
"""

import json
from typing import Final

from kapda.gateway_contract.check import Check, expect
from kapda.gateway_contract.subject import Subject

SECRET: Final = "kapda-vector-secret"  # noqa: S105  (of the vectors below)
OLD_SECRET: Final = "kapda-vector-older-secret"  # noqa: S105  (as above)

_ORDER: Final = "order_KapdaVector001"
_PAYMENT: Final = "pay_KapdaVector0001"
_CHECKOUT: Final = (
    "30684e8a0a7fd8712f58282fc2e873072aadc8cdc7d414660d3e343ddc62c533"  # pragma: allowlist secret  (a signature)
)
_BODY: Final = b'{"entity":"event","event":"payment.captured","note":"14\\/2 \\u0917 \\"x\\"","amount":100}'
_WEBHOOK: Final = (
    "1fa3bc8ec319fbe532bff9d053cd014dc9b8c635d15e6e9a84b9894270857b8b"  # pragma: allowlist secret  (a signature)
)
_WEBHOOK_OLD: Final = (
    "0d9d999a2408381e9c5d9489d5ce3459420b067df7282339f0cd86758a8787d1"  # pragma: allowlist secret  (a signature)
)


async def _checkout(at: Subject) -> None:
    fits = at.vectors.checkout.is_valid
    expect(fits(_ORDER, _PAYMENT, _CHECKOUT), "the checkout vector fits")
    expect(not fits(_PAYMENT, _ORDER, _CHECKOUT), "the ids have an order")
    expect(not fits(_ORDER, f"{_PAYMENT}x", _CHECKOUT), "another payment does not fit")
    for wrong in ("", _CHECKOUT.upper(), _CHECKOUT[:-1], "0" * 64, "०" * 64):
        expect(not fits(_ORDER, _PAYMENT, wrong), f"{wrong[:8]!r}... is no signature")


async def _webhook(at: Subject) -> None:
    fits = at.vectors.webhook.is_valid
    expect(fits(_BODY, _WEBHOOK), "the webhook vector fits")
    expect(fits(_BODY, _WEBHOOK_OLD), "the vector under the older secret fits")
    expect(not fits(_BODY + b" ", _WEBHOOK), "one more byte does not fit")
    encoded_again = json.dumps(json.loads(_BODY), separators=(",", ":")).encode()
    expect(not fits(encoded_again, _WEBHOOK), "the same JSON written again does not fit")
    expect(not fits(b"", _WEBHOOK), "no body does not fit")


CHECKS: Final = (
    Check("checkout signatures: the vectors fit, and nothing else", _checkout),
    Check("webhook signatures: raw bytes, new and old secret", _webhook),
)
