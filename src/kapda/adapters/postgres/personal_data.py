"""All that is kept about one person, read and erased across every context's tables.

A test compares the tables that point to users with what stands here: a new one is decided about, not forgotten.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import TextClause, text

from kapda.adapters.postgres.connection import Connection
from kapda.domain.identity.erasure import OpenBusiness
from kapda.domain.shared.ids import UserId

# The newest orders of one export: more than a person places, and a bound on one answer's size.
MAX_ORDERS = 1_000

# One statement, so that everything is of one moment. The driver hands JSON over as text when it is cast to it.
_EXPORT = text("""
    SELECT CAST(jsonb_build_object(
        'account', (
            SELECT jsonb_build_object('id', id, 'email', email, 'display_name', display_name, 'phone', phone,
                'email_confirmed_at', email_confirmed_at, 'role', role, 'created_at', created_at)
            FROM users WHERE id = :user_id),
        'addresses', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'label', label, 'address', address, 'created_at', created_at) ORDER BY created_at), '[]')
            FROM user_addresses WHERE user_id = :user_id),
        'sessions', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'created_at', created_at, 'expires_at', expires_at, 'revoked_at', revoked_at,
                'begun_network', begun_network, 'begun_agent', begun_agent, 'refreshed_at', refreshed_at,
                'refreshed_network', refreshed_network, 'refreshed_agent', refreshed_agent) ORDER BY created_at), '[]')
            FROM sessions WHERE user_id = :user_id),
        'known_networks', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'network', network, 'last_seen_at', last_seen_at) ORDER BY last_seen_at), '[]')
            FROM known_networks WHERE user_id = :user_id),
        'alarms', (
            SELECT coalesce(jsonb_agg(traces || jsonb_build_object('at', t.at, 'action', e.action) ORDER BY t.at), '[]')
            FROM audit_traces t JOIN audit_entries e ON e.id = t.entry_id WHERE t.user_id = :user_id),
        'designers', (
            SELECT coalesce(jsonb_agg(d.display_name ORDER BY d.display_name), '[]')
            FROM designer_members m JOIN designers d ON d.id = m.designer_id WHERE m.user_id = :user_id),
        'cart', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'variant_id', l.variant_id, 'quantity', l.quantity, 'price_when_added_minor', l.unit_price_minor,
                'added_at', l.created_at) ORDER BY l.created_at), '[]')
            FROM carts c JOIN cart_lines l ON l.cart_id = c.id WHERE c.customer_id = :user_id),
        'checkouts', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'id', id, 'state', state, 'total_minor', total_minor, 'address', address, 'created_at', created_at)
                ORDER BY created_at), '[]')
            FROM checkouts WHERE customer_id = :user_id AND state <> 'placed'),
        'orders', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'id', o.id, 'number', o.number, 'state', o.state, 'total_minor', o.total_minor,
                'shipping_minor', o.shipping_minor, 'currency', o.currency, 'address', o.address,
                'placed_at', o.placed_at,
                'lines', (
                    SELECT jsonb_agg(jsonb_build_object('sku', l.sku, 'title', l.title, 'options', l.options,
                        'quantity', l.quantity, 'unit_price_minor', l.unit_price_minor, 'gst_minor', l.gst_minor)
                        ORDER BY l.position)
                    FROM order_lines l WHERE l.order_id = o.id),
                'history', (
                    SELECT jsonb_agg(jsonb_build_object('state', h.state, 'at', h.created_at) ORDER BY h.sequence)
                    FROM order_history h WHERE h.order_id = o.id)
                ) ORDER BY o.placed_at DESC), '[]')
            FROM (SELECT * FROM orders WHERE customer_id = :user_id ORDER BY id DESC LIMIT :max_orders) AS o),
        'payments', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'id', p.id, 'gateway_payment_id', p.gateway_payment_id, 'amount_minor', p.amount_minor,
                'currency', p.currency, 'method', p.method, 'captured_at', p.captured_at,
                'refunds', (
                    SELECT coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'amount_minor', r.amount_minor,
                        'state', r.state, 'requested_at', r.requested_at) ORDER BY r.requested_at), '[]')
                    FROM refunds r WHERE r.payment_id = p.id)
                ) ORDER BY p.captured_at), '[]')
            FROM payments p JOIN checkouts c ON c.id = p.checkout_id WHERE c.customer_id = :user_id)
    ) AS text)
