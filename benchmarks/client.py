"""One client of the load generator: raw stubs that take and give bytes, and a note of every call."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, cast

import grpc
from google.rpc import error_details_pb2, status_pb2

from benchmarks.job import Account

_DEADLINE_SECONDS: Final = 12.0
_TICK_SECONDS: Final = 0.005
_DETAILS: Final = "grpc-status-details-bin"

Stub: TypeAlias = Callable[..., Awaitable[Any]]


# Whoever hears one of these may come again with the same request.
_COME_AGAIN: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
    }
)
_COME_AGAIN_SECONDS: Final = 1.0
# Whoever hears one of these is to be told when.
_TELLS_WHEN: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED})
REFUSED: Final = " refused"
WITHOUT_RETRY: Final = " without RetryInfo"


class RefusedError(Exception):
    """The call did not end well; it is noted. `come_again` when the same request may do better later."""

    def __init__(self, *, come_again: bool) -> None:
        super().__init__()
        self.come_again = come_again


@dataclass(slots=True)
class Window:
    """What was measured, and when the measuring begins and ends."""

    begin: float
    end: float
    rounds: int = 0
    latencies: dict[str, list[float]] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)
    unsent: int = 0
    lateness: list[float] = field(default_factory=list)

    def over(self) -> bool:
        """Whether no more is measured."""
        return time.perf_counter() >= self.end

    def includes(self, instant: float) -> bool:
        """Whether what ended then counts."""
        return self.begin <= instant < self.end


class Client:
    """Calls as one account. `number` is its own, such as for its address."""

    def __init__(self, channel: grpc.aio.Channel, account: Account, number: int, window: Window) -> None:
        self.account = account
        self.number = number
        self._channel = channel
        self._metadata = (("authorization", f"Bearer {account.token}"),) if account.token else ()
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
            raise RefusedError(come_again=error.code() in _COME_AGAIN) from error
        self._note(method, started, "")
        return answer

    def _note(self, method: str, started: float, refusal: str) -> None:
        ended = time.perf_counter()
        if not self._window.includes(ended):
            return
        name = method.rpartition("/")[2]
        kind = name + REFUSED if refusal else name
        self._window.latencies.setdefault(kind, []).append(1000 * (ended - started))
        if refusal:
            self._window.refusals[name + refusal] = self._window.refusals.get(name + refusal, 0) + 1


async def until_over(client: Client, window: Window, do_round: Callable[[Client], Awaitable[None]]) -> None:
    """Do rounds until the window is over; one that is refused does not count."""
    while not window.over():
        try:
            await do_round(client)
        except RefusedError as refused:
            # Told to come again in a second, one does; and no server is asked without a pause.
            await asyncio.sleep(_COME_AGAIN_SECONDS if refused.come_again else 0.01)
            continue
        window.rounds += window.includes(time.perf_counter())


async def arrivals(
    clients: Sequence[Client], window: Window, do_round: Callable[[Client], Awaitable[None]], per_second: float
) -> None:
    """Begin so many rounds a second until the window is over, each by whoever has been idle for longest.

    The crowd does not wait for a slow server: what is due is begun, late or not.
    """
    idle, at_work = deque(clients), set[asyncio.Task[None]]()

    async def arrive(client: Client) -> None:
        try:
            await do_round(client)
        except RefusedError:
            return
        else:
            window.rounds += window.includes(time.perf_counter())
        finally:
            idle.append(client)

    started, begun = time.perf_counter(), 0
    while not window.over():
        due = int((time.perf_counter() - started) * per_second)
        for _ in range(due - begun):
            if idle:
                task = asyncio.create_task(arrive(idle.popleft()))
                at_work.add(task)
                task.add_done_callback(at_work.discard)
            else:
                window.unsent += window.includes(time.perf_counter())
        begun = due
        ticked = time.perf_counter()
        await asyncio.sleep(_TICK_SECONDS)
        if window.includes(ticked):
            window.lateness.append(1000 * (time.perf_counter() - ticked - _TICK_SECONDS))
    await asyncio.gather(*at_work)


async def one_round(client: Client, window: Window, do_round: Callable[[Client], Awaitable[None]]) -> None:
    """Do one round."""
    try:
        await do_round(client)
    except RefusedError:
        return
    window.rounds += 1


def _reason(error: grpc.aio.AioRpcError) -> str:
    """Such as OVERLOADED; and whether somebody who may come again was not told when."""
    info, retry, told = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo(), False
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS and isinstance(value, bytes):
            for detail in status_pb2.Status.FromString(value).details:
                detail.Unpack(info)
                told = detail.Unpack(retry) or told
    return info.reason if told or error.code() not in _TELLS_WHEN else f"{info.reason}{WITHOUT_RETRY}"
