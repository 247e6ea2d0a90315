"""The threads in which the SDK may block, and the bound on who may wait for one."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import razorpay

from kapda.adapters.razorpay.errors import NoAnswerError, NotSentError
from kapda.adapters.razorpay.session import WalledSession, trusting_this_machine

T = TypeVar("T")
Call = Callable[[Any], T]

# A thread that ends exactly at its deadline still gets to say why.
_GRACE_SECONDS = 0.25
# A call that has waited until less than this share of its time is left would likely be cut off in the middle.
_LEAST_SHARE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class RazorpayAccess:
    """Where Razorpay is and how long to wait for it; times in seconds.

    `total_timeout` counts from the caller's call, waiting for a thread included. At most `threads` calls run, for each
    of two purposes, and `waiting` more wait for `patience` at most; further ones are turned away at once.

    Raises:
        ValueError: a base address that would send the secret over the network in the clear, or no credentials.
    """

    key_id: str
    key_secret: str
    base_url: str = "https://api.razorpay.com"
    connect_timeout: float = 3.0
    read_timeout: float = 6.0
    # Opening a checkout's order may take four calls one after the other; all of them must fit into its 30 s lease.
    total_timeout: float = 7.0
    # A purchase makes two calls of a tenth to a quarter of a second each: so many are good for a hundred purchases a second.
    # A thread is started when all others are at work, and costs about 0.1 MiB.
    threads: int = 32
    waiting: int = 256
    # Who waits longer than that stands behind calls that hang: better told so than kept.
    patience: float = 2.0

    def __post_init__(self) -> None:
        if not self.key_id or not self.key_secret:
            raise ValueError("the Razorpay key id and secret must not be empty")
        if not self.base_url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            raise ValueError("the Razorpay address must be https, or http on this machine")


class CallPool:
    """Runs calls of the SDK, one client a thread: the SDK has no locks and its session is not meant to be shared."""

    def __init__(self, access: RazorpayAccess) -> None:
        self._access = access
        self._threads = ThreadPoolExecutor(access.threads, thread_name_prefix="razorpay")
        self._local = threading.local()
        self._lock = threading.Lock()
        self._sessions: list[WalledSession] = []
        self._admitted = 0

    @property
    def admitted(self) -> int:
        """How many calls run or wait. A call whose caller has gone counts until its thread ends."""
        return self._admitted

    async def run(self, call: Call[T]) -> T:
        """Runs `call` with a client in a thread.

        Raises:
            NotSentError: not admitted, or no thread came free in time.
            NoAnswerError: no answer in time. A call that has begun goes on in its thread until its own deadline, also
                when the waiting task is cancelled; one that has not begun is dropped.
        """
        deadline = time.monotonic() + self._access.total_timeout
        future = self._submit(call, deadline)
        # Does nothing to a call that has begun.
        losing_patience = asyncio.get_running_loop().call_later(self._access.patience, future.cancel)
        try:
            async with asyncio.timeout(self._access.total_timeout + _GRACE_SECONDS):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise NoAnswerError("no answer in time") from error
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if future.cancelled() and task is not None and not task.cancelling():
                raise NotSentError("not sent: no thread came free in time, or the adapter is closed") from error
            raise
        finally:
            losing_patience.cancel()

    async def close(self) -> None:
        """Drops what has not begun, waits for the threads and closes their connections.

        A thread ends within the total timeout; only headers that drip can hold it longer, though never its caller.
        """
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
        with self._lock:
            for session in self._sessions:
                session.close()
            self._sessions.clear()

    def _submit(self, call: Call[T], deadline: float) -> Future[T]:
        with self._lock:
            if self._admitted >= self._access.threads + self._access.waiting:
                raise NotSentError("not sent: too many calls are waiting")
            self._admitted += 1
        try:
            future = self._threads.submit(self._work, call, deadline)
        except RuntimeError as error:
            self._leave()
            raise NotSentError("not sent: the adapter is closed") from error
        # The slot belongs to the thread's work, not to the waiter: it is given back when the thread is done with it.
        future.add_done_callback(lambda _: self._leave())
        return future

    def _leave(self) -> None:
        with self._lock:
            self._admitted -= 1

    def _work(self, call: Call[T], deadline: float) -> T:
        if deadline - time.monotonic() < self._access.total_timeout * _LEAST_SHARE:
            raise NotSentError("not sent: waited too long for a thread")
        client = self._client()
        client.session.deadline = deadline
        return call(client)

    def _client(self) -> Any:
        client = getattr(self._local, "client", None)
        if client is None:
            access = self._access
            session = WalledSession(
                trusting_this_machine(), connect_timeout=access.connect_timeout, read_timeout=access.read_timeout
            )
            client = razorpay.Client(session, auth=(access.key_id, access.key_secret), base_url=access.base_url)
            self._local.client = client
            with self._lock:
                self._sessions.append(session)
        return client