""")

_OPEN_BUSINESS = text("""
    SELECT
        (SELECT count(*) FROM checkouts WHERE customer_id = :user_id AND state IN ('opening', 'open', 'capturing'))
            AS checkouts,
        (SELECT count(*) FROM refunds r JOIN payments p ON p.id = r.payment_id
            JOIN checkouts c ON c.id = p.checkout_id
            WHERE c.customer_id = :user_id AND r.state IN ('requested', 'pending')) AS refunds,
        (SELECT count(*) FROM payment_cases k JOIN checkouts c ON c.id = k.checkout_id
            WHERE c.customer_id = :user_id AND k.state = 'open') AS cases
""")

# The address stays on orders alone, and on their checkouts' rows, which are read with them.
_ERASURE: Sequence[TextClause] = (
    text("DELETE FROM user_addresses WHERE user_id = :user_id"),
    # The rows stay, ended, until they expire: the revoked tokens are refilled from them.
    text("""
        UPDATE sessions SET begun_network = NULL, begun_agent = NULL, refreshed_network = NULL, refreshed_agent = NULL
        WHERE user_id = :user_id
    """),
    text("DELETE FROM known_networks WHERE user_id = :user_id"),
    # What the audit log itself keeps says nothing of where somebody was.
    text("DELETE FROM audit_traces WHERE user_id = :user_id"),
    # What was still to be mailed would find nobody.
    text("DELETE FROM mails WHERE user_id = :user_id"),
    text("DELETE FROM mailed_links WHERE user_id = :user_id"),
    text("DELETE FROM carts WHERE customer_id = :user_id"),
    text("DELETE FROM designer_members WHERE user_id = :user_id"),
    # What the tax's place of supply was is no secret; who lives where is. The digest of the door goes as well.
    text("""
        UPDATE checkouts SET door = '',
            address = address || '{"name": "-", "phone": "+910000000000", "line1": "-", "line2": "", "city": "-"}'
        WHERE customer_id = :user_id AND state <> 'placed'
    """),
    # Payers' mail addresses and telephone numbers, as the gateway wrote them. What is done with is not read again.
    text("""
        UPDATE gateway_events e SET body = ''
        FROM payments p JOIN checkouts c ON c.id = p.checkout_id
        WHERE c.customer_id = :user_id AND e.gateway_payment_id = p.gateway_payment_id AND e.state <> 'pending'
    """),
    # Kept answers to requests, such as carts and checkouts. The rows they tell of have keys of their own. Behind those
    # rows: whoever opens a checkout locks it first and answers then, and must not meet us the other way round.
    text("DELETE FROM request_log WHERE scope = :user_id"),
)
_ERASE_ACCOUNT = text("""
    UPDATE users SET email = id || '@deleted.invalid', email_key = id || '@deleted.invalid',
        display_name = 'Deleted account', phone = NULL, password_hash = '', status = 'deleted',
        email_confirmed_at = NULL,
        profile_version = profile_version + 1, updated_at = :at
    WHERE id = :user_id
""")


class PostgresPersonalData:
    """See the port."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def export(self, user_id: UserId) -> str:
        """See the port."""
        document: str = (
            await self._connection.execute(_EXPORT, {"user_id": user_id, "max_orders": MAX_ORDERS})
        ).scalar_one()
        return document

    async def open_business(self, user_id: UserId) -> OpenBusiness:
        """See the port."""
        row = (await self._connection.execute(_OPEN_BUSINESS, {"user_id": user_id})).one()
        return OpenBusiness(checkouts=row.checkouts, refunds=row.refunds, cases=row.cases)

    async def erase(self, user_id: UserId, at: datetime) -> None:
        """See the port."""
        for statement in _ERASURE:
            await self._connection.execute(statement, {"user_id": user_id})
        await self._connection.execute(_ERASE_ACCOUNT, {"user_id": user_id, "at": at})
