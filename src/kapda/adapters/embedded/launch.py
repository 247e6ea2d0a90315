"""Becomes another program, as the user it needs and bound to the life of the process that asked for it.

Run as a script, never imported by its users: `python -I -S launch.py PARENT SIGNAL IDENTITY PROGRAM [ARGUMENT ...]`.
It is a program of its own because `preexec_fn` can deadlock in a parent that has threads, and because the kernel
forgets the parent-death signal when the user changes: it has to be set after that and before exec. It costs some 15 ms.

Identities: `same` keeps the user. PostgreSQL refuses to run as root, so root has two more:

- `namespace`: a user namespace in which root is called nobody. Files stay root's, whatever folder they lie in.
  Containers often forbid it.
- `nobody`: the user nobody, who keeps only the right to pass file permissions, because a checkout or temporary folder
  of root's is usually closed to others. The data folder must belong to nobody.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

NOBODY = 65534

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522
_CLONE_NEWUSER = 0x10000000


def _checked(name: str, *arguments: object) -> None:
    """Call a function of the C library and raise OSError with its errno when it fails."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _enter_namespace() -> None:
    uid, gid = os.geteuid(), os.getegid()
    _checked("unshare", _CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {uid} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {gid} 1", encoding="ascii")


def _become_nobody() -> None:
    _checked("prctl", _PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    kept = 1 << _CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(kept, kept, kept, 0, 0, 0)  # effective, permitted, inheritable; low words, then high
    _checked("capset", header, sets)
    _checked("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def _die_with(parent: int, death_signal: int) -> None:
    """Have the kernel send `death_signal` when the starting thread of `parent` ends. macOS has no such thing."""
    if sys.platform != "linux":
        return
    _checked("prctl", _PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel was told
        sys.exit(128 + signal.SIGKILL)


def main(arguments: list[str]) -> None:
    """Take on the identity, bind to the parent, become the program. Does not return."""
    parent, death_signal, identity, *command = arguments
    if identity == "namespace":
        _enter_namespace()
    elif identity == "nobody":
        _become_nobody()
    _die_with(int(parent), int(death_signal))
    os.execv(command[0], command)  # noqa: S606  # no shell is wanted, and the path comes from our own installation


if __name__ == "__main__":
    main(sys.argv[1:])
