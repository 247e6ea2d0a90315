"""Several servers on one port: kept up, told to go together, and never shared with a stranger."""

import asyncio
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2

from kapda.adapters.embedded.processes import free_port
from kapda.entrypoints.cli.restarts import (
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    MAX_SHORT_LIVES,
    WELL_SECONDS,
    Restarts,
)
from kapda.entrypoints.cli.server_processes import PortTakenError, ServerProcesses, check_port_is_free
from tests.processes import runs, still_running
from tests.waiting import until

KAPDA = (sys.executable, "-m", "kapda.entrypoints.cli.main")
SETTINGS = {
    "KAPDA_ENVIRONMENT": "test",
    # Nobody is there: what listens and what dies has nothing to do with the database.
    "KAPDA_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "KAPDA_REDIS_URL": "redis://127.0.0.1:1",
    "KAPDA_JWT_KEYS": f"k1:{secrets.token_urlsafe(32)}",
    "KAPDA_PAGE_TOKEN_KEY": secrets.token_urlsafe(32),
    "KAPDA_SIGNING_KEY": secrets.token_urlsafe(32),
    "KAPDA_LINK_KEY": secrets.token_urlsafe(32),
    "KAPDA_RAZORPAY_KEY_ID": "rzp_test_key",
    "KAPDA_RAZORPAY_KEY_SECRET": secrets.token_urlsafe(16),
    "KAPDA_RAZORPAY_WEBHOOK_SECRETS": secrets.token_urlsafe(16),
    "KAPDA_RAZORPAY_ACCOUNT_ID": "acc_Servers0000001",
}
CHECKOUT = "kapda.api.checkout.v1.CheckoutService"


class Servers:
    """`kapda serve`, running."""

    def __init__(self, log: Path, port: int, *options: str) -> None:
        self.port, self._log = port, log
        outer = {name: value for name, value in os.environ.items() if not name.startswith("KAPDA_")}
        environment = {**outer, **SETTINGS, "KAPDA_GRPC_ADDRESS": f"127.0.0.1:{port}"}
        with log.open("wb") as output:
            self.parent = subprocess.Popen(
                (*KAPDA, "serve", *options), env=environment, cwd=log.parent, stdout=output, stderr=output
            )

    def log(self) -> str:
        """What all of them have said so far."""
        return self._log.read_text()

    def pids(self) -> list[int]:
        """The servers' process ids."""
        pid = self.parent.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def listening(self) -> int:
        """How many servers have said that they listen."""
        return len(re.findall(r'"grpc server listens"', self.log()))

    def answers(self) -> bool:
        """Whether a call gets an answer."""
        with grpc.insecure_channel(
            f"127.0.0.1:{self.port}", options=[("grpc.use_local_subchannel_pool", 1)]
        ) as channel:
            check = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            answer = check(health_pb2.HealthCheckRequest(service=CHECKOUT), timeout=10, wait_for_ready=True)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait for it, for as long as a busy machine may need."""
        deadline = time.monotonic() + 60
        while not holds():
            assert self.parent.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)


@contextmanager
def serving(folder: Path, port: int, *options: str) -> Iterator[Servers]:
    """`kapda serve` with these options; nothing of it is left afterwards."""
    servers = Servers(folder / f"serve-{time.monotonic_ns()}.log", port, *options)
    try:
        yield servers
    finally:
        servers.parent.kill()
        servers.parent.wait()


def test_two_servers_share_the_port_and_leave_together(tmp_path: Path) -> None:
    with serving(tmp_path, free_port(), "--workers", "2") as servers:
        servers.wait_until(lambda: servers.listening() == 2)
        pids = servers.pids()
        assert len(pids) == 2
        assert servers.answers()

        servers.parent.send_signal(signal.SIGTERM)

        assert servers.parent.wait(30) == 0
        assert not any(runs(pid) for pid in pids)
        assert servers.log().count('"grpc server stopped"') == 2, servers.log()


def test_a_server_that_is_killed_is_replaced_while_the_other_serves(tmp_path: Path) -> None:
    with serving(tmp_path, free_port(), "--workers", "2") as servers:
        servers.wait_until(lambda: servers.listening() == 2)
        killed, other = servers.pids()

        os.kill(killed, signal.SIGKILL)
        assert servers.answers()

        servers.wait_until(lambda: servers.listening() == 3)
        assert other in servers.pids()
        assert killed not in servers.pids()
        servers.parent.send_signal(signal.SIGINT)
        assert servers.parent.wait(30) == 0


def test_servers_whose_parent_is_killed_go_too(tmp_path: Path) -> None:
    with serving(tmp_path, free_port(), "--workers", "2") as servers:
        servers.wait_until(lambda: servers.listening() == 2)
        pids = servers.pids()
        servers.parent.kill()
        assert not still_running(pids, within=30)
        assert servers.log().count('"grpc server stopped"') == 2, servers.log()


@pytest.mark.parametrize("option", [socket.SO_REUSEADDR, socket.SO_REUSEPORT])
def test_a_port_that_a_stranger_has_is_an_error(tmp_path: Path, option: int) -> None:
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, option, 1)
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        port = stranger.getsockname()[1]
        with serving(tmp_path, port, "--workers", "2") as servers:
            assert servers.parent.wait(30) == 2
            assert f"127.0.0.1:{port}: Address already in use" in servers.log()
            assert servers.listening() == 0


def test_a_port_that_is_only_kept_for_them_is_free() -> None:
    with socket.socket() as reservation:
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reservation.bind(("127.0.0.1", 0))
        check_port_is_free("127.0.0.1", reservation.getsockname()[1])


def test_several_servers_need_a_port_with_a_number() -> None:
    with pytest.raises(PortTakenError):
        check_port_is_free("127.0.0.1", 0)


def test_the_pauses_between_short_lives_double_and_end() -> None:
    restarts = Restarts()
    pauses = [restarts.pause_after(0.1) for _ in range(MAX_SHORT_LIVES)]
    assert pauses == [*(FIRST_PAUSE_SECONDS * 2**number for number in range(MAX_SHORT_LIVES - 1)), None]
    assert all(pause <= LONGEST_PAUSE_SECONDS for pause in pauses if pause is not None)


def test_a_life_that_was_well_forgets_the_short_ones_before_it() -> None:
    restarts = Restarts()
    for _ in range(MAX_SHORT_LIVES - 1):
        restarts.pause_after(1.0)
    assert restarts.pause_after(WELL_SECONDS) == 0.0
    assert restarts.pause_after(1.0) == FIRST_PAUSE_SECONDS


class Impatient(Restarts):
    """Gives up after the same number of lives, without the pauses."""

    def pause_after(self, seconds: float) -> float | None:
        """No pause."""
        return None if super().pause_after(seconds) is None else 0.0


def python(script: str, *arguments: object) -> list[str]:
    """A stand-in for a server."""
    return [sys.executable, "-I", "-S", "-c", script, *map(str, arguments)]


async def test_a_server_that_cannot_be_kept_up_ends_them_all_with_an_error(tmp_path: Path) -> None:
    # The first to start is well and leaves when it is told; every other one fails.
    script = """
