"""Deletes what has served its time, a little at a time."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

# A day is promised to callers who retry; a week lets people look back.
REQUESTS_FOR = timedelta(days=7)
# But for those whose second run would send money or add pieces again however late it comes: nothing else stands in its
# way, as the order does for one that is placed or cancelled. They are as few as refunds and deliveries, which stay too.
_HARMLESS_LATE = "method NOT IN ('RefundOrder', 'ReceiveStock', 'BatchReceiveStock', 'AdjustStock')"
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
# Somebody else's use of a session is looked into within weeks; it is kept as long as what it is compared with.
TRACES_FOR = NETWORKS_FOR
# Counted from when a mail was sent, or from when a link expired. People ask within the month whether a mail was sent; a
# mail about an order stays longer than its event could come again.
MAILS_FOR = timedelta(days=30)
MAILED_LINKS_FOR = timedelta(days=1)
# Rows of one transaction: some milliseconds of locks that nobody else wants.
BATCH = 5_000
# Transactions of one run and table; what is left over waits for the next run.
MAX_BATCHES = 20


def _pruning(table: str, column: str, only: str = "true") -> TextClause:
    """Deletes rows of the table whose `column` is older than `:age`, `:batch` of them at most, the oldest first.

    Several workers prune side by side: none waits for another's rows.
    """
    return text(f"""
        DELETE FROM {table} WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM {table} WHERE {only} AND {column} < now() - CAST(:age AS interval)
            ORDER BY {column} LIMIT :batch FOR UPDATE SKIP LOCKED
        ))
    """)  # noqa: S608  (names from this file)


_RULES: Mapping[TextClause, timedelta] = {
    _pruning("request_log", "created_at", only=_HARMLESS_LATE): REQUESTS_FOR,
    _pruning("pgqueuer_log", "created"): JOB_LOG_FOR,
    # Deliveries that are done with; the same one again would find its payment kept.
    _pruning("gateway_events", "received_at", only="state <> 'pending'"): DELIVERIES_FOR,
    _pruning("refresh_tokens", "expires_at"): REFRESH_TOKENS_FOR,
    # Ended ones too: nobody can refresh them, so they expire within a week. Their tokens are gone by then or go with them.
    _pruning("sessions", "expires_at"): SESSIONS_FOR,
    _pruning("mails", "finished_at"): MAILS_FOR,
    # A mail that is still to be sent gets a new link in place of one that has gone.
    _pruning("mailed_links", "expires_at"): MAILED_LINKS_FOR,
    _pruning("request_nonces", "signed_at"): NONCES_FOR,
    _pruning("log_in_attempts", "at"): ATTEMPTS_FOR,
    _pruning("known_networks", "last_seen_at"): NETWORKS_FOR,
    _pruning("audit_traces", "at"): TRACES_FOR,
}


class PostgresRetention:
    """Prunes the request log, the queue's log, old deliveries, sessions that are long over with their tokens, nonces that
    no signature can come back under, attempts at log-ins, and networks of long ago, those beside the audit log among them.

    Orders, payments, refunds and events are kept, and requests that must never take effect again.
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
