"""A client's way to call: again under the same request id until it is answered, and now and then once more than needed."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from tests.shop.wire import CALL_SECONDS, reason_of
from tests.torture.diary import Diary
from tests.torture.sign_up import Pass

M = TypeVar("M", bound=Message)

# What a client may answer by sending the same again.
_AGAIN = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
}
# A shop that leaves a customer without an answer for this long is broken, whatever befalls it.
PATIENCE_SECONDS = 90.0
_TWICE, _BESIDE = 0.15, 0.1


class RefusedError(Exception):
    """A definite no, with its reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class Line:
    """The way from one caller to the shop, with dice of its own."""

    shown: Pass
    dice: random.Random
    diary: Diary

    async def ask(self, method: Callable[..., Any], request: M) -> Any:
        """The answer. Now and then the call is made by two at once, or again after its answer: the answers must agree.

        Raises RefusedError; anything that is neither an answer nor a typed refusal nor worth another try fails the test.
        """
        if self.dice.random() < _BESIDE:
            return await self._twins(method, request)
        answer = await self._insist(method, request)
        if self.dice.random() < _TWICE:
            self.diary.repeats += 1
            again = await self._insist(method, request)
            assert again == answer, (answer, again)
        return answer

    async def read(self, method: Callable[..., Any], request: Message) -> Any:
        """The answer to a question, which may be another one the next time."""
        return await self._insist(method, request)

    async def _twins(self, method: Callable[..., Any], request: Message) -> Any:
        """What two at once hear. A refusal is judged anew each time, so one may be granted what the other was not; after
        that nobody is refused it any more."""
        both = await asyncio.gather(
            self._insist(method, request), self._insist(method, request), return_exceptions=True
        )
        for outcome in both:
            if isinstance(outcome, BaseException) and not isinstance(outcome, RefusedError):
                raise outcome
        answers = [outcome for outcome in both if not isinstance(outcome, RefusedError)]
        if not answers:
            raise next(outcome for outcome in both if isinstance(outcome, RefusedError))
        answers.append(await self._insist(method, request))
        assert all(answer == answers[0] for answer in answers), answers
        return answers[0]

    async def _insist(self, method: Callable[..., Any], request: Message) -> Any:
        deadline, pause = time.monotonic() + PATIENCE_SECONDS, 0.05
        while True:
            metadata = self.shown.shown_with(_path(method), request.SerializeToString())
            call: Awaitable[Any] = method(request, metadata=metadata, timeout=CALL_SECONDS, wait_for_ready=True)
            try:
                return await call
            except grpc.aio.AioRpcError as error:
                # A call that waited for its server until little of its time was left was not begun.
                if error.code() not in _AGAIN and reason_of(error) != "DEADLINE_TOO_SHORT":
                    raise _refusal(error) from error
                if time.monotonic() > deadline:
                    raise
            self.diary.retries += 1
            await asyncio.sleep(pause * self.dice.uniform(0.5, 1.5))
            pause = min(2 * pause, 1.0)


def _path(method: Callable[..., Any]) -> str:
    """`/package.Service/Method`."""
    path: bytes = method._method  # type: ignore[attr-defined]
    return path.decode()


def _refusal(error: grpc.aio.AioRpcError) -> Exception:
    reason = reason_of(error)
    typed = error.code() not in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN) and reason
    return RefusedError(reason) if typed else error
