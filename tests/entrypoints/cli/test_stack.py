"""The whole stack with stand-ins for kapda's own programs: what they are told, and what is left after a signal."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from kapda.entrypoints.cli import stack as stack_module
from kapda.entrypoints.cli.stack import reserved_addresses, running_stack
from tests.processes import runs, still_running

# Plays every kapda command: notes its environment and process id, then serves what its probe asks for.
STAND_IN = """
import json, os, sys, time
command, folder = sys.argv[2], sys.argv[1]
told = {k: v for k, v in os.environ.items() if k.startswith("KAPDA_")}
with open(f"{folder}/{command}.json", "w") as note:
    json.dump({"pid": os.getpid(), "arguments": sys.argv[3:], "told": told}, note)
if command == "seed":
    sys.exit(0)
if command == "serve":
    from concurrent.futures import ThreadPoolExecutor
    import grpc
    from grpc_health.v1 import health, health_pb2, health_pb2_grpc
    server = grpc.server(ThreadPoolExecutor(2))
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    assert server.add_insecure_port(told["KAPDA_GRPC_ADDRESS"])
    server.start()
    servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    server.wait_for_termination()
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path in ("/api/ready", "/emulator/health") else 404)
        self.end_headers()
    def log_message(self, *arguments): pass
host, port = told[f"KAPDA_{command.upper()}_ADDRESS"].split(":")
HTTPServer((host, int(port)), Handler).serve_forever()
"""
PROGRAMS = ("emulator", "serve", "webhooks", "worker")

PARENT = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from kapda.entrypoints.cli import stack
from tests.entrypoints.cli.test_stack import stand_ins
folder = Path(sys.argv[1])
stack._KAPDA = stand_ins(folder)
with stack.running_stack(folder, {}) as running:
    print(running.supervisor.services["postgresql"].pid, running.supervisor.services["valkey"].pid, flush=True)
    running.supervisor.watch()
"""


def stand_ins(folder: Path) -> tuple[str, ...]:
    return (sys.executable, "-c", STAND_IN, str(folder))


def note(folder: Path, command: str) -> Mapping[str, object]:
    content: dict[str, object] = json.loads((folder / f"{command}.json").read_text())
    return content


def told(folder: Path, command: str) -> Mapping[str, str]:
    environment = note(folder, command)["told"]
    assert isinstance(environment, dict)
    return environment


def test_every_process_is_told_the_same_and_is_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_module, "_KAPDA", stand_ins(tmp_path))
    monkeypatch.setenv("KAPDA_ENVIRONMENT", "production")
    with running_stack(tmp_path, {}) as stack:
        stack.supervisor.check()
        for command in ("seed", *PROGRAMS):
            assert told(tmp_path, command) == stack.environment

    assert list(stack.durations) == ["postgresql", "valkey", "seed", *PROGRAMS]
    assert all(seconds > 0 for seconds in stack.durations.values())
    variables = stack.environment
    assert variables["KAPDA_ENVIRONMENT"] == "development"
    assert variables["KAPDA_DATABASE_URL"].endswith("/kapda")
    assert note(tmp_path, "seed")["arguments"] == ["--migrate"]
    assert note(tmp_path, "emulator")["arguments"] == ["--address", variables["KAPDA_EMULATOR_ADDRESS"]]
    assert variables["KAPDA_RAZORPAY_BASE_URL"] == f"http://{variables['KAPDA_EMULATOR_ADDRESS']}"
    assert variables["KAPDA_EMULATOR_WEBHOOK_URL"] == (
        f"http://{variables['KAPDA_WEBHOOKS_ADDRESS']}/api/payments/webhook"
    )


def test_secrets_are_new_in_every_run_and_long_enough() -> None:
    first, second = stack_module._secrets(), stack_module._secrets()
    secret = (
        "RAZORPAY_KEY_SECRET",
        "RAZORPAY_WEBHOOK_SECRETS",
        "JWT_KEYS",
        "PAGE_TOKEN_KEY",
        "SIGNING_KEY",
        "LINK_KEY",
        "SEED_ADMIN_PASSWORD",
    )
    for name in (f"KAPDA_{name}" for name in secret):
        assert first[name] != second[name]
        assert len(first[name]) >= 32
        assert "," not in first[name]


def test_reserved_addresses_can_be_served_by_the_stack_and_taken_by_nobody_else() -> None:
    with reserved_addresses() as addresses:
        ports = [int(address.rpartition(":")[2]) for address in addresses.values()]
        assert len(set(ports)) == 4
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", ports[0]))
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("127.0.0.1", ports[0]))
            server.listen()


def test_development_keeps_its_secrets_but_not_the_emulators_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given: list[dict[str, str]] = []

    @contextmanager
    def no_stack(folder: Path, variables: dict[str, str]) -> Iterator[None]:
        given.append(variables)
        yield

    monkeypatch.setattr(stack_module, "running_stack", no_stack)
    monkeypatch.setenv("KAPDA_PAGE_TOKEN_KEY", "given by hand")
    for _ in range(2):
        with stack_module.development_stack():
            pass

    first, second = given
    assert first.pop("KAPDA_EMULATOR_SEED") != second.pop("KAPDA_EMULATOR_SEED")
    assert first == second
    assert first["KAPDA_PAGE_TOKEN_KEY"] == "given by hand"
    assert (tmp_path / ".run" / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_given_services_are_used_instead_of_own_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    monkeypatch.setattr(stack_module, "_KAPDA", stand_ins(tmp_path))
    given = {
        "KAPDA_DATABASE_URL": "postgresql://elsewhere/kapda",
        "KAPDA_REDIS_URL": redis_url,
        "KAPDA_RAZORPAY_BASE_URL": "https://razorpay.invalid",
    }
    with running_stack(tmp_path, given) as stack:
        assert not stack.supervisor.services
        assert [program.name for program in stack.supervisor.programs] == ["serve", "webhooks", "worker"]
        assert told(tmp_path, "serve").items() >= given.items()
    assert not (tmp_path / "postgresql").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)]
)
def test_no_signal_to_the_parent_leaves_a_process(tmp_path: Path, number: signal.Signals, code: int) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path), str(Path.cwd())]
    # With SIGINT ignored, as a shell does to a command in the background.
    with subprocess.Popen(
        ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh", *command], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        pids += [int(str(note(tmp_path, command)["pid"])) for command in PROGRAMS]
        assert len(pids) == 6
        assert all(runs(pid) for pid in pids)
        os.kill(parent.pid, number)
    assert parent.returncode in (code, -number)

    assert still_running(pids, within=20 if number == signal.SIGKILL else 0) == []
