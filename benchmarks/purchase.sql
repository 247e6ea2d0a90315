-- The rows of one purchase, written by pgbench as kapda writes them: four transactions, each durable before the next.
-- What kapda reads to decide (prices, limits, earlier requests) is left out, so this is a floor, not a rival.
\set piece random(1, :pieces)
SELECT b.user_id AS buyer, p.variant_id AS variant, p.product_id AS product, p.designer_id AS designer,
    uuidv7() AS asked, uuidv7() AS checkout, uuidv7() AS payment, uuidv7() AS placed, uuidv7() AS booking
FROM bench.buyers b, bench.pieces p WHERE b.number = :client_id + 1 AND p.number = :piece \gset

-- AddItem
BEGIN;
INSERT INTO request_log (scope, method, request_id, fingerprint) VALUES (:buyer, 'AddItem', :asked, sha256('add'));
INSERT INTO carts AS c (id, customer_id, created_at, updated_at, expires_at)
    VALUES (uuidv7(), :buyer, now(), now(), now() + interval '90 days')
    ON CONFLICT (customer_id) DO UPDATE SET version = c.version + 1, updated_at = excluded.updated_at,
        expires_at = excluded.expires_at RETURNING id AS cart \gset
INSERT INTO cart_lines AS l (cart_id, variant_id, quantity, unit_price_minor, currency, created_at, updated_at)
    VALUES (:cart, :variant, 1, 100000, 'INR', now(), now())
    ON CONFLICT (cart_id, variant_id) DO UPDATE SET quantity = l.quantity + 1, updated_at = excluded.updated_at;
UPDATE request_log SET answer = convert_to(repeat('answer ', 100), 'UTF8')
    WHERE scope = :buyer AND method = 'AddItem' AND request_id = :asked;
COMMIT;

-- StartCheckout, the hold
BEGIN;
INSERT INTO request_log (scope, method, request_id, fingerprint, resource_id)
    VALUES (:buyer, 'StartCheckout', :asked, sha256('start'), :checkout);
SELECT FROM carts WHERE id = :cart FOR NO KEY UPDATE;
WITH added AS (
    INSERT INTO checkouts (id, cart_id, customer_id, state, content_digest, items_total_minor, shipping_minor,
        total_minor, currency, address, door, gateway_lease_until, created_at, pay_before, hold_until, next_check_at)
    VALUES (:checkout, :cart, :buyer, 'opening', sha256('content'), 100000, 0, 100000, 'INR',
        '{"name": "Meera Nair", "line1": "14, 3rd Cross, Indiranagar", "city": "Bengaluru", "pin_code": "560038"}',
        uuid_send(:buyer), now() + interval '30 s', now(), now() + interval '15 min', now() + interval '30 min',
        now() + interval '30 s')
    RETURNING id
)
INSERT INTO checkout_lines (checkout_id, position, variant_id, product_id, designer_id, sku, title, options, quantity,
        unit_price_minor, hsn_code, gst_basis_points, designer_gstin, commission_basis_points)
    SELECT id, 1, :variant, :product, :designer, 'BENCH', 'A kurta of the bench', '{"Size": "M"}', 1, 100000, '6204',
        500, '29AAACB1234C1Z5', 2000 FROM added;
WITH locked AS MATERIALIZED (
    SELECT variant_id FROM stock WHERE variant_id = :variant AND available >= 1 FOR NO KEY UPDATE
), changed AS (
    UPDATE stock s SET held = s.held + 1, version = s.version + 1, updated_at = now()
    FROM locked l WHERE s.variant_id = l.variant_id RETURNING s.variant_id
), holds AS (
    INSERT INTO stock_holds (hold_id, variant_id, quantity, state, held_since)
    SELECT :checkout, variant_id, 1, 'held', now() FROM changed
)
INSERT INTO stock_movements (variant_id, kind, on_hand_delta, held_delta, reason, actor, hold_id, created_at)
    SELECT variant_id, 'hold', 0, 1, 'checkout started', 'checkout', :checkout, now() FROM changed;
COMMIT;

-- StartCheckout, the gateway's order
BEGIN;
SELECT id FROM checkouts WHERE id = :checkout FOR UPDATE;
UPDATE checkouts SET state = 'open', gateway_order_id = 'order_' || replace(CAST(:checkout AS text), '-', '')
    WHERE id = :checkout;
UPDATE request_log SET answer = convert_to(repeat('answer ', 150), 'UTF8')
    WHERE scope = :buyer AND method = 'StartCheckout' AND request_id = :asked;
