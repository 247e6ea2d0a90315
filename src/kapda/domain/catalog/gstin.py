"""GSTIN: the fifteen characters under which an Indian business is registered for the goods and services tax."""

import re
from dataclasses import dataclass

from kapda.domain.shared.errors import InvalidArgumentError

# State, permanent account number, number of the registration under it, the letter Z, check character.
_SHAPE = re.compile(r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z[0-9A-Z]")
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LENGTH = 15
# 01 to 38 are the states and union territories, 97 is "other territory".
_STATE_CODES = frozenset(f"{code:02d}" for code in range(1, 39)) | {"97"}


@dataclass(frozen=True, slots=True)
class Gstin:
    """A registration number whose shape, state and check character hold. Only the tax office knows if it is in force.

    Raises InvalidArgumentError on the field `gstin` otherwise.
    """

    value: str

    def __post_init__(self) -> None:
        if not _SHAPE.fullmatch(self.value):
            raise InvalidArgumentError.for_field("gstin", "must be 15 characters such as 27AAPFU0939F1ZV")
        if self.state_code not in _STATE_CODES:
            raise InvalidArgumentError.for_field("gstin", f"{self.state_code} is not the code of a state")
        if self.value[-1] != _check_character(self.value[:-1]):
            raise InvalidArgumentError.for_field("gstin", "the check character does not fit the others")

    @classmethod
    def completing(cls, first_fourteen: str) -> "Gstin":
        """The number that begins with these fourteen characters."""
        if len(first_fourteen) != _LENGTH - 1 or not set(first_fourteen) <= set(_ALPHABET):
            raise InvalidArgumentError.for_field("gstin", "must begin with 14 capital letters and digits")
        return cls(first_fourteen + _check_character(first_fourteen))

    @property
    def state_code(self) -> str:
        """The supplier's state, as the two digits that the place of supply is compared with."""
        return self.value[:2]

    def __str__(self) -> str:
        return self.value


def _check_character(characters: str) -> str:
    """Base 36, weights 1 and 2 in turn, the digits of each product added (the Luhn scheme in another base)."""
    base = len(_ALPHABET)
    total = 0
    for place, character in enumerate(characters):
        product = _ALPHABET.index(character) * (1 + place % 2)
        total += product // base + product % base
    return _ALPHABET[-total % base]
