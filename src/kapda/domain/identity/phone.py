"""Telephone numbers."""

import re
from dataclasses import dataclass

from kapda.domain.shared.errors import InvalidArgumentError

_E164 = re.compile(r"\+[1-9][0-9]{7,14}")


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number in E.164 form, such as `+919876543210`. Whether its country gives out such numbers, PhoneNumbers knows.

    Raises InvalidArgumentError (VALIDATION_FAILED) on `phone`.
    """

    text: str

    def __post_init__(self) -> None:
        if _E164.fullmatch(self.text) is None:
            raise InvalidArgumentError.for_field("phone", "must be an E.164 number such as +919876543210")


def never_given_out(field: str = "phone") -> InvalidArgumentError:
    """The refusal of a well-formed number that no telephone can have."""
    return InvalidArgumentError.for_field(field, "is not a number that its country gives out")
