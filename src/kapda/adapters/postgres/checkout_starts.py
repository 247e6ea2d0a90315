"""Starts of checkouts in PostgreSQL: what is locked for one, and what it is decided on.

What has to be read behind the locks is a statement of its own: one that waits for a lock has everything but the locked row
as it was when the statement began.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import text

from kapda.adapters.postgres.cart_statements import COLUMNS, CUSTOMERS, IN_ORDER, WITH_LINES
from kapda.adapters.postgres.carts import to_cart
from kapda.adapters.postgres.checkouts import LIVE_STATES, PostgresCheckouts
from kapda.adapters.postgres.connection import Connection, Rows
from kapda.adapters.postgres.request_log import CLAIMED, PostgresRequestLog, claim_values
from kapda.domain.checkout.hold_limits import DOOR_LIMIT, LONGEST_WINDOW, MOST_STARTS, UNPAID, HoldPressure
from kapda.domain.checkout.ports import StartBasis
from kapda.domain.shared.ids import CheckoutId, UserId
from kapda.domain.shared.request_log import EarlierRequest, RequestKey

T = TypeVar("T")

# Nothing is locked before the claim, and no door before the cart: each part begins with what it waits for. Starts for
# one door wait for each other, so that none is counted too late. Two doors that share the lock's key by chance only wait a
# little.
_CLAIM_AND_LOCK = text(f"""
    WITH {CLAIMED}, cart AS MATERIALIZED (
        SELECT c.id FROM carts c WHERE {CUSTOMERS} AND EXISTS (SELECT FROM claimed) FOR NO KEY UPDATE
    ), door AS MATERIALIZED (
        SELECT pg_advisory_xact_lock(hashtextextended(encode(CAST(:door AS bytea), 'hex'), 0)) FROM cart
    )
    SELECT (SELECT first FROM claimed) AS claimed, (SELECT id FROM cart) AS cart_id, (SELECT count(*) FROM door) AS doors
""")  # noqa: S608  (constants only)
_UNPAID = ", ".join(f"'{state.value}'" for state in sorted(UNPAID, key=lambda state: state.value))
_LIVE = f"FROM checkouts WHERE cart_id = :cart_id AND state IN ({LIVE_STATES})"
_BASIS = text(f"""
    WITH live AS MATERIALIZED (SELECT id {_LIVE} FOR NO KEY UPDATE)
    SELECT {COLUMNS}, (SELECT id FROM live) AS live_id, EXISTS (SELECT {_LIVE}) AS had_live,
        ARRAY(SELECT created_at FROM checkouts
              WHERE customer_id = :customer_id AND state IN ({_UNPAID}) AND created_at > :since
              ORDER BY created_at DESC LIMIT {MOST_STARTS}) AS unpaid_starts,
        (SELECT count(*) FROM (
            SELECT FROM checkouts WHERE door = :door AND state IN ({LIVE_STATES}) AND customer_id <> :customer_id
            LIMIT {DOOR_LIMIT}) others) AS others_at_door
    {WITH_LINES.format(lines="cart_lines")} WHERE c.id = :cart_id {IN_ORDER}
""")  # noqa: S608  (constants only)


class PostgresCheckoutStarts:
    """See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def claim_and_lock(
        self,
        key: RequestKey,
        answer_type: type[T],
        checkout_id: CheckoutId,
        customer_id: UserId,
        *,
        door: bytes,
        at: datetime,
    ) -> StartBasis | EarlierRequest[T] | None:
        """See the port."""
        values = claim_values(key, checkout_id) | {"id": customer_id, "at": at, "door": door}
        locked = (await self._connection.execute(_CLAIM_AND_LOCK, values)).one()
        if not locked["claimed"]:
            return await PostgresRequestLog(self._connection).earlier(key, answer_type)
        if locked["cart_id"] is None:
            return None
        since = at - LONGEST_WINDOW
        rows = await self._read(
            {"cart_id": locked["cart_id"], "customer_id": customer_id, "door": door, "since": since}
        )
        first = rows[0]
        live_id = first["live_id"]
        return StartBasis(
            to_cart(rows),
            await PostgresCheckouts(self._connection).get(CheckoutId(live_id), None) if live_id else None,
            HoldPressure(tuple(first["unpaid_starts"]), first["others_at_door"]),
        )

    async def _read(self, values: Mapping[str, Any]) -> Rows:
        rows = await self._connection.execute(_BASIS, values)
        if rows[0]["had_live"] and rows[0]["live_id"] is None:
            # Somebody ended the live one while it was waited for, and the rest is as it was before that. Another cannot come
            # meanwhile: the cart is locked.
            rows = await self._connection.execute(_BASIS, values)
        return rows
