"""`kapda dev` as a developer meets it: the printed lines are pasted into a shell, and Ctrl-C leaves nothing behind."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kapda.entrypoints.cli.account import Account
from kapda.entrypoints.cli.dev_lines import Introduction
from kapda.entrypoints.cli.stack import reserved_addresses
from kapda.entrypoints.cli.wire import Wire
from tests.processes import processes_of, still_running

GRPCURL = Path(__file__).with_name("grpcurl.py")
LAST_LINE = "Ctrl-C stops everything."


@contextmanager
def development(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """`kapda dev` on free ports with its data in `folder`, and what it printed until it was ready."""
    with (
        reserved_addresses() as addresses,
        subprocess.Popen(
            [sys.executable, "-m", "kapda.entrypoints.cli.main", "dev"],
            cwd=folder,
            env={**os.environ, **addresses},
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        printed: list[str] = []
        try:
            for line in process.stdout:
                printed.append(line)
                if LAST_LINE in line:
                    break
            yield process, "".join(printed)
        finally:
            process.kill()


def pasted(lines: str, folder: Path) -> str:
    """What a shell prints that the lines were pasted into, where grpcurl is a stand-in; every line must succeed."""
    programs = folder / "bin"
    programs.mkdir()
    grpcurl = programs / "grpcurl"
    grpcurl.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(GRPCURL))} "$@"\n')
    grpcurl.chmod(0o755)
    ran = subprocess.run(
        ["/bin/sh", "-eu"],
        input=lines,
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.timeout(180)
def test_printed_lines_buy_something_and_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    with development(tmp_path) as (process, printed):
        assert LAST_LINE in printed
        first_comment = printed.index("# what is served")
        shown = pasted(printed[first_comment:], tmp_path)
        pids = [process.pid, *processes_of(tmp_path)]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0

    assert len(pids) > 6
    assert still_running(pids, within=0) == []
    for service in ("cart", "catalog", "checkout", "identity", "orders", "ops"):
        assert f"\nkapda.api.{service}.v1." in shown or shown.startswith(f"kapda.api.{service}.v1.")
    assert '"state": "STATE_OPEN"' in shown  # the checkout
    assert '"razorpay_signature":' in shown  # what the browser brings back
    assert '"state": "STATE_PLACED"' in shown  # the order
    assert '"reason": "one came torn"' in shown  # the refund, by a signed request
    assert shown.count('"verdict": "VERDICT_HOLDS"') >= 6
    books = json.loads(shown[shown.rindex('{"orders"') :])
    assert books["totals"]["captured"] == books["payments"][0]["amount"] > 0


def test_without_emulator_admin_or_catalogue_the_lines_say_so() -> None:
    customer = Account(Wire.__new__(Wire), "Demo Customer", "demo@example.com", 'it\'s a "secret"', "token")
    text = Introduction("127.0.0.1:1", "", customer, None, None).text()

    assert "nothing in stock" in text
    assert "no admin" in text
    assert "emulator" not in text
    log_in = next(line for line in text.splitlines() if "LogIn" in line)
    words = shlex.split(log_in.removeprefix("TOKEN=$(").partition(" | ")[0])
    assert json.loads(words[words.index("-d") + 1])["password"] == customer.password
