"""Releases many callers at the same instant."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from kapda.domain.shared.errors import AbortedError, DomainError, Reason, UnavailableError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcomes(Generic[T]):
    """What came of the callers: answers, and typed refusals. Anything else has failed the test already."""

    answers: Sequence[T]
    refusals: Sequence[DomainError]

    @property
    def reasons(self) -> Counter[Reason]:
        """How often each reason was given."""
        return Counter(refusal.reason for refusal in self.refusals)


async def at_once(calls: Sequence[Callable[[], Awaitable[T]]]) -> Outcomes[T]:
    """Run all calls from one gate. Whoever ends neither with an answer nor with a domain error fails the test."""
    gate = asyncio.Event()

    async def wait_and(call: Callable[[], Awaitable[T]]) -> T:
        await gate.wait()
        return await call()

    callers = [asyncio.create_task(wait_and(call)) for call in calls]
    await asyncio.sleep(0)
    gate.set()
    answers: list[T] = []
    refusals: list[DomainError] = []
    for outcome in await asyncio.gather(*callers, return_exceptions=True):
        if isinstance(outcome, DomainError):
            refusals.append(outcome)
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            answers.append(outcome)
    return Outcomes(answers, refusals)


async def persist(call: Callable[[], Awaitable[T]], *, within: float = 60.0) -> T:
    """Repeat a call for as long as its refusals say that this may help: what a client does on a machine that is too busy."""
    async with asyncio.timeout(within):
        while True:
            try:
                return await call()
            except (AbortedError, UnavailableError) as refused:
                pause = refused.retry_after or 0.1
            await asyncio.sleep(pause)
