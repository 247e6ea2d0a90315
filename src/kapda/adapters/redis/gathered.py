"""Questions gathered into one round trip: while one is under way, those that come wait together for the next."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
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
        self._next: dict[Question, asyncio.Future[Answer]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Answer:
        """The answer. Raises what asking raised."""
        answer = self._next.get(question)
        if answer is None:
            answer = self._next[question] = asyncio.get_running_loop().create_future()
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_all())
        # Several may wait for one answer: whoever is cancelled leaves it to the others.
        return await asyncio.shield(answer)

    async def _ask_all(self) -> None:
        try:
            while self._next:
                batch, self._next = self._next, {}
                await self._ask_batch(batch)
        finally:
            self._asking = None

    async def _ask_batch(self, batch: Mapping[Question, asyncio.Future[Answer]]) -> None:
        try:
            answers = await self._ask(batch.keys())
        except asyncio.CancelledError:
            # The process is ending, or its event loop.
            for waiting in (*batch.values(), *self._next.values()):
                waiting.cancel()
            self._next = {}
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is for those who wait
            for waiting in batch.values():
                waiting.set_exception(error)
                # Whoever asked may have gone; the others are told all the same.
                waiting.exception()
        else:
            for question, waiting in batch.items():
                waiting.set_result(answers[question])