import os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
try: (folder / "first").touch(exist_ok=False)
except FileExistsError: (folder / f"failed-{os.getpid()}").touch(); sys.exit(3)
signal.signal(signal.SIGINT, lambda *_: ((folder / "left").touch(), sys.exit(0)))
while True: time.sleep(60)
"""
    async with asyncio.timeout(30):
        assert await ServerProcesses(python(script, tmp_path), 2, restarts=Impatient).run() == 1
    assert sorted(name.partition("-")[0] for name in names_in(tmp_path)) == [
        *["failed"] * MAX_SHORT_LIVES,
        "first",
        "left",
    ]


async def test_a_server_that_does_not_end_is_killed_and_told_of(tmp_path: Path) -> None:
    deaf = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
(pathlib.Path(sys.argv[1]) / str(os.getpid())).touch()
while True: time.sleep(60)
"""
    running = asyncio.create_task(ServerProcesses(python(deaf, tmp_path), 1, drain_seconds=0.1).run())
    await until(lambda: bool(names_in(tmp_path)))
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(30):
        assert await running == 1
    assert not runs(int(names_in(tmp_path)[0]))


async def test_a_second_signal_kills_at_once(tmp_path: Path) -> None:
    slow = """
import os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
signal.signal(signal.SIGINT, lambda *_: (folder / "told").touch())
(folder / "ready").touch()
while True: time.sleep(60)
"""
    running = asyncio.create_task(ServerProcesses(python(slow, tmp_path), 1).run())
    await until(lambda: "ready" in names_in(tmp_path))
    os.kill(os.getpid(), signal.SIGTERM)
    await until(lambda: "told" in names_in(tmp_path))
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(30):
        await running


def names_in(folder: Path) -> list[str]:
    """What the stand-ins have left there."""
    return sorted(file.name for file in folder.iterdir())
