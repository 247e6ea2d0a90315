"""A digest of a request's fields, to tell a retry from a different request under the same id."""

from hashlib import sha256


def fingerprint(*fields: object) -> bytes:
    """SHA-256 over the fields' types and texts, each with its length so that neighbours cannot run together.

    Fields are values with a stable text: str, int, UUID, Money, None, or tuples and frozen dataclasses of them.
    """
    digest = sha256()
    for field in fields:
        text = f"{type(field).__name__}:{field!r}".encode()
        digest.update(len(text).to_bytes(8, "big"))
        digest.update(text)
    return digest.digest()
