"""Prints how many turns of a busy event loop a server takes to hear and answer as many calls as the first argument says."""

import asyncio
import sys
import time

from kapda.domain.shared.request_log import Answer
from tests.entrypoints.grpc.conftest import start_server
from tests.entrypoints.grpc.test_calls import EMPTY, add_item

# What a turn takes in a server at its limit.
TURN_SECONDS = 0.002


async def _turns_for(calls: int) -> int:
    served = await start_server()
    turns = 0

    async def at_once(_: object) -> object:
        return Answer(EMPTY)

    async def work() -> None:
        nonlocal turns
        while True:
            turns += 1
            time.sleep(TURN_SECONDS)  # noqa: ASYNC251  (this is the long turn)
            await asyncio.sleep(0)

    served.use_cases.behaviours["add_item"] = at_once
    working = asyncio.create_task(work())
    await asyncio.gather(*(add_item(served) for _ in range(calls)), return_exceptions=True)
    working.cancel()
    await served.stop()
    return turns


if __name__ == "__main__":
    sys.stdout.write(f"{asyncio.run(_turns_for(int(sys.argv[1])))}\n")
