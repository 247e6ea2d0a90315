"""The ceiling of log-ins: how many passwords the library alone checks a second, with kapda's parameters and nothing else."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.low_level import Type

from kapda.adapters.crypto.argon2_hasher import LANES, MEMORY_KIB, PASSES


def checks_per_second(seconds: float, threads: int | None = None) -> float:
    """Check passwords for so long, with a thread on each core unless told otherwise."""
    threads = threads or os.cpu_count() or 1
    argon2 = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, type=Type.ID)
    password = "a password like any other"  # noqa: S105  # pragma: allowlist secret
    kept = argon2.hash(password)
    started = time.perf_counter()

    def check() -> int:
        done = 0
        while time.perf_counter() - started < seconds:
            argon2.verify(kept, password)
            done += 1
        return done

    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(lambda _: check(), range(threads)))
    # Until the last of them had ended: each may be one check late.
    return done / (time.perf_counter() - started)
