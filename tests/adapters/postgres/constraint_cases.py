"""For each constraint of the schema, a statement that breaks it and nothing else."""

from typing import Final

_ANOTHER_VARIANT = """INSERT INTO variants (id, product_id, position, sku, options, price_minor, currency, hsn_code,
    created_at, updated_at) SELECT uuidv7(), product_id, {position}, 'another', {options}, price_minor, currency,
    hsn_code, created_at, updated_at FROM variants LIMIT 1"""
_MOVEMENT = """INSERT INTO stock_movements (variant_id, kind, on_hand_delta, held_delta, reason, actor, hold_id,
    created_at) SELECT variant_id, {}, '', '', {}, now() FROM stock LIMIT 1"""
_ENTRY = """INSERT INTO ledger_entries (transaction_id, position, account, designer_id, amount_minor, currency)
    SELECT id, 99, {}, 'INR' FROM ledger_transactions LIMIT 1"""
_FREE_LINE = """UPDATE order_lines SET {} = 0, line_total_minor = 0, taxable_minor = 0, gst_minor = 0,
    commission_minor = 0, commission_gst_minor = 0, designer_net_minor = 0"""
_GUEST_CART = """INSERT INTO carts (id, guest_token_digest, created_at, updated_at, expires_at)
    SELECT uuidv7(), digest, now(), now(), now() FROM (VALUES ({})) AS v (digest, carts), generate_series(1, carts)"""
_REVERSAL = """WITH reversal AS (
        INSERT INTO order_reversals (refund_id, order_id, shipping_minor)
        SELECT r.id, l.order_id, 0 FROM refunds r, order_lines l LIMIT 1 RETURNING refund_id, order_id
    ) INSERT INTO order_reversal_lines (refund_id, order_id, position, quantity, amount_minor, designer_net_minor,
        commission_minor, commission_gst_minor) SELECT refund_id, order_id, 1, {}, 0, 0 FROM reversal"""
_DESIGNER = "(SELECT id FROM designers LIMIT 1)"

IDENTITY: Final = [
    (
        "users_email_key_unique",
        """INSERT INTO users SELECT uuidv7(), email, email_key, display_name, password_hash, role, created_at, updated_at
           FROM users LIMIT 1""",
    ),
    ("users_role_known", "UPDATE users SET role = 'root'"),
    ("users_service_has_no_password", "UPDATE users SET role = 'service' WHERE password_hash <> '!'"),
    ("users_email_key_is_folded", "UPDATE users SET email_key = upper(email_key)"),
    ("users_status_known", "UPDATE users SET status = 'asleep'"),
    ("users_phone_e164", "UPDATE users SET phone = '9820012345'"),
    ("sessions_begun_agent_length", "UPDATE sessions SET begun_agent = repeat('x', 201)"),
    ("sessions_refreshed_agent_length", "UPDATE sessions SET refreshed_agent = repeat('x', 201)"),
    ("refresh_tokens_digest_is_sha256", "UPDATE refresh_tokens SET digest = 'short'"),
    ("refresh_tokens_expire_after_issue", "UPDATE refresh_tokens SET expires_at = issued_at"),
    ("refresh_tokens_successors_of_the_used", "UPDATE refresh_tokens SET used_at = now()"),
    ("refresh_tokens_successors_of_the_used", "UPDATE refresh_tokens SET successors = 1"),
    ("sessions_expire_after_creation", "UPDATE sessions SET expires_at = created_at"),
    (
        "log_in_attempts_outcome_known",
        "INSERT INTO log_in_attempts SELECT uuidv7(), 'digest', 'network', now(), 'guessed'",
    ),
]
_API_KEY = """INSERT INTO api_keys (id, service_id, prefix, digest, scopes, designer_id, created_at, expires_at)
    SELECT uuidv7(), u.id, {}, {}, {}, {}, now(), {} FROM (SELECT id FROM users LIMIT 1) AS u"""
