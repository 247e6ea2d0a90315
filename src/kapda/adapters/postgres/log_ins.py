"""Log-ins, attempts at them, and from where users got in, in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from kapda.adapters.postgres.connection import Connection
from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.log_in_attempts import MEMORY, Attempt, Outcome, PastAttempt
from kapda.domain.identity.log_in_ports import SuccessfulLogIn
from kapda.domain.identity.user import EmailAddress, Role
from kapda.domain.shared.ids import UserId

# A name that no other advisory lock of ours begins with: two identifiers rarely share a lock, and lose nothing then.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:identifier AS text), 5))")
# Not now(): a transaction that waited for the lock must not see itself as older than what it waited for.
_RECENT = text("""
    SELECT id, network, clock_timestamp() - at AS age, outcome FROM log_in_attempts a
    WHERE identifier = :identifier AND at > clock_timestamp() - CAST(:memory AS interval) AND outcome <> 'succeeded'
      AND NOT EXISTS (
        SELECT FROM log_in_attempts later
        WHERE later.identifier = :identifier AND later.network = a.network AND later.outcome = 'succeeded'
          AND later.at > a.at
      )
    ORDER BY at, id
""")
_RECORDED = """
    INSERT INTO log_in_attempts (id, identifier, network, at, outcome)
    SELECT :id, :identifier, :network, clock_timestamp(), :outcome {condition}
    ON CONFLICT ON CONSTRAINT log_in_attempts_pkey DO UPDATE SET outcome = excluded.outcome
"""
_RECORD = text(_RECORDED.format(condition=""))
# A success stays: it counts against nobody.
_CLEAR = text("""
    WITH cleared AS (
        DELETE FROM log_in_attempts WHERE identifier = :identifier AND outcome <> 'succeeded' RETURNING id
    )
    SELECT count(*) FROM cleared
""")
_WITHDRAW = text("DELETE FROM log_in_attempts WHERE id = :id")
# Whoever comes every day need not be written down every time.
_KNOWN = """
    INSERT INTO known_networks (user_id, network, last_seen_at) SELECT :user_id, :network, :at {condition}
    ON CONFLICT ON CONSTRAINT known_networks_pkey DO UPDATE SET last_seen_at = excluded.last_seen_at
    WHERE known_networks.last_seen_at < excluded.last_seen_at - interval '1 day'
"""
_KNOW = text(_KNOWN.format(condition=""))
_KNOWS = text("""
    SELECT EXISTS (
        SELECT FROM known_networks n JOIN users u ON u.id = n.user_id
        WHERE u.email_key = :email_key AND n.network = :network
    )
""")
# A log-in that waited for the account's row looks at what the row has become.
_KEEP = text(f"""
    WITH account AS (
        SELECT role FROM users WHERE id = :user_id AND status = 'active' AND password_hash = :checked_hash
        FOR NO KEY UPDATE
    ), session AS (
        INSERT INTO sessions (id, user_id, created_at, expires_at, begun_network, begun_agent)
        SELECT :session_id, :user_id, :at, :expires_at, :network, :agent FROM account
    ), token AS (
        INSERT INTO refresh_tokens (digest, session_id, issued_at, expires_at, successors)
        SELECT :digest, :session_id, :at, :expires_at, 0 FROM account
    ), attempt AS ({_RECORDED.format(condition="FROM account")}), known AS ({_KNOWN.format(condition="FROM account")})
    SELECT role FROM account
""")  # noqa: S608  (constants only)


class PostgresLogIns:
    """Log-ins in the transaction of a connection, or each a statement of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def keep(self, log_in: SuccessfulLogIn) -> Role | None:
        """See the port."""
        session, attempt = log_in.session, log_in.attempt
        role = await self._connection.scalar(
            _KEEP,
            {
                **_attempt_values(attempt, Outcome.SUCCEEDED),
                "user_id": session.user_id,
                "checked_hash": log_in.checked_hash,
                "session_id": session.id,
                "at": session.created_at,
                "expires_at": session.expires_at,
                "agent": session.begun_from.user_agent,
                "digest": log_in.token.digest,
            },
        )
        return None if role is None else Role(role)


class PostgresLogInAttempts:
    """Attempts in the transaction of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock(self, identifier: str) -> None:
        """Take the identifier's lock until the transaction ends."""
        await self._connection.execute(_LOCK, {"identifier": identifier})

    async def recent(self, identifier: str) -> Sequence[PastAttempt]:
        """The attempts at the identifier within MEMORY that count, the oldest first."""
        rows = await self._connection.execute(_RECENT, {"identifier": identifier, "memory": MEMORY})
        return [PastAttempt(row.id, ClientNetwork(row.network), row.age, Outcome(row.outcome)) for row in rows]

    async def record(self, attempt: Attempt, outcome: Outcome) -> None:
        """Insert the attempt, or update how it ended."""
        await self._connection.execute(_RECORD, _attempt_values(attempt, outcome))

    async def clear(self, identifier: str) -> int:
        """Delete the attempts that are no success."""
        return int(await self._connection.scalar(_CLEAR, {"identifier": identifier}))

    async def withdraw(self, attempt: Attempt) -> None:
        """Delete the attempt."""
        await self._connection.execute(_WITHDRAW, {"id": attempt.id})


class PostgresKnownNetworks:
    """Known networks in the transaction of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, user_id: UserId, network: ClientNetwork, at: datetime) -> None:
        """Insert the network, or say that it was seen again."""
        await self._connection.execute(_KNOW, {"user_id": user_id, "network": network.text, "at": at})

    async def knows(self, email: EmailAddress, network: ClientNetwork) -> bool:
        """Whether the address's user got in from there."""
        values = {"email_key": email.key, "network": network.text}
        return bool(await self._connection.scalar(_KNOWS, values))


def _attempt_values(attempt: Attempt, outcome: Outcome) -> dict[str, object]:
    return {
        "id": attempt.id,
        "identifier": attempt.identifier,
        "network": attempt.network.text,
        "outcome": outcome.value,
    }
