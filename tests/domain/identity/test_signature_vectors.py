"""docs/signed-requests.md tells signers the truth: its vectors are what the code makes and accepts."""

import hmac
import json
import re
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest

from kapda.domain.identity.signing import WINDOW, Signature, SignedCall, SigningKey, SigningSecret
from kapda.domain.shared.errors import PermissionDeniedError, Reason
from kapda.domain.shared.ids import SigningKeyId, UserId
from kapda.entrypoints.cli.signer import encoded

DOCUMENT = (Path(__file__).parents[3] / "docs" / "signed-requests.md").read_text(encoding="utf-8")
EXAMPLE = DOCUMENT.partition("## A worked example")[2].partition("## ")[0]
BLOCKS = re.findall(r"^```(?:json)?\n(.*?)\n```$", EXAMPLE, re.DOTALL | re.MULTILINE)
VECTORS: list[dict[str, str]] = [
    dict(line.split(": ", 1) for line in block.splitlines())
    for block in re.findall(r"^```text\n(.*?)\n```$", DOCUMENT, re.DOTALL | re.MULTILINE)
]
SECRET = SigningSecret(re.findall(r"The secret is `(\S+)`", EXAMPLE)[0])
KEY_ID = SigningKeyId(UUID(int=0x51))


def call_of(vector: dict[str, str]) -> SignedCall:
    """The call that a vector is about."""
    return SignedCall(
        vector["method"],
        b64decode(vector["bytes"]),
        vector["timestamp"],
        vector["nonce"],
        UserId(UUID(vector["principal"])),
    )


def lines_of(vector: dict[str, str]) -> str:
    """The six lines, put together as the document says."""
    names = ("method", "digest", "timestamp", "nonce", "principal")
    return "\n".join(("kapda-signature-v1", *(vector[name] for name in names)))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["method"])
class TestVector:
    """Holds for each vector of the document."""

    def test_the_bytes_are_the_requests(self, vector: dict[str, str]) -> None:
        method = vector["method"].removeprefix("/")
        assert encoded(method, vector["json"]) == b64decode(vector["bytes"])

    def test_the_lines_and_the_signature_are_as_told(self, vector: dict[str, str]) -> None:
        call = call_of(vector)
        assert call.canonical().decode() == lines_of(vector)
        assert SECRET.sign(call.canonical()) == vector["signature"]
        plain = hmac.new(SECRET.text.encode("ascii"), lines_of(vector).encode(), sha256).hexdigest()
        assert plain == vector["signature"]

    def test_it_is_accepted_within_the_window_and_only_as_it_is(self, vector: dict[str, str]) -> None:
        call = call_of(vector)
        signature = Signature(str(KEY_ID), vector["timestamp"], vector["nonce"], vector["signature"])
        at = datetime.fromtimestamp(int(vector["timestamp"]), UTC)
        key = SigningKey(KEY_ID, call.principal_id, at)
        for moment in (at - WINDOW, at, at + WINDOW):
            proof = signature.check(call, key, [SECRET], moment)
            assert (proof.key_id, proof.nonce, proof.signed_at) == (KEY_ID, vector["nonce"], at)
        for moment in (at - WINDOW - timedelta(seconds=1), at + WINDOW + timedelta(seconds=1)):
            with pytest.raises(PermissionDeniedError) as refused:
                signature.check(call, key, [SECRET], moment)
            assert refused.value.reason is Reason.SIGNATURE_EXPIRED
            assert refused.value.metadata["server_time"] == str(int(moment.timestamp()))


def test_the_worked_example_is_the_first_vector() -> None:
    request, lines, signature = BLOCKS
    assert json.loads(request) == json.loads(VECTORS[0]["json"])
    assert (lines, signature) == (lines_of(VECTORS[0]), VECTORS[0]["signature"])
    assert len(VECTORS) == 3


CALL = call_of(VECTORS[0])
AT = datetime.fromtimestamp(int(CALL.timestamp), UTC)
KEY = SigningKey(KEY_ID, CALL.principal_id, AT)
OTHER = UserId(UUID(int=0xBAD))


@pytest.mark.parametrize(
    "secrets",
    [[SECRET], [SigningSecret("newer"), SECRET], [SECRET, SigningSecret("older")]],
    ids=["alone", "old", "new"],
)
def test_a_signature_with_any_of_the_secrets_that_are_accepted_is_one(secrets: list[SigningSecret]) -> None:
    signature = Signature(str(KEY_ID), CALL.timestamp, CALL.nonce, VECTORS[0]["signature"])
    assert signature.check(CALL, KEY, secrets, AT).key_id == KEY_ID


@pytest.mark.parametrize(
    ("call", "key", "secret"),
    [
        (replace(CALL, method=CALL.method + "s"), KEY, SECRET),
        (replace(CALL, body=CALL.body + b"\0"), KEY, SECRET),
        (replace(CALL, timestamp=str(int(CALL.timestamp) + 1)), KEY, SECRET),
        (replace(CALL, nonce="another-nonce-of-ours"), KEY, SECRET),
        (replace(CALL, principal_id=OTHER), replace(KEY, user_id=OTHER), SECRET),
        (CALL, replace(KEY, user_id=OTHER), SECRET),
        (CALL, replace(KEY, revoked_at=AT), SECRET),
        (CALL, None, SECRET),
        (CALL, KEY, SigningSecret("another")),
    ],
)
def test_a_signature_is_good_for_nothing_else(call: SignedCall, key: SigningKey | None, secret: SigningSecret) -> None:
    signature = Signature(str(KEY_ID), call.timestamp, call.nonce, VECTORS[0]["signature"])
    with pytest.raises(PermissionDeniedError) as refused:
        signature.check(call, key, [secret, SigningSecret("a third")], AT)
    assert refused.value.reason is Reason.SIGNATURE_INVALID


@pytest.mark.parametrize(
    "change",
    [
        {"timestamp": ""},
        {"timestamp": "0123456789"},
        {"timestamp": "-1764064800"},
        {"timestamp": "1764064800.5"},
        {"timestamp": "\u0967\u0966"},
        {"timestamp": "9" * 12},
        {"nonce": "short"},
        {"nonce": "n" * 65},
        {"nonce": "with a space in the middle"},
        {"nonce": "line\nfeed-line-feed-line"},
        {"text": "A" * 64},
        {"text": "5" * 63},
        {"text": ""},
    ],
)
def test_what_cannot_be_a_signature_is_refused_before_anything_is_looked_up(change: dict[str, str]) -> None:
    told = {"key_id": str(KEY_ID), "timestamp": CALL.timestamp, "nonce": CALL.nonce, "text": "5" * 64} | change
    with pytest.raises(PermissionDeniedError) as refused:
        Signature(**told)
    assert refused.value.reason is Reason.SIGNATURE_INVALID
