"""Callers who ask the same at the same time share one answer: most of a crowd looks at the same page of the shop."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Look(Generic[Answer]):
    """One look, and how many wait for what it finds; nobody joins any more once it is `closed`."""

    task: asyncio.Task[Answer]
    waiting: int = 0
    closed: bool = False


class Together(Generic[Question, Answer]):
    """Looks once for all who ask the same before the look begins. No answer is older than its question.

    Whoever asks while a look is under way waits for the next one, which begins when that one ends: a lone caller waits for
    one look, a crowd for two at most. What a look raises is everybody's who waits for it. When the last of them has gone, it
    is given up.
    """

    def __init__(self) -> None:
        self._last: dict[Question, _Look[Answer]] = {}

    @property
    def pending(self) -> int:
        """How many questions are being looked into."""
        return len(self._last)

    async def ask(self, question: Question, find: Callable[[], Awaitable[Answer]]) -> Answer:
        """What `find` finds, or that of somebody who asked the same. It is shared, so nobody may change it, and it must
        not depend on who asks."""
        look = self._last.get(question)
        if look is None or look.closed:
            look = self._begin(question, find, look)
        look.waiting += 1
        try:
            return await asyncio.shield(look.task)
        finally:
            look.waiting -= 1
            if look.waiting == 0:
                look.closed = True
                look.task.cancel()

    def _begin(
        self, question: Question, find: Callable[[], Awaitable[Answer]], before: _Look[Answer] | None
    ) -> _Look[Answer]:
        async def find_in_turn() -> Answer:
            if before is not None:
                await asyncio.wait((before.task,))
            look.closed = True
            return await find()

        def forget(_: asyncio.Task[Answer]) -> None:
            if self._last.get(question) is look:
                del self._last[question]

        look = self._last[question] = _Look(asyncio.create_task(find_in_turn()))
        look.task.add_done_callback(forget)
        return look