_PREFIX, _DIGEST, _READS = "'abcd2345'", "sha256('key')", "CAST('{INVENTORY_READ}' AS text[])"
_THREE_TIMES = ", generate_series(2, 4) AS g (n)"
_REPLACE_ALL = "UPDATE api_keys SET replaced_by = (SELECT id FROM api_keys WHERE prefix = 'abcd2342')"
API_KEYS: Final = [
    (
        "api_keys_prefix_unique",
        _API_KEY.format(_PREFIX, _DIGEST, _READS, "NULL", "NULL") + ", generate_series(1, 2)",
    ),
    ("api_keys_prefix_shape", _API_KEY.format("'abcd234'", _DIGEST, _READS, "NULL", "NULL")),
    ("api_keys_digest_is_sha256", _API_KEY.format(_PREFIX, "CAST('short' AS bytea)", _READS, "NULL", "NULL")),
    ("api_keys_have_scopes", _API_KEY.format(_PREFIX, _DIGEST, "CAST('{}' AS text[])", "NULL", "NULL")),
    (
        "api_keys_expire_after_creation",
        _API_KEY.format(_PREFIX, _DIGEST, _READS, "NULL", "now() - interval '1 second'"),
    ),
    (
        "api_keys_of_a_house_mind_its_stock",
        _API_KEY.format(_PREFIX, _DIGEST, "CAST('{INVENTORY_READ,REFUND}' AS text[])", _DESIGNER, "NULL"),
    ),
    (
        "api_keys_replaced_once",
        "; ".join((_API_KEY.format("'abcd234' || n", _DIGEST, _READS, "NULL", "NULL") + _THREE_TIMES, _REPLACE_ALL)),
    ),
]
_AUDITED = """INSERT INTO audit_entries (id, at, actor_kind, actor_id, action, subject_type, subject_id, reason, request_id,
    details) VALUES (uuidv7(), now(), {}, 'USER_DISABLED', 'user', uuidv7(), {}, 'call', {})"""
