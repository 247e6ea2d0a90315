"""Several server processes on one port: started, kept up, and told to go together.

Python uses one core for each process, so a machine with more of them runs more servers. They are spawned, each a program
of its own: grpc must not be forked once it has started. The kernel deals connections out among those that listen on the
port (SO_REUSEPORT); this process listens on nothing and loads no grpc.
"""

import asyncio
import signal
import socket
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from kapda.adapters.embedded.processes import launch_command
from kapda.entrypoints import log
from kapda.entrypoints.cli.restarts import Restarts

# What a server's own drain may take at most: the grace for calls, once more for money phases, and the time to close.
DRAIN_SECONDS: Final = 45.0
# What a server is told by, whatever told us. A service manager may send its SIGTERM to every process of the service, and
# a second signal of one kind means to a server that somebody has lost patience.
_GO: Final = signal.SIGINT


class PortTakenError(Exception):
    """Somebody listens on the address, or it cannot be listened on."""


def check_port_is_free(host: str, port: int) -> None:
    """Raise PortTakenError unless `port` can be had. Servers that share a port would share it with a stranger too."""
    if port == 0:
        raise PortTakenError("several servers need a port with a number")
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    ):
        with socket.socket(family, kind, protocol) as probe:
            # Connections of an earlier server that have not timed out yet are nobody's; one that listens is in the way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                probe.bind(address)
            except OSError as error:
                raise PortTakenError(f"{host}:{port}: {error.strerror}") from error


class ServerProcesses:
    """`count` processes of `command`, from `run` on until SIGTERM or SIGINT, or until one cannot be kept up.

    Each runs in a session of its own, so that the terminal's Ctrl-C reaches it once, from here. When this process is
    killed, the kernel tells them to go (Linux only), once for each thread here that dies: so run it on uvloop, which
    waits for children without threads. `restarts` makes the back-off of one process.
    """

    def __init__(
        self,
        command: Sequence[str],
        count: int,
        *,
        drain_seconds: float = DRAIN_SECONDS,
        restarts: Callable[[], Restarts] = Restarts,
    ) -> None:
        self._command = command
        self._count = count
        self._drain_seconds = drain_seconds
        self._restarts = restarts
        self._leaving = asyncio.Event()
        self._given_up = False
        self._running: set[Process] = set()

    async def run(self) -> int:
        """Return when all have ended: 0 after a signal, 1 when one could not be kept up or had to be killed."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told)
        try:
            await asyncio.gather(*(self._keep_up(number + 1) for number in range(self._count)))
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
        return int(self._given_up)

    def _told(self) -> None:
        if not self._leaving.is_set():
            log.info("server processes are told to go")
            self._leaving.set()
            return
        log.warning("server processes are killed: told to go twice")
        for process in self._running:
            with suppress(ProcessLookupError):
                process.kill()

    async def _keep_up(self, number: int) -> None:
        restarts = self._restarts()
        while not self._leaving.is_set():
            process = await self._start(number)
            started = time.monotonic()
            if not await self._ends_by_itself(process):
                await self._see_off(process, number)
                return
            self._running.discard(process)
            pause = restarts.pause_after(time.monotonic() - started)
            log.warning("server process ended", server=number, pid=process.pid, code=process.returncode, pause=pause)
            if pause is None:
                log.error("server process cannot be kept up", server=number)
                self._given_up = True
                self._leaving.set()
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), pause)

    async def _start(self, number: int) -> Process:
        process = await asyncio.create_subprocess_exec(
            *launch_command(self._command, death_signal=signal.SIGTERM), stdin=DEVNULL, start_new_session=True
        )
        self._running.add(process)
        log.info("server process started", server=number, pid=process.pid)
        return process

    async def _ends_by_itself(self, process: Process) -> bool:
        """Wait until the process ends or all are told to go; whether it ended first."""
        ending = asyncio.create_task(process.wait())
        leaving = asyncio.create_task(self._leaving.wait())
        await asyncio.wait((ending, leaving), return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if ending.done():
            return True
        ending.cancel()
        return False

    async def _see_off(self, process: Process, number: int) -> None:
        """Tell the process to go and wait for its drain; kill one that takes too long."""
        with suppress(ProcessLookupError):
            process.send_signal(_GO)
        try:
            await asyncio.wait_for(process.wait(), self._drain_seconds)
        except TimeoutError:
            log.error("server process did not end and is killed", server=number, pid=process.pid)
            self._given_up = True
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        self._running.discard(process)
        log.info("server process ended", server=number, pid=process.pid, code=process.returncode)
