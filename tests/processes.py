"""Looks at processes that tests started and killed (Linux)."""

import os
import time
from collections.abc import Iterable
from pathlib import Path


def runs(pid: int) -> bool:
    """Return whether the process runs; one that has ended and was not waited for does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def still_running(pids: Iterable[int], *, within: float) -> list[int]:
    """Wait up to `within` seconds for all to end; return those that did not."""
    deadline = time.monotonic() + within
    while (left := [pid for pid in pids if runs(pid)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def children_of(parent: int) -> list[int]:
    """Return the processes that `parent` has started and that run."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            # After the name in brackets, which may hold anything: the state, then the parent.
            told = (process / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(told[1]) == parent and told[0] != "Z":
            found.append(int(process.name))
    return found


def processes_of(folder: Path) -> list[int]:
    """Return the processes that work in `folder` or below, or were told of it on their command line."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            works_there = (process / "cwd").readlink().is_relative_to(folder)
            if works_there or os.fsencode(folder) in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found
