"""Etags: a version that clients hand back, to say which state of a thing they saw."""

from kapda.domain.shared.errors import InvalidArgumentError

# A version is a 64-bit counter; more digits than it can ever have would not fit the column.
_VERSION_DIGITS = 18


def etag_of(version: int) -> str:
    """The etag of a version."""
    return f"v{version}"


def version_of(etag: str) -> int:
    """The version that an etag names. Raises InvalidArgumentError (VALIDATION_FAILED) for what is no etag."""
    digits = etag[1:]
    if not (etag.startswith("v") and digits.isascii() and digits.isdecimal() and len(digits) <= _VERSION_DIGITS):
        raise InvalidArgumentError.for_field("etag", "is not an etag")
    return int(digits)
