"""One client of the load generator: raw stubs that take and give bytes, and a note of every call."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, cast

import grpc
from google.rpc import error_details_pb2, status_pb2

_DEADLINE_SECONDS: Final = 12.0
_DETAILS: Final = "grpc-status-details-bin"

Stub: TypeAlias = Callable[..., Awaitable[Any]]


class RefusedError(Exception):
    """The call did not end well; it is noted."""


@dataclass(slots=True)
class Window:
    """What was measured, and when the measuring begins and ends."""

    begin: float
    end: float
    rounds: int = 0
    latencies: dict[str, list[float]] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)

    def over(self) -> bool:
        """Whether no more is measured."""
        return time.perf_counter() >= self.end

    def includes(self, instant: float) -> bool:
        """Whether what ended then counts."""
        return self.begin <= instant < self.end


class Client:
    """Calls as one account. `number` is its own, such as for its address."""

    def __init__(self, channel: grpc.aio.Channel, token: str, number: int, window: Window) -> None:
        self.number = number
        self._channel = channel
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._window = window
        self._stubs: dict[str, Stub] = {}

    async def call(self, method: str, request: bytes) -> bytes:
        """Call `/package.Service/Method`. Raises RefusedError."""
        stub = self._stubs.get(method)
        if stub is None:
            # Without serialisers it takes and gives bytes, which grpc's stubs for type checkers do not know.
            stub = self._stubs[method] = cast("Stub", self._channel.unary_unary(method))
        started = time.perf_counter()
        try:
            answer: bytes = await stub(request, metadata=self._metadata, timeout=_DEADLINE_SECONDS)
        except grpc.aio.AioRpcError as error:
            self._note(method, started, f" {error.code().name} {_reason(error)}".rstrip())
            raise RefusedError from error
        self._note(method, started, "")
        return answer

    def _note(self, method: str, started: float, refusal: str) -> None:
        ended = time.perf_counter()
        if not self._window.includes(ended):
            return
        name = method.rpartition("/")[2]
        self._window.latencies.setdefault(name, []).append(1000 * (ended - started))
        if refusal:
            self._window.refusals[name + refusal] = self._window.refusals.get(name + refusal, 0) + 1


async def until_over(client: Client, window: Window, do_round: Callable[[Client], Awaitable[None]]) -> None:
    """Do rounds until the window is over; one that is refused does not count."""
    while not window.over():
        try:
            await do_round(client)
        except RefusedError:
            # A server that refuses everything at once must not be asked without a pause.
            await asyncio.sleep(0.01)
            continue
        window.rounds += window.includes(time.perf_counter())


async def one_round(client: Client, window: Window, do_round: Callable[[Client], Awaitable[None]]) -> None:
    """Do one round."""
    try:
        await do_round(client)
    except RefusedError:
        return
    window.rounds += 1


def _reason(error: grpc.aio.AioRpcError) -> str:
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS and isinstance(value, bytes):
            info = error_details_pb2.ErrorInfo()
            if any(detail.Unpack(info) for detail in status_pb2.Status.FromString(value).details):
                return info.reason
    return ""
