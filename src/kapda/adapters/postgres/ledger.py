"""The books in PostgreSQL."""

from kapda.adapters.postgres.connection import Connection
from kapda.adapters.postgres.json_columns import to_json
from kapda.adapters.postgres.writes import Write
from kapda.domain.ledger.entries import LedgerTransaction

_BOOK = Write("""
    booked AS (
        INSERT INTO ledger_transactions (id, kind, reference_id, created_at)
        VALUES (:id, :kind, :reference_id, :created_at) RETURNING id
    ), booked_entries AS (
        INSERT INTO ledger_entries (transaction_id, position, account, designer_id, amount_minor, currency)
        SELECT booked.id, e.position, e.account, e.designer_id, e.amount_minor, e.currency
        FROM booked, jsonb_to_recordset(CAST(:entries AS jsonb))
            AS e (position integer, account text, designer_id uuid, amount_minor bigint, currency text)
    )
""")


class PostgresLedger:
    """See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def book(self, transaction: LedgerTransaction) -> None:
        """See the port."""
        entries = [
            {
                "position": position,
                "account": entry.account.value,
                "designer_id": entry.designer_id,
                "amount_minor": entry.amount.amount_minor,
                "currency": entry.amount.currency,
            }
            for position, entry in enumerate(transaction.entries, start=1)
        ]
        await self._connection.write(
            _BOOK,
            {
                "id": transaction.id,
                "kind": transaction.kind.value,
                "reference_id": transaction.reference_id,
                "created_at": transaction.created_at,
                "entries": to_json(entries),
            },
        )
