"""The request log: one effect and one answer for one `request_id`.

A claim is a row under the unique key (scope, method, request id), written in the transaction of its effect; a parallel
twin waits on that key until the first has committed or rolled back. Scope is the customer or the guest cart, never an
API key alone: two customers behind one internal service must not see each other's answers.
"""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from kapda.domain.shared.errors import InvalidArgumentError, Reason
from kapda.domain.shared.ids import RequestId

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RequestKey:
    """Who asks for what, under which id, with which body.

    `fingerprint` is a digest of every field that shapes the effect; the same id with another one is a caller's mistake.
    """

    scope: UUID
    method: str
    request_id: RequestId
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class EarlierRequest(Generic[T]):
    """What is known of an earlier request under the same key: what it made, and its answer once there is one."""

    fingerprint: bytes
    resource_id: UUID | None
    answer: T | None

    def check_same_body(self, key: RequestKey) -> None:
        """Raises InvalidArgumentError (REQUEST_ID_REUSED) where the earlier body was another."""
        if self.fingerprint != key.fingerprint:
            raise InvalidArgumentError(
                Reason.REQUEST_ID_REUSED,
                "request_id was used before with a different request",
                metadata={"request_id": str(key.request_id)},
            )

    def kept_answer(self) -> T:
        """The answer of a request whose effect is committed together with it, or not at all."""
        if self.answer is None:
            raise RuntimeError("the effect was committed without its answer")
        return self.answer


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a use case answers, and whether it is an earlier answer given again."""

    value: T
    replayed: bool = False


class RequestLog(Protocol):
    """Claims and answers, inside a unit of work."""

    async def claim(
        self, key: RequestKey, answer_type: type[T], resource_id: UUID | None = None
    ) -> EarlierRequest[T] | None:
        """None when this request is the first: it is recorded with what it is about to make. Otherwise the earlier one.

        Waits for a twin that is in a transaction at this moment. Raises InvalidArgumentError (REQUEST_ID_REUSED) for
        another body under the same key.
        """
        ...

    async def rebind(self, key: RequestKey, resource_id: UUID) -> None:
        """Name another thing as what a claimed request made: one that was there already."""
        ...

    async def answer(self, key: RequestKey, answer: object) -> None:
        """Keep the answer to a claimed request, a dataclass that is given back as it is to whoever asks again.

        The first answer stays; a later one changes nothing.
        """
        ...
