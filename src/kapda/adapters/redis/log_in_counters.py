"""The attempts at log-ins of late, in Redis: one sorted set an identifier, and one script that judges and counts.

A set must never be trusted when it has lost something, in whichever way; a set that is not trusted is read from the
rows again. So:

- Everything about an identifier is one key: flushed or evicted, it is gone as a whole. A missing set says nothing.
- A mark in the set names the run of the server: after a restart, also one that read back an old snapshot, it is
  another's.
- An attempt that ends while the set is missing leaves a trace, and so does whoever has the set forgotten. Whoever was
  just reading the rows then finds the trace where the set should be missing, and reads them again: the change may have
  come after the reading.
- What a process could not write, because Redis did not answer, it owes: it deletes those sets before it asks again.

Times are the server's. Members are `<state> <attempt> <network>`, scored by when the attempt began, in milliseconds.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from redis import RedisError
from redis.asyncio import Redis

from kapda.adapters.redis.log_in_scripts import BEGIN, FORGET, SETTLE
from kapda.adapters.redis.shared_connection import SharedConnection
from kapda.domain.identity.log_in_attempts import (
    CLOSE_WINDOW,
    CLOSED_FOR,
    FAILURES_TO_CLOSE,
    FAILURES_TO_LOCK,
    LOCK_WINDOW,
    LOCKED_FOR,
    MEMORY,
    MOMENT,
    UNDER_WAY_FOR,
    Attempt,
    Gate,
    Outcome,
    PastAttempt,
    Verdict,
)

PREFIX = "kapda:log_ins:"
# After a failure Redis is left alone for so long, so that log-ins do not each wait for a server that hangs.
REST_SECONDS = 1.0
# How often the rows are read for one attempt whose set will not stay whole; then the rows judge.
TRIES = 3
# Identifiers whose sets are owed a deletion, 100 bytes each; the oldest debts are dropped beyond.
MAX_OWED = 100_000

_STATES = {Outcome.UNDER_WAY: "u", Outcome.FAILED: "f", Outcome.SUCCEEDED: "s"}
_WITHDRAWN = "w"
_MISSING = "missing"


def _ms(time: timedelta) -> int:
    return round(time.total_seconds() * 1000)


# The first arguments of BEGIN, in its order.
_RULES = tuple(
    str(number)
    for number in (
        *(_ms(MEMORY), _ms(UNDER_WAY_FOR), _ms(MOMENT)),
        *(FAILURES_TO_LOCK, _ms(LOCK_WINDOW), _ms(LOCKED_FOR)),
        *(FAILURES_TO_CLOSE, _ms(CLOSE_WINDOW), _ms(CLOSED_FOR)),
    )
)


class RedisLogInCounters:
    """LogInCounters in Redis."""

    def __init__(self, client: Redis, *, rest: float = REST_SECONDS) -> None:
        """Use `client`, which must give up quickly. `rest` is in seconds."""
        self._client = client
        self._rest = rest
        self._resting_until = 0.0
        self._owed: OrderedDict[str, None] = OrderedDict()
        self._connection = SharedConnection(client)
        self._begin = client.register_script(BEGIN)
        self._settle = client.register_script(SETTLE)
        self._forget = client.register_script(FORGET)

    async def begin(
        self, attempt: Attempt, past: Callable[[], Awaitable[Sequence[PastAttempt]]], *, network_is_known: bool
    ) -> Verdict | None:
        """One script; where the set is missing, once more with the rows."""
        if _now() < self._resting_until:
            self._owe(attempt.identifier)
            return None
        key = PREFIX + attempt.identifier
        arguments = ("1", key, *_RULES, str(attempt.id), attempt.network.text, "1" if network_is_known else "0")
        try:
            await self._pay()
            answer = await self._connection.run(self._begin, *arguments, "ask")
            for _ in range(TRIES):
                if answer[0] != _MISSING:
                    return Verdict(Gate(answer[0]), timedelta(milliseconds=int(answer[1])))
                rows = [field for row in await past() for field in _entry(row)]
                answer = await self._connection.run(self._begin, *arguments, "fill", *rows)
        except RedisError:
            self._fail(attempt.identifier)
            return None
        return None if answer[0] == _MISSING else Verdict(Gate(answer[0]), timedelta(milliseconds=int(answer[1])))

    async def settle(self, attempt: Attempt, outcome: Outcome) -> None:
        """Write what the attempt came to, or owe it."""
        await self._write(attempt, _STATES[outcome])

    async def withdraw(self, attempt: Attempt) -> None:
        """Take the attempt out, or owe it."""
        await self._write(attempt, _WITHDRAWN)

    async def forget(self, identifier: str) -> None:
        """Leave a trace in the set's place, or owe its deletion."""
        if _now() < self._resting_until:
            self._owe(identifier)
            return
        try:
            await self._forget(keys=[PREFIX + identifier], args=[_ms(UNDER_WAY_FOR)])
        except RedisError:
            self._fail(identifier)

    async def _write(self, attempt: Attempt, state: str) -> None:
        if _now() < self._resting_until:
            self._owe(attempt.identifier)
            return
        key, trace_ms = PREFIX + attempt.identifier, str(_ms(UNDER_WAY_FOR))
        try:
            await self._connection.run(self._settle, "1", key, trace_ms, state, str(attempt.id), attempt.network.text)
        except RedisError:
            self._fail(attempt.identifier)

    async def _pay(self) -> None:
        """Delete the sets that lack something. The debts are kept until Redis has confirmed."""
        owed = list(self._owed)
        if owed:
            await self._client.unlink(*(PREFIX + identifier for identifier in owed))
            for identifier in owed:
                self._owed.pop(identifier, None)

    def _fail(self, identifier: str) -> None:
        self._resting_until = _now() + self._rest
        self._owe(identifier)

    def _owe(self, identifier: str) -> None:
        self._owed[identifier] = None
        self._owed.move_to_end(identifier)
        if len(self._owed) > MAX_OWED:
            self._owed.popitem(last=False)


def _entry(past: PastAttempt) -> tuple[str, str]:
    """Age and member of an attempt, as BEGIN takes them."""
    return str(_ms(past.age)), f"{_STATES[past.outcome]} {past.id} {past.network.text}"


def _now() -> float:
    return asyncio.get_running_loop().time()