MAILS: Final = [
    ("mailed_links_purpose_known", "UPDATE mailed_links SET purpose = 'fun'"),
    ("mailed_links_digest_is_sha256", "UPDATE mailed_links SET digest = 'short'"),
    ("mailed_links_expire_after_creation", "UPDATE mailed_links SET expires_at = created_at"),
    (
        "mailed_links_one_live_a_purpose",
        """INSERT INTO mailed_links SELECT uuidv7(), user_id, purpose, email_key, digest, created_at, expires_at
           FROM mailed_links LIMIT 1""",
    ),
    ("mails_kind_known", "UPDATE mails SET kind = 'advertisement'"),
    (
        "mails_state_known",
        "UPDATE mails SET state = 'lost', next_attempt_at = NULL, finished_at = now(), address = NULL",
    ),
    ("mails_queued_have_a_recipient", "UPDATE mails SET user_id = NULL, address = NULL"),
    ("mails_queued_have_a_recipient", "UPDATE mails SET address = 'asha@example.in' WHERE user_id IS NOT NULL"),
    (
        "mails_finished_hold_no_address",
        """UPDATE mails SET state = 'sent', next_attempt_at = NULL, finished_at = now(), address = 'asha@example.in'
           WHERE subject_id IS NOT NULL""",
    ),
    ("mails_due_while_queued", "UPDATE mails SET next_attempt_at = NULL"),
    ("mails_due_while_queued", "UPDATE mails SET finished_at = now()"),
    (
        "mails_one_a_subject",
        """INSERT INTO mails (id, kind, user_id, subject_id, queued_at, next_attempt_at)
           SELECT uuidv7(), kind, user_id, subject_id, now(), now() FROM mails WHERE subject_id IS NOT NULL LIMIT 1""",
    ),
    (
        "mails_one_an_address",
        """INSERT INTO mails (id, kind, address, queued_at, next_attempt_at)
           SELECT uuidv7(), kind, upper(address), now(), now() FROM mails WHERE address IS NOT NULL LIMIT 1""",
    ),
]
AUDIT: Final = [
    ("audit_entries_actor_known", _AUDITED.format("'ghost', uuidv7()", "'why'", "'{}'")),
    ("audit_entries_actor_named", _AUDITED.format("'user', NULL", "'why'", "'{}'")),
    ("audit_entries_actor_named", _AUDITED.format("'operator', uuidv7()", "'why'", "'{}'")),
    ("audit_entries_have_a_reason", _AUDITED.format("'user', uuidv7()", "' '", "'{}'")),
    ("audit_entries_have_a_reason", _AUDITED.format("'user', uuidv7()", "repeat('x', 201)", "'{}'")),
    ("audit_entries_details_object", _AUDITED.format("'user', uuidv7()", "'why'", "'[]'")),
    (
        "audit_traces_object",
        "INSERT INTO audit_traces (entry_id, user_id, at, traces) VALUES (uuidv7(), uuidv7(), now(), '[]')",
    ),
    ("audit_is_append_only", "UPDATE audit_entries SET reason = reason"),
    ("audit_is_append_only", "DELETE FROM audit_entries"),
    ("audit_is_append_only", "TRUNCATE audit_entries CASCADE"),
]
CATALOGUE: Final = [
    ("designers_slug_unique", "UPDATE designers SET slug = 'one'"),
    ("designers_gstin_shape", "UPDATE designers SET gstin = '27AAPFU0939F1AV'"),
    ("designers_commission_range", "UPDATE designers SET commission_basis_points = 10001"),
    ("designers_commission_range", "UPDATE designers SET commission_basis_points = -1"),
    ("categories_plural_slug_unique", "UPDATE categories SET plural_slug = 'one'"),
    ("products_slug_unique", "UPDATE products SET slug = 'one'"),
    ("products_state_known", "UPDATE products SET state = 'lost'"),
    ("products_max_quantity_range", "UPDATE products SET max_quantity_per_line = 0"),
    ("products_min_price_positive", "UPDATE products SET min_price_minor = 0"),
    ("products_price_range", "UPDATE products SET max_price_minor = min_price_minor - 1"),
    ("products_price_within_cap", "UPDATE products SET max_price_minor = 10000000001"),
    ("products_published_has_time", "UPDATE products SET published_at = NULL"),
    ("variants_sku_unique", "UPDATE variants SET sku = 'one'"),
    ("variants_sku_plain", "UPDATE variants SET sku = 'KP\u00a01'"),
    ("variants_sku_plain", "UPDATE variants SET sku = 'К-' || id"),
    ("variants_options_object", "UPDATE variants SET options = '[]'"),
    ("variants_price_positive", "UPDATE variants SET price_minor = 0"),
    ("variants_price_within_cap", "UPDATE variants SET price_minor = 10000000001"),
    ("variants_currency_inr", "UPDATE variants SET currency = 'USD'"),
    ("variants_hsn_shape", "UPDATE variants SET hsn_code = '62114'"),
    ("variants_position_unique", _ANOTHER_VARIANT.format(position="position", options="'{}'")),
    ("variants_options_unique", _ANOTHER_VARIANT.format(position="position + 1", options="options")),
]
INVENTORY: Final = [
    ("stock_held_not_negative", "UPDATE stock SET held = -1"),
    ("stock_held_within_on_hand", "UPDATE stock SET held = on_hand + 1"),
    ("stock_low_threshold_range", "UPDATE stock SET low_stock_threshold = -1"),
    ("stock_holds_quantity_positive", "UPDATE stock_holds SET quantity = 0"),
    ("stock_holds_state_known", "UPDATE stock_holds SET state = 'lost' WHERE state = 'sold'"),
    ("stock_holds_ended", "UPDATE stock_holds SET ended_at = NULL WHERE state = 'sold'"),
    ("stock_movements_signs", _MOVEMENT.format("'receive', -1, 0", "NULL")),
    ("stock_movements_signs", _MOVEMENT.format("'receive', 1, 1", "NULL")),
    ("stock_movements_signs", _MOVEMENT.format("'hold', 0, -1", "uuidv7()")),
    ("stock_movements_signs", _MOVEMENT.format("'hold', 0, 1", "NULL")),
    ("stock_movements_signs", _MOVEMENT.format("'release', 0, 1", "uuidv7()")),
    ("stock_movements_signs", _MOVEMENT.format("'sell', -2, -1", "uuidv7()")),
    ("stock_movements_signs", _MOVEMENT.format("'sell', 1, 1", "uuidv7()")),
    ("stock_movements_signs", _MOVEMENT.format("'return', -1, 0", "NULL")),
    ("stock_movements_signs", _MOVEMENT.format("'adjust', 0, 0", "NULL")),
    ("stock_movements_signs", _MOVEMENT.format("'steal', -1, 0", "NULL")),
]
CART: Final = [
    (
        "carts_customer_unique",
        """INSERT INTO carts (id, customer_id, created_at, updated_at, expires_at)
           SELECT uuidv7(), customer_id, created_at, updated_at, expires_at FROM carts LIMIT 1""",
    ),
    (
        "carts_guest_token_unique",
        """INSERT INTO carts (id, guest_token_digest, created_at, updated_at, expires_at)
           SELECT uuidv7(), sha256('guest'), now(), now(), now() FROM generate_series(1, 2)""",
    ),
    (
        "carts_guest_token_is_sha256",
        """INSERT INTO carts (id, guest_token_digest, created_at, updated_at, expires_at)
           VALUES (uuidv7(), 'short', now(), now(), now())""",
    ),
    ("carts_have_one_owner", "UPDATE carts SET customer_id = NULL"),
    ("carts_have_one_owner", "UPDATE carts SET guest_token_digest = sha256('guest') WHERE customer_id IS NOT NULL"),
    ("carts_have_one_owner", "UPDATE carts SET customer_id = NULL"),
    ("carts_have_one_owner", "UPDATE carts SET guest_token_digest = sha256('token')"),
    ("carts_guest_token_is_sha256", _GUEST_CART.format("CAST('short' AS bytea), 1")),
    ("carts_guest_token_unique", _GUEST_CART.format("sha256('token'), 2")),
    ("cart_lines_quantity_positive", "UPDATE cart_lines SET quantity = 0"),
    ("cart_lines_price_positive", "UPDATE cart_lines SET unit_price_minor = 0"),
    ("cart_lines_currency_inr", "UPDATE cart_lines SET currency = 'USD'"),
]
CHECKOUT: Final = [
    ("checkouts_state_known", "UPDATE checkouts SET state = 'paid' WHERE state = 'placed'"),
    ("checkouts_items_total_positive", "UPDATE checkouts SET items_total_minor = 0, total_minor = shipping_minor"),
    (
        "checkouts_shipping_not_negative",
        "UPDATE checkouts SET shipping_minor = -1, total_minor = items_total_minor - 1",
    ),
    ("checkouts_currency_inr", "UPDATE checkouts SET currency = 'USD'"),
    ("checkouts_gateway_order_unique", "UPDATE checkouts SET gateway_order_id = 'order_one'"),
    ("checkouts_total_is_sum", "UPDATE checkouts SET total_minor = total_minor + 1"),
    ("checkouts_hold_outlives_pay_window", "UPDATE checkouts SET hold_until = pay_before"),
    ("checkouts_open_has_gateway_order", "UPDATE checkouts SET gateway_order_id = NULL WHERE state = 'placed'"),
    ("checkouts_ended", "UPDATE checkouts SET ended_at = NULL WHERE state = 'placed'"),
    ("checkouts_ended", "UPDATE checkouts SET ended_at = now() WHERE state = 'open'"),
    (
        "checkouts_one_open_a_cart",
        """UPDATE checkouts SET state = 'capturing', ended_at = NULL
           WHERE state = 'superseded' AND cart_id IN (SELECT cart_id FROM checkouts WHERE state = 'open')""",
    ),
    ("checkout_lines_quantity_positive", "UPDATE checkout_lines SET quantity = 0"),
    ("checkout_lines_price_positive", "UPDATE checkout_lines SET unit_price_minor = 0"),
    ("checkout_lines_gst_range", "UPDATE checkout_lines SET gst_basis_points = 10001"),
    ("checkout_lines_commission_range", "UPDATE checkout_lines SET commission_basis_points = -1"),
    (
        "checkout_lines_variant_unique",
        """INSERT INTO checkout_lines SELECT checkout_id, position + 50, variant_id, product_id, designer_id, sku, title,
           options, quantity, unit_price_minor, hsn_code, gst_basis_points, designer_gstin, commission_basis_points
           FROM checkout_lines LIMIT 1""",
    ),
]
PAYMENTS: Final = [
    ("payments_gateway_payment_unique", "UPDATE payments SET gateway_payment_id = 'pay_one'"),
    ("payments_state_known", "UPDATE payments SET state = 'lost'"),
    ("payments_amount_positive", "UPDATE payments SET amount_minor = 0"),
    ("payments_currency_shape", "UPDATE payments SET currency = 'inr'"),
    ("payments_refunds_within_captured", "UPDATE payments SET refund_reserved_minor = amount_minor + 1"),
    ("payments_refunded_was_reserved", "UPDATE payments SET refunded_minor = refund_reserved_minor + 1"),
    ("payments_refunded_was_reserved", "UPDATE payments SET refund_reserved_minor = -1"),
    (
        "payment_cases_subject_unique",
        """INSERT INTO payment_cases (id, kind, gateway_payment_id, payment_id, checkout_id, amount_minor, currency,
           evidence, state, opened_at) SELECT uuidv7(), kind, gateway_payment_id, payment_id, checkout_id, amount_minor,
           currency, evidence, 'open', opened_at FROM payment_cases WHERE refund_id IS NULL LIMIT 1""",
    ),
    (
        "payment_cases_state_known",
        """UPDATE payment_cases SET state = 'lost', resolved_at = NULL, resolution = NULL, resolved_by = NULL,
           resolution_reason = NULL""",
    ),
    ("payment_cases_resolved", "UPDATE payment_cases SET resolved_at = NULL"),
    ("payment_cases_resolved", "UPDATE payment_cases SET resolved_by = NULL"),
    ("payment_cases_resolution_known", "UPDATE payment_cases SET resolution = 'lost'"),
    ("gateway_events_event_unique", "UPDATE gateway_events SET event_id = 'evt_one'"),
    ("gateway_events_entity_unique", "UPDATE gateway_events SET entity_key = 'one'"),
    ("gateway_events_state_known", "UPDATE gateway_events SET state = 'lost' WHERE state = 'processed'"),
    ("gateway_events_pending_is_due", "UPDATE gateway_events SET next_attempt_at = now() WHERE state = 'processed'"),
]
ORDERS: Final = [
    ("orders_number_unique", "UPDATE orders SET number = 'K1'"),
    ("orders_checkout_unique", "UPDATE orders SET checkout_id = (SELECT checkout_id FROM orders LIMIT 1)"),
    ("orders_payment_unique", "UPDATE orders SET payment_id = (SELECT payment_id FROM orders LIMIT 1)"),
    ("orders_state_known", "UPDATE orders SET state = 'lost'"),
    ("orders_items_total_positive", "UPDATE orders SET items_total_minor = 0, total_minor = shipping_minor"),
    ("orders_shipping_not_negative", "UPDATE orders SET shipping_minor = -1, total_minor = items_total_minor - 1"),
    ("orders_total_is_sum", "UPDATE orders SET total_minor = total_minor - 1"),
    ("order_lines_quantity_positive", _FREE_LINE.format("quantity")),
    ("order_lines_price_positive", _FREE_LINE.format("unit_price_minor")),
    (
        "order_lines_commission_not_negative",
        "UPDATE order_lines SET commission_minor = -1, designer_net_minor = line_total_minor + 1 - commission_gst_minor",
    ),
    (
        "order_lines_commission_gst_not_negative",
        "UPDATE order_lines SET commission_gst_minor = -1, designer_net_minor = line_total_minor + 1 - commission_minor",
    ),
    (
        "order_lines_net_not_negative",
        "UPDATE order_lines SET designer_net_minor = -1, commission_minor = line_total_minor + 1 - commission_gst_minor",
    ),
    ("order_lines_total", "UPDATE order_lines SET unit_price_minor = unit_price_minor + 1"),
    ("order_lines_tax_splits_total", "UPDATE order_lines SET taxable_minor = taxable_minor - 1"),
    ("order_lines_earnings_split_total", "UPDATE order_lines SET designer_net_minor = designer_net_minor + 1"),
    (
        "order_lines_variant_unique",
        "UPDATE order_lines SET variant_id = (SELECT variant_id FROM order_lines LIMIT 1)",
    ),
]
REFUNDS: Final = [
    ("refunds_kind_known", "UPDATE refunds SET kind = 'lost'"),
    ("refunds_amount_positive", "UPDATE refunds SET amount_minor = 0"),
    (
        "refunds_state_known",
        "UPDATE refunds SET state = 'lost', next_look_at = NULL, gateway_refund_id = 'rfnd_' || id",
    ),
    ("refunds_gateway_refund_unique", "UPDATE refunds SET gateway_refund_id = 'rfnd_one'"),
    ("refunds_under_way_is_due", "UPDATE refunds SET state = 'requested', next_look_at = NULL"),
    (
        "refunds_sent_is_known",
        "UPDATE refunds SET state = 'processed', next_look_at = NULL, gateway_refund_id = NULL",
    ),
    (
        "order_reversals_shipping_not_negative",
        """INSERT INTO order_reversals (refund_id, order_id, shipping_minor)
           SELECT r.id, o.id, -1 FROM refunds r, orders o LIMIT 1""",
    ),
    ("order_reversal_lines_quantity_positive", _REVERSAL.format("0, 0, 0")),
    ("order_reversal_lines_split", _REVERSAL.format("1, 5, 4")),
]
LEDGER: Final = [
    (
        "ledger_transactions_reference_unique",
        """INSERT INTO ledger_transactions (id, kind, reference_id, created_at)
           SELECT uuidv7(), kind, reference_id, now() FROM ledger_transactions LIMIT 1""",
    ),
    ("ledger_entries_account_known", _ENTRY.format("'petty_cash', NULL, 5")),
    ("ledger_entries_amount_not_zero", _ENTRY.format("'gateway_receivable', NULL, 0")),
    ("ledger_entries_designer_named", _ENTRY.format("'designer_payable', NULL, 5")),
    ("ledger_entries_designer_named", _ENTRY.format(f"'gateway_receivable', {_DESIGNER}, 5")),
    ("ledger_transaction_balances", _ENTRY.format("'gateway_receivable', NULL, 5")),
    ("ledger_is_append_only", "UPDATE ledger_entries SET amount_minor = amount_minor"),
    ("ledger_is_append_only", "DELETE FROM ledger_entries"),
    ("ledger_is_append_only", "UPDATE ledger_transactions SET kind = kind"),
    ("ledger_is_append_only", "DELETE FROM ledger_transactions"),
    ("outbox_events_sequence_positive", "UPDATE outbox_events SET sequence = 0"),
]
CASES: Final = [
    *IDENTITY,
    *API_KEYS,
    *MAILS,
    *AUDIT,
    *CATALOGUE,
    *INVENTORY,
    *CART,
    *CHECKOUT,
    *PAYMENTS,
    *ORDERS,
    *REFUNDS,
    *LEDGER,
]
