"""Waits for what happens elsewhere: in a database, a stream, another process."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

# For a server that certainly answers, on a machine whose cores others use: what gives up sooner takes another way, which
# may be allowed something else.
PATIENCE_SECONDS: Final = 10.0


async def until(condition: Callable[[], bool | Awaitable[bool]], *, within: float = 10.0) -> None:
    """Ask again and again; raise TimeoutError when the answer is still no after `within` seconds."""
    async with asyncio.timeout(within):
        while True:
            answer = condition()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.01)
