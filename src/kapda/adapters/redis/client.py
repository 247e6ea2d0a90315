"""Clients that give up quickly: whoever asks Redis has another way when it does not answer."""

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

# A live server answers in well under a millisecond; one that takes this long is as good as down.
TIMEOUT_SECONDS = 0.2
# Commands take so little that few connections carry every call of a process; more callers queue for one.
MAX_CONNECTIONS = 32


def make_client(redis_url: str, *, timeout: float = TIMEOUT_SECONDS, max_connections: int = MAX_CONNECTIONS) -> Redis:
    """A client that never retries and waits `timeout` seconds at most for a connection, and as long for an answer.

    No connection is made yet. Failures are `redis.RedisError`. Close it with `aclose`.
    """
    pool = BlockingConnectionPool.from_url(
        redis_url,
        max_connections=max_connections,
        timeout=timeout,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        # The library's default is ten tries with pauses: seconds for a server that is down.
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )
    return Redis.from_pool(pool)
