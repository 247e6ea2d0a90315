"""Passwords hashed with Argon2id."""

from base64 import b64encode
from secrets import token_bytes

from argon2 import DEFAULT_HASH_LENGTH, DEFAULT_RANDOM_SALT_LENGTH, Parameters, PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION, Type, hash_secret_raw

from kapda.adapters.crypto.bounded_pool import BoundedPool
from kapda.domain.identity.password import Password
from kapda.domain.identity.password_ports import PasswordCheck

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
        """Whether the hash is of this password; for None, and for a hash that cost less, the same work."""
        return await self._pool.run(lambda: self._check(password.text, password_hash))

    def close(self) -> None:
        """End the threads."""
        self._pool.close()

    def _check(self, text: str, password_hash: str | None) -> PasswordCheck:
        kept = self._nobodys_hash if password_hash is None else password_hash
        try:
            self._argon2.verify(kept, text)
        except (VerificationError, InvalidHashError):
            is_right = False
        else:
            is_right = password_hash is not None
        is_outdated = self._make_up_for(kept)
        return PasswordCheck(is_right, needs_rehash=is_right and is_outdated)

    def _make_up_for(self, checked: str) -> bool:
        """Whether the hash is not one of today's. What it cost less is worked off: an account that nobody has signed in to
        since the parameters were raised would otherwise be answered sooner than an address without one."""
        try:
            if not self._argon2.check_needs_rehash(checked):
                return False
            theirs = extract_parameters(checked)
        except InvalidHashError:
            self._work(_units(self._argon2))
            return True
        self._work(_units(self._argon2) - _units(theirs))
        return True

    def _work(self, units: int) -> None:
        ours = self._argon2
        if units > 0:
            hash_secret_raw(
                b"",
                salt=bytes(ours.salt_len),
                time_cost=ours.time_cost,
                # The least that Argon2 takes is eight blocks a lane.
                memory_cost=max(units // ours.time_cost, 8 * ours.parallelism),
                parallelism=ours.parallelism,
                hash_len=ours.hash_len,
                type=Type.ID,
            )


def _units(parameters: PasswordHasher | Parameters) -> int:
    """What takes the time: every block of the memory is filled in every pass."""
    return parameters.memory_cost * parameters.time_cost


def nobodys_hash(*, memory_kib: int, passes: int, lanes: int) -> str:
    """A hash whose password nobody knows; checking against it takes what checking a real one takes.

    It is drawn, not hashed: that would take 19 MiB of the thread that starts the process, which keeps them.
    """
    salt, digest = (
        b64encode(token_bytes(length)).decode().rstrip("=")
        for length in (DEFAULT_RANDOM_SALT_LENGTH, DEFAULT_HASH_LENGTH)
    )
    return f"$argon2id$v={ARGON2_VERSION}$m={memory_kib},t={passes},p={lanes}${salt}${digest}"