COMMIT;

-- PlaceOrder
BEGIN;
INSERT INTO request_log (scope, method, request_id, fingerprint, resource_id)
    VALUES (:buyer, 'PlaceOrder', :asked, sha256('place'), :checkout);
SELECT FROM carts WHERE id = :cart FOR NO KEY UPDATE;
SELECT id FROM checkouts WHERE id = :checkout FOR UPDATE;
INSERT INTO payments (id, checkout_id, gateway_payment_id, gateway_order_id, state, amount_minor, currency, method,
        captured_at)
    VALUES (:payment, :checkout, 'pay_' || replace(CAST(:checkout AS text), '-', ''),
        'order_' || replace(CAST(:checkout AS text), '-', ''), 'captured', 100000, 'INR', 'upi', now());
WITH added AS (
    INSERT INTO orders (id, number, checkout_id, payment_id, customer_id, state, items_total_minor, shipping_minor,
        total_minor, currency, address, delivery_state, version, placed_at)
    VALUES (:placed, 'K' || nextval('order_numbers'), :checkout, :payment, :buyer, 'placed', 100000, 0, 100000, 'INR',
        '{"name": "Meera Nair", "line1": "14, 3rd Cross, Indiranagar", "city": "Bengaluru", "pin_code": "560038"}',
        'KA', 1, now())
    RETURNING id
), lines AS (
    INSERT INTO order_lines (order_id, position, variant_id, product_id, designer_id, sku, title, options, quantity,
        unit_price_minor, line_total_minor, hsn_code, gst_basis_points, taxable_minor, gst_minor, designer_gstin,
        commission_basis_points, commission_minor, commission_gst_minor, designer_net_minor)
    SELECT id, 1, :variant, :product, :designer, 'BENCH', 'A kurta of the bench', '{"Size": "M"}', 1, 100000, 100000,
        '6204', 500, 95238, 4762, '29AAACB1234C1Z5', 2000, 20000, 3600, 76400 FROM added
)
INSERT INTO order_history (order_id, sequence, state, reason, actor, created_at)
    SELECT id, 1, 'placed', 'paid', 'bench', now() FROM added;
WITH booked AS (
    INSERT INTO ledger_transactions (id, kind, reference_id, created_at)
    VALUES (:booking, 'order_placed', :placed, now()) RETURNING id
)
INSERT INTO ledger_entries (transaction_id, position, account, designer_id, amount_minor, currency)
    SELECT booked.id, e.position, e.account, e.designer_id, e.amount_minor, 'INR'
    FROM booked, (VALUES (1, 'gateway_receivable', CAST(NULL AS uuid), 100000),
        (2, 'designer_payable', CAST(:designer AS uuid), -76400), (3, 'commission_revenue', NULL, -20000),
        (4, 'commission_gst_payable', NULL, -3600)) AS e (position, account, designer_id, amount_minor);
UPDATE checkouts SET state = 'placed', ended_at = now() WHERE id = :checkout;
WITH gone AS (DELETE FROM cart_lines WHERE cart_id = :cart AND variant_id = :variant)
UPDATE carts SET version = version + 1, updated_at = now() WHERE id = :cart;
WITH head AS (
    INSERT INTO outbox_heads (aggregate_id, last_sequence) VALUES (:placed, 1) RETURNING last_sequence
)
INSERT INTO outbox_events (aggregate_id, sequence, aggregate_type, type, payload, occurred_at)
    SELECT :placed, last_sequence, 'order', 'order.placed', '{"total_minor": 100000, "currency_code": "INR"}', now()
    FROM head;
WITH ended AS (
    UPDATE stock_holds SET state = 'sold', ended_at = now() WHERE hold_id = :checkout AND state = 'held'
    RETURNING variant_id, quantity
), changed AS (
    UPDATE stock s SET on_hand = s.on_hand - e.quantity, held = s.held - e.quantity, version = s.version + 1,
        updated_at = now() FROM ended e WHERE s.variant_id = e.variant_id RETURNING s.variant_id, e.quantity
)
INSERT INTO stock_movements (variant_id, kind, on_hand_delta, held_delta, reason, actor, hold_id, created_at)
    SELECT variant_id, 'sell', -quantity, -quantity, 'order', 'checkout', :checkout, now() FROM changed;
UPDATE request_log SET answer = convert_to(repeat('answer ', 200), 'UTF8')
    WHERE scope = :buyer AND method = 'PlaceOrder' AND request_id = :asked;
COMMIT;
