"""The keys that sign access tokens, and the ones that did until lately."""

import re
from dataclasses import dataclass, field

# RFC 7518 §3.2: an HS256 key has at least as many bits as the hash.
MIN_KEY_BYTES = 32
_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A secret and the public name that tokens call it by. Raises ValueError for a short secret or an odd name."""

    id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if _KEY_ID.fullmatch(self.id) is None:
            raise ValueError("the id of a signing key is 1 to 64 letters, digits, dots, dashes or underscores")
        if len(self.secret) < MIN_KEY_BYTES:
            raise ValueError(f"the signing key {self.id} is shorter than {MIN_KEY_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class KeyRing:
    """One key signs; it and the others verify.

    To rotate without logging anybody out: give every process the new key among the `others`, then make it the one that
    signs and the old one one of the `others`, and drop the old one when the last token it signed has expired. Raises
    ValueError when two keys share an id.
    """

    signing: SigningKey
    others: tuple[SigningKey, ...] = ()

    def __post_init__(self) -> None:
        ids = [key.id for key in (self.signing, *self.others)]
        if len(set(ids)) != len(ids):
            raise ValueError("two signing keys have the same id")

    def find(self, key_id: str) -> SigningKey | None:
        """The key of that id, or None."""
        return next((key for key in (self.signing, *self.others) if key.id == key_id), None)
