"""What processes use, read from /proc (Linux): CPU time and memory."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from redis import Redis

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_MIB: Final = 1024


def cpu_seconds(pid: int) -> float:
    """What the process and all its children have burnt so far, those that ended included."""
    total = sum(int(ticks) for ticks in _stat(pid)[11:15])
    return total / _TICKS + sum(sum(int(ticks) for ticks in _stat(child)[11:13]) for child in _children(pid)) / _TICKS


def memory_mib(pid: int) -> float:
    """The resident memory of a process; of one with children the proportional one of all: they share much of it."""
    children = _children(pid)
    if not children:
        return _field(Path(f"/proc/{pid}/status"), "VmRSS") / _MIB
    return sum(_field(Path(f"/proc/{one}/smaps_rollup"), "Pss") for one in (pid, *children)) / _MIB


def own_memory_mib(pid: int) -> float:
    """What a process and its children keep of their own: neither files, nor the buffers that PostgreSQL's processes share,
    which fill until they are full."""
    rollups = (Path(f"/proc/{one}/smaps_rollup") for one in (pid, *_children(pid)))
    return sum(_field(rollup, "Pss_Anon") for rollup in rollups) / _MIB


def peak_memory_mib(pid: int) -> float:
    """The most that was ever resident; of a process with children the most of any one of them."""
    return max(_field(Path(f"/proc/{one}/status"), "VmHWM") for one in (pid, *_children(pid))) / _MIB


class CpuMeter:
    """What processes burn between the first and the second `__call__`."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._readings: list[dict[str, float]] = []

    def __call__(self) -> None:
        """Read the meters."""
        self._readings.append({name: cpu_seconds(pid) for name, pid in self._pids.items()})

    def burnt(self) -> dict[str, float]:
        """CPU seconds by name."""
        first, last = self._readings[0], self._readings[-1]
        return {name: last[name] - first[name] for name in first}


class ReadMeter:
    """How often Valkey is asked between the first and the second `__call__`: the times it read from a connection, so a
    pipeline or a script counts as the one round trip that it is."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, single_connection_client=True)
        self._redis.ping()
        self._readings: list[int] = []

    def __call__(self) -> None:
        """Read the meter."""
        self._readings.append(int(self._redis.info("stats")["total_reads_processed"]))

    def reads(self) -> int:
        """Those of others. The meter is of no use afterwards."""
        self._redis.close()
        # The second reading was read as well.
        return self._readings[-1] - self._readings[0] - 1


def _stat(pid: int) -> list[str]:
    """The fields after the command's name, which may hold anything. Nothing for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except FileNotFoundError:
        return []


def _field(file: Path, name: str) -> int:
    try:
        lines = file.read_text(encoding="ascii", errors="replace").splitlines()
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
