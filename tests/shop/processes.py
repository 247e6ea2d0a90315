"""What can happen to the stack's processes: they are paused, told to go, killed, and started again."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from kapda.adapters.embedded.postgres import EmbeddedPostgres
from kapda.adapters.embedded.valkey import EmbeddedValkey
from kapda.entrypoints.cli.stack import Stack
from tests.processes import children_of


def pid_of(stack: Stack, name: str) -> int:
    """The process id of one of the programs."""
    return stack.supervisor._running[name].pid


@contextmanager
def paused(stack: Stack, name: str) -> Iterator[None]:
    """The program hangs: its sockets stay open, and nobody answers."""
    os.kill(pid_of(stack, name), signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid_of(stack, name), signal.SIGCONT)


def restart(stack: Stack, name: str) -> None:
    """Start a program that has been killed or has ended, and wait until it is ready."""
    stack.supervisor.start(name)
    stack.supervisor.wait_until_ready(name)


def revive(stack: Stack) -> None:
    """Start again whatever has ended."""
    running = stack.supervisor._running
    for program in stack.supervisor.programs:
        process = running.get(program.name)
        if process is None or process.poll() is not None:
            restart(stack, program.name)


def kill(stack: Stack, name: str) -> None:
    """SIGKILL: nothing is finished, nothing is said."""
    stack.supervisor.kill(name)


async def end_of(stack: Stack, name: str, *, within: float = 20.0) -> int:
    """Wait until a program that was told to go has gone; its exit code."""
    process = stack.supervisor._running[name]
    code = await asyncio.to_thread(process.wait, within)
    del stack.supervisor._running[name]
    return code


@contextmanager
def without_valkey(stack: Stack) -> Iterator[None]:
    """Redis is gone, and everything it knew with it."""
    valkey = stack.supervisor.services["valkey"]
    assert isinstance(valkey, EmbeddedValkey)
    valkey.kill()
    try:
        yield
    finally:
        valkey.start()


@contextmanager
def frozen_postgres(stack: Stack) -> Iterator[None]:
    """The database hangs, all of its processes: connections stay open, new ones are taken in, and nobody answers."""
    postgres = stack.supervisor.services["postgresql"]
    assert isinstance(postgres, EmbeddedPostgres)
    assert postgres.pid is not None
    # The one that starts the others first, or it would start more of them.
    os.kill(postgres.pid, signal.SIGSTOP)
    children = children_of(postgres.pid)
    for child in children:
        os.kill(child, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in (*children, postgres.pid):
            os.kill(process, signal.SIGCONT)


def kill_postgres(stack: Stack) -> None:
    """A power cut for the database, and its recovery."""
    postgres = stack.supervisor.services["postgresql"]
    assert isinstance(postgres, EmbeddedPostgres)
    postgres.kill()
    postgres.start()
