"""Runs a table of programs as child processes: all of them, or none."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from kapda.adapters.embedded import processes

_WATCH_SECONDS: Final = 0.2


class ProgramError(RuntimeError):
    """A program did not become ready, failed, or ended by itself. The message holds the end of its log."""


class Service(Protocol):
    """An embedded server that the programs use."""

    @property
    def pid(self) -> int | None:
        """The process id; None when the server does not run."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something to run to its end, with success, before the programs start."""

    name: str
    command: Sequence[str]


@dataclass(frozen=True, slots=True)
class Program:
    """Something that runs until it is stopped."""

    name: str
    command: Sequence[str]
    is_ready: Callable[[], bool]
    """Asked again and again from the start on; it answers within a second or so and raises nothing."""
    needs_tasks: bool = True
    """Whether it is started only after the tasks; one that is not gets ready while they run."""


@dataclass(slots=True)
class Supervisor(AbstractContextManager["Supervisor"]):
    """Runs tasks one after the other, and the programs; stops the programs in reverse order.

    Inside the `with` block every program has been ready; leaving it stops them all. When this process is killed, the
    kernel kills them (Linux only). Enter it in the main thread.
    """

    tasks: Sequence[Task]
    programs: Sequence[Program]
    environment: Mapping[str, str]
    logs: Path
    """Where each task and program runs and writes `<name>.log`. The logs of an earlier run are removed."""
    services: Mapping[str, Service] = field(default_factory=dict)
    """Watched, not started."""
    start_timeout: float = 60.0
    """Seconds a task may take, and a program to become ready."""
    stop_timeout: float = 20.0
    """Seconds a program may take to stop before it is killed."""
    durations: dict[str, float] = field(default_factory=dict)
    """Seconds each task took, and each program until it was seen to be ready."""
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _started_at: dict[str, float] = field(default_factory=dict)

    def __enter__(self) -> Self:
        """Start everything. Raises ProgramError; nothing runs then."""
        self.logs.mkdir(parents=True, exist_ok=True)
        for old in self.logs.glob("*.log"):
            old.unlink()
        try:
            for program in self.programs:
                if not program.needs_tasks:
                    self.start(program.name)
            for task in self.tasks:
                self._run(task)
            for program in self.programs:
                if program.needs_tasks:
                    self.start(program.name)
            for program in self.programs:
                self.wait_until_ready(program.name)
        except BaseException:
            self.stop_all()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop everything."""
        self.stop_all()

    @property
    def pids(self) -> Mapping[str, int]:
        """The process ids of the programs that were started and not stopped, by name."""
        return {name: process.pid for name, process in self._running.items()}

    def watch(self) -> None:
        """Return never: raise ProgramError as soon as a program or a service has ended by itself."""
        while True:
            self.check()
            time.sleep(_WATCH_SECONDS)

    def check(self) -> None:
        """Raise ProgramError when a program or a service has ended by itself."""
        for name, service in self.services.items():
            if service.pid is None:
                raise ProgramError(f"{name} ended by itself")
        for name, process in self._running.items():
            if process.poll() is not None:
                raise self._error(name, f"{name} ended by itself with code {process.returncode}")

    def start(self, name: str) -> None:
        """Start one program of the table, without waiting for it."""
        program = next(program for program in self.programs if program.name == name)
        self._running[name] = self._spawn(name, program.command)

    def wait_until_ready(self, name: str) -> None:
        """Wait for a program that was started. Raises ProgramError when it ends first or takes too long."""
        program = next(program for program in self.programs if program.name == name)
        process = self._running[name]
        if processes.wait_until(program.is_ready, process, timeout=self.start_timeout) and process.poll() is None:
            self._note_duration(name)
            return
        if process.poll() is not None:
            raise self._error(name, f"{name} ended with code {process.returncode} before it was ready")
        raise self._error(name, f"{name} was not ready after {self.start_timeout:.0f} s")

    def stop(self, name: str) -> None:
        """Stop one program with SIGTERM; kill it when it takes too long."""
        processes.stop(self._running.pop(name), signal.SIGTERM, self.stop_timeout)

    def kill(self, name: str) -> None:
        """Kill one program at once."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def stop_all(self) -> None:
        """Stop the programs in reverse order of starting; kill what is left when that is interrupted."""
        try:
            for name in reversed(list(self._running)):
                self.stop(name)
        finally:
            for name in list(self._running):
                self.kill(name)

    def _run(self, task: Task) -> None:
        process = self._running[task.name] = self._spawn(task.name, task.command)
        try:
            process.wait(self.start_timeout)
        except subprocess.TimeoutExpired:
            raise self._error(task.name, f"{task.name} took more than {self.start_timeout:.0f} s") from None
        if process.returncode != 0:
            raise self._error(task.name, f"{task.name} failed with code {process.returncode}")
        del self._running[task.name]
        self._note_duration(task.name)

    def _note_duration(self, name: str) -> None:
        self.durations[name] = time.monotonic() - self._started_at[name]

    def _spawn(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        self._started_at[name] = time.monotonic()
        return processes.start(
            command,
            log=self._log(name),
            environment=self.environment,
            death_signal=signal.SIGKILL,
            directory=self.logs,  # where no .env lies that would add to the environment
        )

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _error(self, name: str, what: str) -> ProgramError:
        return ProgramError(f"{what}; the end of {self._log(name)}:\n{processes.tail(self._log(name))}")
