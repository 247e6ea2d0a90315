"""A table of programs: all ready or none left, whatever ends it. Small stand-in programs play kapda's."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from kapda.entrypoints.cli.supervisor import Program, ProgramError, Supervisor, Task
from tests.processes import runs, still_running

# Writes its process id to a file once it is ready, and a line to a shared journal when it was asked to stop.
POLITE = """
import os, signal, sys, time
name, folder = sys.argv[1], sys.argv[2]
def leave(number, frame):
    with open(f"{folder}/journal", "a") as journal: journal.write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
with open(f"{folder}/{name}.new", "w") as ready: ready.write(str(os.getpid()))
os.rename(f"{folder}/{name}.new", f"{folder}/{name}.pid")
while True: time.sleep(60)
"""
DEAF = POLITE.replace("signal.signal(signal.SIGTERM, leave)", "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
BROKEN = "import sys; print('no such table: products'); sys.exit(3)"


def python(script: str, *arguments: object) -> list[str]:
    return [sys.executable, "-I", "-c", script, *map(str, arguments)]


def program(folder: Path, name: str, script: str = POLITE) -> Program:
    return Program(name, python(script, name, folder), partial(_has_started, folder, name))


def _has_started(folder: Path, name: str) -> bool:
    return (folder / f"{name}.pid").exists()


def supervisor(
    folder: Path, *programs: Program, tasks: tuple[Task, ...] = (), start_timeout: float = 20, stop_timeout: float = 20
) -> Supervisor:
    return Supervisor(tasks, programs, dict(os.environ), folder, start_timeout=start_timeout, stop_timeout=stop_timeout)


def pid_of(folder: Path, name: str) -> int:
    return int((folder / f"{name}.pid").read_text())


def test_programs_are_ready_inside_and_stopped_in_reverse_order_afterwards(tmp_path: Path) -> None:
    names = ("emulator", "serve", "worker")
    with supervisor(tmp_path, *(program(tmp_path, name) for name in names)) as running:
        running.check()
        assert all(runs(pid_of(tmp_path, name)) for name in names)

    assert (tmp_path / "journal").read_text().split() == ["worker", "serve", "emulator"]
    assert not any(runs(pid_of(tmp_path, name)) for name in names)


def test_a_program_that_needs_no_task_starts_before_them_and_stops_last(tmp_path: Path) -> None:
    early = replace(program(tmp_path, "emulator"), needs_tasks=False)
    # The task ends well only when the program is up.
    waits = (
        f"import pathlib, time\nwhile not pathlib.Path({str(tmp_path / 'emulator.pid')!r}).exists(): time.sleep(0.01)"
    )
    task = Task("seed", python(waits))
    with supervisor(tmp_path, early, program(tmp_path, "serve"), tasks=(task,)) as running:
        assert list(running.durations) == ["seed", "emulator", "serve"]
        assert all(0 < seconds < 20 for seconds in running.durations.values())

    assert (tmp_path / "journal").read_text().split() == ["serve", "emulator"]


def test_tasks_end_before_a_program_starts(tmp_path: Path) -> None:
    wait_and_write = "import sys, time; time.sleep(0.3); open(sys.argv[1], 'w')"
    task = Task("migrate", python(wait_and_write, tmp_path / "migrated"))
    refuse_unless_migrated = f"assert __import__('os').path.exists({str(tmp_path / 'migrated')!r})\n{POLITE}"
    with supervisor(tmp_path, program(tmp_path, "serve", refuse_unless_migrated), tasks=(task,)) as running:
        running.check()


def test_a_failed_task_shows_its_output_and_starts_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(ProgramError, match=r"(?s)migrate failed with code 3.*no such table: products"),
        supervisor(tmp_path, program(tmp_path, "serve"), tasks=(Task("migrate", python(BROKEN)),)),
    ):
        pytest.fail("entered")
    assert not (tmp_path / "serve.log").exists()


def test_a_task_that_hangs_is_given_up(tmp_path: Path) -> None:
    with (
        pytest.raises(ProgramError, match="seed took more than 0 s"),
        supervisor(tmp_path, tasks=(Task("seed", python("import time; time.sleep(60)")),), start_timeout=0.2),
    ):
        pytest.fail("entered")


def test_a_program_that_ends_before_it_is_ready_shows_its_output_and_takes_the_others_along(tmp_path: Path) -> None:
    with (
        pytest.raises(ProgramError, match=r"(?s)serve ended with code 3 before it was ready.*no such table: products"),
        supervisor(tmp_path, program(tmp_path, "emulator"), program(tmp_path, "serve", BROKEN)),
    ):
        pytest.fail("entered")
    assert not runs(pid_of(tmp_path, "emulator"))


def test_a_program_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    never = Program("serve", python("import time; time.sleep(60)"), lambda: False)
    with (
        pytest.raises(ProgramError, match="serve was not ready after 0 s"),
        supervisor(tmp_path, never, start_timeout=0.2),
    ):
        pytest.fail("entered")


def test_a_program_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    with supervisor(tmp_path, program(tmp_path, "worker", DEAF), stop_timeout=0.2):
        pass
    assert not runs(pid_of(tmp_path, "worker"))


def test_a_crash_of_one_is_noticed_and_stops_the_others(tmp_path: Path) -> None:
    with supervisor(tmp_path, program(tmp_path, "serve"), program(tmp_path, "worker")) as running:
        os.kill(pid_of(tmp_path, "serve"), signal.SIGKILL)
        with pytest.raises(ProgramError, match="serve ended by itself with code -9"):
            running.watch()
    assert not runs(pid_of(tmp_path, "worker"))


def test_one_can_be_killed_on_purpose_and_started_again(tmp_path: Path) -> None:
    with supervisor(tmp_path, program(tmp_path, "worker")) as running:
        first = pid_of(tmp_path, "worker")
        running.kill("worker")
        running.check()
        (tmp_path / "worker.pid").unlink()
        running.start("worker")
        running.wait_until_ready("worker")
        assert pid_of(tmp_path, "worker") != first
    assert (tmp_path / "journal").read_text().split() == ["worker"]


def test_a_service_that_died_is_noticed(tmp_path: Path) -> None:
    class Dead:
        pid: int | None = None

    with supervisor(tmp_path) as running:
        running.services = {"postgresql": Dead()}
        with pytest.raises(ProgramError, match="postgresql ended by itself"):
            running.watch()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_killed_parent_leaves_no_process(tmp_path: Path) -> None:
    script = f"""
import sys
sys.path.insert(0, {str(Path.cwd())!r})
from pathlib import Path
from tests.entrypoints.cli.test_supervisor import program, supervisor, DEAF
folder = Path({str(tmp_path)!r})
with supervisor(folder, program(folder, "serve"), program(folder, "worker", DEAF)) as running:
    print("ready", flush=True)
    running.watch()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        parent.kill()

    assert still_running([pid_of(tmp_path, "serve"), pid_of(tmp_path, "worker")], within=10) == []
