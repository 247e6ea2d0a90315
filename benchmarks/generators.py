"""Starts load generators, lets them go at the same moment, and collects what they measured."""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

import msgspec

from benchmarks.job import Job, Tally, merged
from benchmarks.stack import ROOT

_PATIENCE_SECONDS: Final = 60.0


class GeneratorError(Exception):
    """A load generator failed; its own words are on standard error."""


def generate(job: Job, processes: int, meter: Callable[[], None]) -> Tally:
    """Run the job's clients from so many processes. `meter` is called when the measuring begins and when it ends.

    Raises GeneratorError.
    """
    shares = _shares(job, processes)
    with ExitStack() as cleanup:
        running = [cleanup.enter_context(_Generator(share)) for share in shares]
        for generator in running:
            generator.wait_until_ready()
        for generator in running:
            generator.go()
        time.sleep(job.warm_up)
        meter()
        if not job.once:
            time.sleep(job.seconds)
            meter()
        tallies = [generator.tally() for generator in running]
        if job.once:
            meter()
    return merged(tallies)


def _shares(job: Job, processes: int) -> list[Job]:
    shares, first = [], job.first_client
    for number in range(processes):
        accounts = job.accounts[number::processes]
        rate = job.rate / processes
        shares.append(msgspec.structs.replace(job, accounts=accounts, first_client=first, rate=rate))
        first += len(accounts)
    return shares


class _Generator:
    """One load generator's process."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._process = subprocess.Popen(
            (sys.executable, "-m", "benchmarks.load"),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "_Generator":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def wait_until_ready(self) -> None:
        self._say(msgspec.json.encode(self._job).decode())
        if self._process.stdout is None or self._process.stdout.readline() != "ready\n":
            raise GeneratorError("a load generator did not connect")

    def go(self) -> None:
        self._say("go")

    def tally(self) -> Tally:
        output, _ = self._process.communicate(timeout=self._job.seconds + _PATIENCE_SECONDS)
        if self._process.returncode != 0:
            raise GeneratorError(f"a load generator ended with code {self._process.returncode}")
        return msgspec.json.decode(output, type=Tally)

    def _say(self, line: str) -> None:
        if self._process.stdin is None:
            raise GeneratorError("a load generator has no standard input")
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
