"""The sessions revoked of late, as one set in Redis, where one look tells.

The set must never be trusted when it has lost something, in whichever way. So:

- It is one key. Flushed or evicted, it is gone as a whole, with the mark in it that says it is complete.
- The mark names the run of the server. After a failover or a restart, also one that read back an old snapshot, the
  mark is another's and counts for nothing.
- Whoever creates the key gives it a lease of two seconds, and nobody ever extends it. The mark is set only by somebody
  who read all revoked rows after the very key that is marked was created. So a revocation that could not be
  written here, because Redis did not answer, is read from its row when the lease is over at the latest; `revoke`
  waits for that.

It costs one read of the revoked rows every two seconds, by one of the processes, as long as there are calls.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Collection

from redis import RedisError
from redis.asyncio import Redis

from kapda.adapters.redis.shared_connection import SharedConnection
from kapda.domain.identity.session_ports import Revocation
from kapda.domain.shared.ids import SessionId

KEY = "kapda:revoked_sessions"
LEASE_SECONDS = 2.0
# After a failure Redis is left alone for so long, so that calls do not each wait for a server that hangs.
REST_SECONDS = 1.0
# Between the tries to write a revocation.
RETRY_SECONDS = 0.1
# Members of one SADD: big enough to save round trips, small enough not to hold up the server.
CHUNK = 1_000

_RUN = "local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')\n"
_LEASE = "if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end\n"

# An entry is always true; that there is none says something only in a complete set.
_CHECK = f"""{_RUN}
return redis.call('SMISMEMBER', KEYS[1], 'complete:' .. run, ARGV[1])
"""
_ADD = f"""
redis.call('SADD', KEYS[1], unpack(ARGV, 2))
{_LEASE}
"""
# Leaves a trace in the key that shows, at the end, that it is still the same key.
_BEGIN_REFILL = f"""{_RUN}
if redis.call('SISMEMBER', KEYS[1], 'complete:' .. run) == 1 then return false end
redis.call('SADD', KEYS[1], ARGV[2])
{_LEASE}
return run
"""
# The mark goes in before the trace goes out: a set that is empty for a moment is a new key, without the lease.
_END_REFILL = f"""{_RUN}
if run == ARGV[2] and redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then
  redis.call('SADD', KEYS[1], 'complete:' .. run)
  redis.call('SREM', KEYS[1], ARGV[1])
end
"""


class RedisRevokedTokens:
    """RevokedTokens in one Redis set."""

    def __init__(self, client: Redis, *, lease: float = LEASE_SECONDS, rest: float = REST_SECONDS) -> None:
        """Use `client`, which must give up quickly. `lease` and `rest` are in seconds.

        All processes that share a Redis have the same lease.
        """
        self._client = client
        self._lease = lease
        self._lease_ms = round(lease * 1_000)
        self._rest = rest
        self._resting_until = 0.0
        self._refilling = False
        self._check = client.register_script(_CHECK)
        self._connection = SharedConnection(client)
        self._add = client.register_script(_ADD)
        self._begin_refill = client.register_script(_BEGIN_REFILL)
        self._end_refill = client.register_script(_END_REFILL)

    async def check(self, session_id: SessionId) -> Revocation:
        """What the set says of the session; UNKNOWN when Redis does not answer or the set is not complete."""
        if _now() < self._resting_until:
            return Revocation.UNKNOWN
        try:
            is_complete, is_in = await self._connection.run(self._check, "1", KEY, str(session_id))
        except RedisError:
            self._resting_until = _now() + self._rest
            return Revocation.UNKNOWN
        if is_in:
            return Revocation.REVOKED
        return Revocation.NOT_REVOKED if is_complete else Revocation.UNKNOWN

    async def revoke(self, session_ids: Collection[SessionId]) -> None:
        """Write the revocations, or wait until no set without them is trusted any more."""
        entries = [str(session_id) for session_id in session_ids]
        trusted_until = _now() + self._lease
        while entries:
            try:
                await self._add(keys=[KEY], args=[self._lease_ms, *entries[:CHUNK]])
            except RedisError:
                # One wait for all: sets from before this call are over then, whatever of it they had heard.
                if _now() > trusted_until:
                    return
                await asyncio.sleep(RETRY_SECONDS)
            else:
                del entries[:CHUNK]

    async def refill(self, revoked: Callable[[], Awaitable[Collection[SessionId]]]) -> None:
        """Complete the set from the rows, unless that is done or somebody in this process is at it."""
        if self._refilling or _now() < self._resting_until:
            return
        self._refilling = True
        try:
            await self._refill(revoked)
        except RedisError:
            self._resting_until = _now() + self._rest
        finally:
            self._refilling = False

    async def _refill(self, revoked: Callable[[], Awaitable[Collection[SessionId]]]) -> None:
        trace = f"refill:{secrets.token_hex(16)}"
        run = await self._begin_refill(keys=[KEY], args=[self._lease_ms, trace])
        if run is None:
            return
        # In between the key may vanish and come again without what was revoked meanwhile; then the trace is gone too.
        entries = [str(session_id) for session_id in await revoked()]
        for start in range(0, len(entries), CHUNK):
            await self._client.sadd(KEY, *entries[start : start + CHUNK])
        await self._end_refill(keys=[KEY], args=[trace, run])


_now = time.monotonic
