"""Passwords hashed with Argon2id."""

from base64 import b64encode
from secrets import token_bytes

from argon2 import DEFAULT_HASH_LENGTH, DEFAULT_RANDOM_SALT_LENGTH, PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION, Type

from kapda.adapters.crypto.bounded_pool import BoundedPool
from kapda.domain.identity.password import Password
from kapda.domain.identity.ports import PasswordCheck

# The OWASP password storage cheat sheet's parameters for Argon2id: about 20 ms on one core.
MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
# Hashing frees the interpreter's lock, so each thread takes a whole core; and the allocator never gives a thread's 19 MiB
# back.
THREADS = 1
# So the thread stands back for whoever else wants one, the event loop before all: a flood of log-ins slows log-ins.
NICENESS = 10
# One thread does fifty hashes a second: the last of these waits about a second.
MAX_WAITING = 50


class Argon2PasswordHasher:
    """A PasswordHasher on threads of its own. Hashes carry their parameters, so older ones go on being checked."""

    def __init__(
        self,
        *,
        memory_kib: int = MEMORY_KIB,
        passes: int = PASSES,
        lanes: int = LANES,
        threads: int = THREADS,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._argon2 = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes, type=Type.ID)
        self._pool = BoundedPool("argon2", threads=threads, max_waiting=max_waiting, niceness=NICENESS)
        self._nobodys_hash = nobodys_hash(memory_kib=memory_kib, passes=passes, lanes=lanes)

    async def hash(self, password: Password) -> str:
        """A new hash in the PHC string format."""
        return await self._pool.run(lambda: self._argon2.hash(password.text))

    async def check(self, password: Password, password_hash: str | None) -> PasswordCheck:
        """Whether the hash is of this password; for None the same work and a no."""
        return await self._pool.run(lambda: self._check(password.text, password_hash))

    def close(self) -> None:
        """End the threads."""
        self._pool.close()

    def _check(self, text: str, password_hash: str | None) -> PasswordCheck:
        try:
            self._argon2.verify(password_hash or self._nobodys_hash, text)
        except (VerificationError, InvalidHashError):
            return PasswordCheck(is_right=False)
        if password_hash is None:
            return PasswordCheck(is_right=False)
        return PasswordCheck(is_right=True, needs_rehash=self._argon2.check_needs_rehash(password_hash))


def nobodys_hash(*, memory_kib: int, passes: int, lanes: int) -> str:
    """A hash whose password nobody knows; checking against it takes what checking a real one takes.

    It is drawn, not hashed: that would take 19 MiB of the thread that starts the process, which keeps them.
    """
    salt, digest = (
        b64encode(token_bytes(length)).decode().rstrip("=")
        for length in (DEFAULT_RANDOM_SALT_LENGTH, DEFAULT_HASH_LENGTH)
    )
    return f"$argon2id$v={ARGON2_VERSION}$m={memory_kib},t={passes},p={lanes}${salt}${digest}"
