"""Questions gathered into one round trip: while one is under way, those that come wait together for the next."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Gathered(Generic[Question, Answer]):
    """Asks for one or many at the same price. No answer is older than its question.

    A lone caller waits one round trip, a crowd two at most. What a caller who has gone had asked is still asked.
    """

    def __init__(self, ask: Callable[[Collection[Question]], Awaitable[Mapping[Question, Answer]]]) -> None:
        """`ask` answers every question of a batch, or raises for all of them."""
        self._ask = ask
        self._next: dict[Question, list[asyncio.Future[Answer]]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Answer:
        """The answer. Raises what asking raised."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._next.setdefault(question, []).append(answer)
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_all())
        return await answer

    async def _ask_all(self) -> None:
        try:
            while self._next:
                batch, self._next = self._next, {}
                await self._ask_batch(batch)
        finally:
            self._asking = None

    async def _ask_batch(self, batch: Mapping[Question, Collection[asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._ask(batch.keys())
        except asyncio.CancelledError:
            # The process is ending, or its event loop.
            for waiting in _who_wait(chain(batch.values(), self._next.values())):
                waiting.cancel()
            self._next = {}
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is for those who wait
            for waiting in _who_wait(batch.values()):
                waiting.set_exception(error)
                # Whoever goes just now does not look; that is no stray exception.
                waiting.exception()
        else:
            for question, askers in batch.items():
                for waiting in _who_wait((askers,)):
                    waiting.set_result(answers[question])


def _who_wait(
    askers: Iterable[Collection[asyncio.Future[Answer]]],
) -> Iterator[asyncio.Future[Answer]]:
    """All but those who have gone."""
    return (waiting for each in askers for waiting in each if not waiting.done())
