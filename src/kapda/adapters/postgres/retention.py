"""Deletes what has served its time, a little at a time."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

# A day is promised to callers who retry; a week lets people look back.
REQUESTS_FOR = timedelta(days=7)
# What the queue did with its jobs, for people who look into yesterday's trouble.
JOB_LOG_FOR = timedelta(days=2)
# Razorpay replays an event on request for fifteen days; thirty and more are promised, ninety let people look back.
DELIVERIES_FOR = timedelta(days=90)
# Counted from their own end. People ask about a session they do not know within the month.
SESSIONS_FOR = timedelta(days=30)
# A day after it could be used, a token that comes again tells nothing more than that it is not known.
REFRESH_TOKENS_FOR = timedelta(days=1)
# A signature is good for five minutes either way; the rest is for clocks that were set wrong.
NONCES_FOR = timedelta(hours=1)
# An attempt decides for two hours; a week lets people look into an attack.
ATTEMPTS_FOR = timedelta(days=7)
# From where somebody got in half a year ago says little of who tries there now.
NETWORKS_FOR = timedelta(days=180)
# Counted from when a mail was sent, or from when a link expired. People ask within the month whether a mail was sent; a
# mail about an order stays longer than its event could come again.
MAILS_FOR = timedelta(days=30)
MAILED_LINKS_FOR = timedelta(days=1)
# Rows of one transaction: some milliseconds of locks that nobody else wants.
BATCH = 5_000
# Transactions of one run and table; what is left over waits for the next run.
MAX_BATCHES = 20

# Several workers prune side by side: none waits for another's rows.
_REQUESTS = text("""
    DELETE FROM request_log WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM request_log WHERE created_at < now() - CAST(:age AS interval)
        ORDER BY created_at LIMIT :batch FOR UPDATE SKIP LOCKED
    ))
""")
_JOB_LOG = text("""
    DELETE FROM pgqueuer_log WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM pgqueuer_log WHERE created < now() - CAST(:age AS interval)
        ORDER BY created LIMIT :batch FOR UPDATE SKIP LOCKED
    ))
""")
# Deliveries that are done with; the same one again would find its payment kept.
_DELIVERIES = text("""
    DELETE FROM gateway_events WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM gateway_events WHERE state <> 'pending' AND received_at < now() - CAST(:age AS interval)
        ORDER BY received_at LIMIT :batch FOR UPDATE SKIP LOCKED
    ))
""")
# Ended ones too: nobody can refresh them, so they expire within a week. Their tokens are gone by then or go with them.
_SESSIONS = text("""
    DELETE FROM sessions WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM sessions WHERE expires_at < now() - CAST(:age AS interval)
        ORDER BY expires_at LIMIT :batch FOR UPDATE SKIP LOCKED
    ))
""")
_REFRESH_TOKENS = text("""
    DELETE FROM refresh_tokens WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM refresh_tokens WHERE expires_at < now() - CAST(:age AS interval)
        ORDER BY expires_at LIMIT :batch FOR UPDATE SKIP LOCKED
    ))
""")
_NONCES = text("""
    DELETE FROM request_nonces WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM request_nonces WHERE signed_at < now() - CAST(:age AS interval)
        ORDER BY signed_at LIMIT :batch FOR UPDATE SKIP LOCKED
    ))
""")
_ATTEMPTS = text("""
    DELETE FROM log_in_attempts WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM log_in_attempts WHERE at < now() - CAST(:age AS interval)
        ORDER BY at LIMIT :batch FOR UPDATE SKIP LOCKED
    ))
""")
_NETWORKS = text("""
    DELETE FROM known_networks WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM known_networks WHERE last_seen_at < now() - CAST(:age AS interval)
        ORDER BY last_seen_at LIMIT :batch FOR UPDATE SKIP LOCKED
    ))
""")
_MAILS = text("""
    DELETE FROM mails WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM mails WHERE finished_at < now() - CAST(:age AS interval)
        ORDER BY finished_at LIMIT :batch FOR UPDATE SKIP LOCKED
    ))
""")
# A mail that is still to be sent gets a new link in place of one that has gone.
_MAILED_LINKS = text("""
    DELETE FROM mailed_links WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM mailed_links WHERE expires_at < now() - CAST(:age AS interval)
        ORDER BY expires_at LIMIT :batch FOR UPDATE SKIP LOCKED
    ))
""")
_RULES: Mapping[TextClause, timedelta] = {
    _REQUESTS: REQUESTS_FOR,
    _JOB_LOG: JOB_LOG_FOR,
    _DELIVERIES: DELIVERIES_FOR,
    _REFRESH_TOKENS: REFRESH_TOKENS_FOR,
    _SESSIONS: SESSIONS_FOR,
    _MAILS: MAILS_FOR,
    _MAILED_LINKS: MAILED_LINKS_FOR,
    _NONCES: NONCES_FOR,
    _ATTEMPTS: ATTEMPTS_FOR,
    _NETWORKS: NETWORKS_FOR,
}


class PostgresRetention:
    """Prunes the request log, the queue's log, old deliveries, sessions that are long over with their tokens, nonces that
    no signature can come back under, attempts at log-ins, and networks of long ago.

    Orders, payments, refunds and events are kept.
    """

    def __init__(self, engine: AsyncEngine, *, batch: int = BATCH, max_batches: int = MAX_BATCHES) -> None:
        self._engine = engine
        self._batch = batch
        self._max_batches = max_batches

    async def prune(self) -> int:
        """How many rows went, `batch * max_batches` of a table at most."""
        pruned = 0
        for statement, age in _RULES.items():
            for _ in range(self._max_batches):
                async with self._engine.begin() as connection:
                    result = await connection.execute(statement, {"age": age, "batch": self._batch})
                pruned += result.rowcount
                if result.rowcount < self._batch:
                    break
        return pruned
