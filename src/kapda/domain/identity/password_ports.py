"""What passwords need from outside."""

from dataclasses import dataclass
from typing import Protocol

from kapda.domain.identity.password import Password


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """Whether a password was right, and whether its hash should be made anew with today's parameters."""

    is_right: bool
    needs_rehash: bool = False


class PasswordHasher(Protocol):
    """A slow, salted hash, worked out beside the event loop.

    Both raise UnavailableError (OVERLOADED) at once when too many callers wait already.
    """

    async def hash(self, password: Password) -> str:
        """A new hash, with its salt and parameters in it."""
        ...

    async def check(self, password: Password, password_hash: str | None) -> PasswordCheck:
        """Whether the hash is of this password. A hash of an unknown format is never right.

        For None, which stands for an account that does not exist, the same work is done and the answer is no. A hash of
        a time when hashes cost less takes as much as one of today's.
        """
        ...


class PasswordStrength(Protocol):
    """Knows what people choose."""

    async def is_common(self, password: Password, about_user: tuple[str, ...]) -> bool:
        """Whether guessing finds it soon, by lists and patterns or from the texts about the user (address, name).

        Raises UnavailableError (OVERLOADED) at once when too many callers wait already.
        """
        ...
