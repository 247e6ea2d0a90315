"""Ids as Razorpay makes them, the same ones again for the same seed."""

import random
import string

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 14


class Ids:
    """Every random value of one emulator, drawn from one generator."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable ids are the purpose; nothing secret is drawn here

    def entity(self, prefix: str) -> str:
        """Returns `prefix_` and 14 case-sensitive alphanumerics."""
        return f"{prefix}_{self.event()}"

    def event(self) -> str:
        """Returns 14 case-sensitive alphanumerics, the form of an event id."""
        return "".join(self._random.choices(_ALPHABET, k=_LENGTH))

    def digits(self, length: int) -> str:
        """Returns a bank's reference number of that many digits."""
        return "".join(self._random.choices(string.digits, k=length))
