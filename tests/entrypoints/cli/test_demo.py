"""The demo is the purchase from end to end: server, shim, worker, emulator, PostgreSQL and Valkey, over the real wire."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from kapda.adapters.embedded.processes import free_port
from kapda.entrypoints.cli.demo import run as run_module
from kapda.entrypoints.cli.demo.story import Story, duration, rupees
from kapda.entrypoints.cli.stack import Stack
from kapda.entrypoints.cli.supervisor import ProgramError, Supervisor
from tests.processes import processes_of

HELD = (
    "PlaceOrder: order K",
    "the order is placed, for exactly what was paid",
    "Razorpay's signed webhooks came as well: payment.authorized, payment.captured, order.paid",
    "the mail arrives: “Your order K",
    "Message-ID <",
    "Dear Meera Nair, We have your payment, and your order K",
    "one mail tells of the order",
    "3 replays were answered with 2xx",
    "nothing changed",
    "both answer the same order",
    "one of them says idempotent-replayed: true",
    "the webhook alone placed the order",
    "10 have their piece held",
    "90 are told why not",
    "0 on hand, 0 held, 0 to sell: sold out, not oversold",
    "the very next call is refused: SESSION_REVOKED",
    "the sweep alone placed the order",
    "the money goes back by itself, once, all of it",
    "and kapda knows it",
    "captured = orders + refunds + open cases, to the paisa",
    "7 of 7 promises that are built hold",
    "Everything held",
)


@pytest.mark.timeout(180)
def test_the_demo_holds_and_leaves_nothing_behind(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "kapda.entrypoints.cli.main", "demo"],
        cwd=tmp_path,
        # A variable of the caller's own must not reach the stack.
        env={**os.environ, "TMPDIR": str(tmp_path), "KAPDA_ENVIRONMENT": "production"},
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert [line for line in HELD if line not in ran.stdout] == []
    assert "✗" not in ran.stdout
    assert "\x1b" not in ran.stdout
    assert max(map(len, ran.stdout.splitlines())) <= 120
    acts = re.findall(r"^(\d)\. ", ran.stdout, re.MULTILINE)
    assert acts == [str(number) for number in range(1, 10)]
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_stack_that_does_not_start_fails_the_demo(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> AbstractContextManager[Stack]:
        raise ProgramError("seed failed with code 3; the end of its log:\nno such table")

    monkeypatch.setattr(run_module, "demo_stack", broken)

    assert run_module.run_demo() == 1
    printed = capsys.readouterr().out
    assert "no such table" in printed
    assert printed.rstrip().endswith("✗ seed failed with code 3; the end of its log:")


def test_a_server_that_is_gone_fails_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "seed.log").write_text('{"users":2,"products":3000}\n')
    (tmp_path / "serve.log").write_text('{"event":"fine","level":"info"}\n{"event":"out of memory","level":"error"}\n')
    told = {
        "KAPDA_GRPC_ADDRESS": f"127.0.0.1:{free_port()}",
        "KAPDA_WORKER_ADDRESS": "127.0.0.1:1",
        "KAPDA_DATABASE_URL": "postgresql://somewhere",
        "KAPDA_REDIS_URL": "redis://somewhere",
        "KAPDA_RAZORPAY_BASE_URL": "http://127.0.0.1:1",
        "KAPDA_EMULATOR_WEBHOOK_URL": "http://127.0.0.1:1",
        "KAPDA_SEED_ADMIN_PASSWORD": "any",
    }

    @contextmanager
    def empty() -> Iterator[Stack]:
        yield Stack(Supervisor((), (), {}, tmp_path), told, {"seed": 0.25})

    monkeypatch.setattr(run_module, "demo_stack", empty)

    assert run_module.run_demo() == 1
    printed = capsys.readouterr().out
    assert "migrated; 2 users, 3,000 products" in printed
    assert "UNAVAILABLE" in printed
    assert "out of memory" in printed
    assert "fine" not in printed


def test_one_expectation_that_fails_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    story = Story()
    story.expect(True, "water is wet")
    assert story.end(1.0) == 0
    story.expect(False, "10 [pieces] are held")
    assert story.end(1.0) == 1
    assert "✗ not so: 10 [pieces] are held" in capsys.readouterr().out


def test_amounts_are_grouped_as_in_india() -> None:
    amounts = (5, 99_900, 1_00_000, 1_23_456_78, 12_34_56_789_01, -2_500_00)
    assert [rupees(amount) for amount in amounts] == [
        "₹0.05",
        "₹999.00",
        "₹1,000.00",
        "₹1,23,456.78",
        "₹12,34,56,789.01",
        "-₹2,500.00",
    ]


def test_times_read_well() -> None:
    assert [duration(seconds) for seconds in (0.0004, 0.25, 1.26, 75.0)] == ["0 ms", "250 ms", "1.3 s", "75.0 s"]
