"""Where the C library keeps the memory that threads have given back."""

import ctypes
from typing import Final

# glibc's mallopt(3).
_M_ARENA_MAX: Final = -8


def share() -> bool:
    """Have all threads of this process take their memory from one arena; False where the C library has only one.

    glibc gives threads up to eight arenas a core, and each keeps what it once had: what a thread has freed no other one
    uses, and little of it goes back to the machine. Threads of ours hold Python's lock nearly always when they ask, so
    they do not wait for each other here. Call it before there are threads: an arena that is there stays.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_M_ARENA_MAX, 1) == 1
