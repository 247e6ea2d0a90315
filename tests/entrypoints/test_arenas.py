"""Threads share one arena of the C library, in the process that asks for it."""

import subprocess
import sys

# Sixteen threads that each ask for memory while the others hold theirs; then the C library's own report.
_PROGRAM = """
import ctypes, sys, threading
from kapda.entrypoints import arenas
if sys.argv[1] == "shared":
    assert arenas.share()
libc, gate = ctypes.CDLL(None), threading.Barrier(17)
libc.malloc.restype = ctypes.c_void_p
def work():
    libc.malloc(10_000)
    gate.wait()
threads = [threading.Thread(target=work) for _ in range(16)]
[thread.start() for thread in threads]
gate.wait()
libc.fdopen.restype = ctypes.c_void_p
out = libc.fdopen(1, b"w")
libc.malloc_info(0, ctypes.c_void_p(out))
libc.fflush(ctypes.c_void_p(out))
[thread.join() for thread in threads]
"""


def _arenas(mode: str) -> int:
    ran = subprocess.run([sys.executable, "-c", _PROGRAM, mode], capture_output=True, text=True, check=True)
    return ran.stdout.count("<heap nr=")


def test_threads_that_share_have_one_arena() -> None:
    assert _arenas("as usual") > 1
    assert _arenas("shared") == 1
