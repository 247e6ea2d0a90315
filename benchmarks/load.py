"""The load generator, a process of its own: `python -m benchmarks.load`.

It reads a Job from the first line of its standard input, says `ready` when it is connected, begins when it is told
anything, and answers with a Tally. It is written in Python, as everything here, so it needs as much of the machine for a
call as the server's own share of grpc does: what a bench on one machine shows is about half of what such a server
could answer to a compiled client on another.
"""

import asyncio
import io
import sys
import time
from contextlib import AsyncExitStack

import grpc
import msgspec
import uvloop

from benchmarks.client import Client, Window, arrivals, one_round, until_over
from benchmarks.job import Job, Tally
from benchmarks.rounds import rounds_of
from kapda.entrypoints.grpc.wake_ups import lost_when_full

_OPTIONS = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
_CONNECT_SECONDS = 10.0


async def _generate(job: Job) -> Tally:
    async with AsyncExitStack() as opened:
        # What grpc's thread waits for would look like a wait for the server.
        with lost_when_full():
            made = [grpc.aio.insecure_channel(job.address, options=_OPTIONS) for _ in range(job.connections)]
        channels = [await opened.enter_async_context(channel) for channel in made]
        for channel in channels:
            await asyncio.wait_for(channel.channel_ready(), _CONNECT_SECONDS)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        begin = time.perf_counter() + job.warm_up
        window = Window(begin, float("inf") if job.once else begin + job.seconds)
        clients = [
            Client(channels[n % job.connections], account, job.first_client + n, window)
            for n, account in enumerate(job.accounts)
        ]
        playing = asyncio.ensure_future(_play(job, clients, window))
        await asyncio.sleep(job.warm_up)
        before = time.process_time()
        await playing
        cpu_seconds = time.process_time() - before
    seconds = time.perf_counter() - begin if job.once else job.seconds
    return Tally(seconds, window.rounds, window.latencies, window.refusals, cpu_seconds, window.unsent, window.lateness)


async def _play(job: Job, clients: list[Client], window: Window) -> None:
    do_round = rounds_of(job)
    if job.rate:
        await arrivals(clients, window, do_round, job.rate)
        return
    play = one_round if job.once else until_over
    await asyncio.gather(*(play(client, window, do_round) for client in clients))


def main() -> None:
    """Do one job."""
    job = msgspec.json.decode(sys.stdin.readline(), type=Job)
    tally = uvloop.run(_generate(job))
    with io.FileIO(sys.stdout.fileno(), "w", closefd=False) as output:
        answer(tally, output)


def answer(tally: Tally, output: io.RawIOBase) -> None:
    """Write the tally, all of it.

    Not by print: with PYTHONUNBUFFERED standard output is the bare pipe, and when that takes only a part of what is
    larger than itself, print drops the rest. A buffered writer goes on until everything is gone.
    """
    with io.BufferedWriter(output) as writer:
        writer.write(msgspec.json.encode(tally))


if __name__ == "__main__":
    main()
