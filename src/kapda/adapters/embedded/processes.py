"""Starting, watching and stopping child processes that must not outlive us."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from kapda.adapters.embedded import launch

Identity = Literal["same", "namespace", "nobody"]
"""Who the child runs as; see `launch`."""

START_TIMEOUT: Final = 60.0
"""Seconds a service may take to become ready; a recovery after a crash on a slow disk is the longest case."""

STOP_TIMEOUT: Final = 20.0
"""Seconds a service may take to stop before it is killed; PostgreSQL writes a checkpoint then."""

PORT_ATTEMPTS: Final = 10
"""A port found free can be taken by another process before the service binds it; then another one is tried."""

_FIRST_PORT: Final = 20_000
_PORTS: Final = 12_000
_POLL_SECONDS: Final = 0.01
_TAIL_BYTES: Final = 4000


class StartError(RuntimeError):
    """A process did not become ready. The message holds the end of its log."""


class PortTakenError(StartError):
    """Another process listens on the port."""


def launch_command(command: Sequence[str], *, death_signal: signal.Signals, identity: Identity = "same") -> list[str]:
    """Return what to run so that `command` runs as `identity` and gets `death_signal` when this process dies."""
    launcher = [sys.executable, "-I", "-S", str(Path(launch.__file__).resolve())]
    return [*launcher, str(os.getpid()), str(int(death_signal)), identity, *command]


def start(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    death_signal: signal.Signals,
    identity: Identity = "same",
    directory: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, its output appended to `log`.

    A session of its own keeps the terminal's Ctrl-C from it: who started it decides in which order things stop.
    Raises RuntimeError outside the main thread, because the child dies with the thread that started it.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("start processes from the main thread: they die with the thread that started them")
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603  # our own commands only
            launch_command(command, death_signal=death_signal, identity=identity),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=directory,
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals, timeout: float = STOP_TIMEOUT) -> bool:
    """Ask the process to stop, wait up to `timeout` seconds, then kill it; return whether it stopped by itself."""
    process.send_signal(stop_signal)
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        return False
    finally:  # also when a second Ctrl-C ends the waiting
        process.kill()
        process.wait()
    return True


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], *, timeout: float) -> bool:
    """Poll `ready` until it holds, the process has ended or `timeout` seconds are over; return whether it held."""
    deadline = time.monotonic() + timeout
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def free_port() -> int:
    """Return a loopback port that nobody listens on at this moment.

    It lies below the ports that systems give to outgoing connections (from 32768 up), so that none of those takes it
    before it is bound.
    """
    while True:
        port = _FIRST_PORT + secrets.randbelow(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def on_free_port(serve: Callable[[int], None]) -> int:
    """Call `serve` with a free port, again with another one while it raises PortTakenError; return the port it got."""
    for _ in range(PORT_ATTEMPTS - 1):
        port = free_port()
        try:
            serve(port)
        except PortTakenError:
            continue
        return port
    port = free_port()
    serve(port)
    return port


def tail(log: Path, offset: int = 0) -> str:
    """Return the end of a log file, at most 4,000 bytes and nothing before `offset`; empty when there is none."""
    if not log.exists():
        return ""
    with log.open("rb") as text:
        text.seek(max(offset, log.stat().st_size - _TAIL_BYTES))
        return text.read().decode(errors="replace").strip()


def size(log: Path) -> int:
    """Return the length of a log file in bytes, 0 when there is none."""
    return log.stat().st_size if log.exists() else 0
