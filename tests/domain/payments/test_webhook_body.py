"""What a webhook body says, and to which fact it comes down."""

import json
from collections.abc import Mapping
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapda.domain.payments.gateway_event import GatewayEventState
from kapda.domain.payments.webhook_body import MAX_EVENT_NAME, read_event
from kapda.domain.shared.errors import InvalidArgumentError

ACCOUNT = "acc_Kapda0000001A"
PAYMENT: Mapping[str, object] = {
    "id": "pay_Kapda000000001",
    "entity": "payment",
    "amount": 149_900,
    "currency": "INR",
    "status": "captured",
    "order_id": "order_Kapda0000001",
    "captured": True,
    "method": "upi",
    "notes": [],
}
ORDER: Mapping[str, object] = {
    "id": "order_Kapda0000001",
    "entity": "order",
    "amount": 149_900,
    "amount_paid": 149_900,
    "status": "paid",
}
REFUND: Mapping[str, object] = {"id": "rfnd_Kapda00000001", "entity": "refund", "status": "processed"}


def body(event: object, **entities: Mapping[str, object]) -> bytes:
    return json.dumps(
        {
            "entity": "event",
            "account_id": ACCOUNT,
            "event": event,
            "contains": list(entities),
            "payload": {name.replace("_", "."): {"entity": entity} for name, entity in entities.items()},
            "created_at": 1_773_500_000,
        },
        separators=(",", ":"),
    ).encode()


def test_a_captured_payment_is_read() -> None:
    raw = body("payment.captured", payment=PAYMENT)
    event = read_event("evt00000000001", raw, ACCOUNT)
    assert event.event_id == "evt00000000001"
    assert event.event_type == "payment.captured"
    assert event.entity_key == "payment.captured:pay_Kapda000000001:captured"
    assert event.gateway_payment_id == "pay_Kapda000000001"
    assert event.gateway_order_id == "order_Kapda0000001"
    assert event.body == raw


def test_a_paid_order_names_its_payment_too() -> None:
    event = read_event("evt00000000002", body("order.paid", payment=PAYMENT, order=ORDER), ACCOUNT)
    assert event.entity_key == "order.paid:pay_Kapda000000001:captured"
    assert (event.gateway_payment_id, event.gateway_order_id) == ("pay_Kapda000000001", "order_Kapda0000001")


def test_a_refund_is_known_by_itself_and_not_by_its_payment() -> None:
    event = read_event("evt00000000003", body("refund.processed", payment=PAYMENT, refund=REFUND), ACCOUNT)
    assert event.entity_key == "refund.processed:rfnd_Kapda00000001:processed"


def test_a_downtime_is_known_by_its_own_id() -> None:
    downtime = {"id": "down_Kapda00000001", "entity": "payment.downtime", "status": "started"}
    event = read_event("evt00000000004", body("payment.downtime.started", payment_downtime=downtime), ACCOUNT)
    assert event.entity_key == "payment.downtime.started:down_Kapda00000001:started"
    assert (event.gateway_payment_id, event.initial_state) == (None, GatewayEventState.IGNORED)


@pytest.mark.parametrize("name", ["payment.authorized", "payment.captured", "order.paid"])
def test_events_about_a_payments_money_wait_for_a_look(name: str) -> None:
    assert read_event("e", body(name, payment=PAYMENT), ACCOUNT).initial_state is GatewayEventState.PENDING


@pytest.mark.parametrize("name", ["payment.failed", "refund.processed", "payment.dispute.created", "tea.ready"])
def test_every_other_event_is_left_alone(name: str) -> None:
    assert read_event("e", body(name, payment=PAYMENT), ACCOUNT).initial_state is GatewayEventState.IGNORED


def test_a_payment_event_without_a_payment_is_left_alone() -> None:
    assert read_event("e", body("payment.captured"), ACCOUNT).initial_state is GatewayEventState.IGNORED


def test_the_same_fact_has_the_same_key_under_any_event_id() -> None:
    raw = body("payment.captured", payment=PAYMENT)
    keys = {read_event(event_id, raw, ACCOUNT).entity_key for event_id in ("a", "b", "")}
    assert len(keys) == 1


@pytest.mark.parametrize(
    "other",
    [
        body("payment.authorized", payment=PAYMENT),
        body("payment.captured", payment={**PAYMENT, "id": "pay_Kapda000000002"}),
        body("payment.captured", payment={**PAYMENT, "status": "refunded"}),
    ],
)
def test_another_event_entity_or_status_is_another_fact(other: bytes) -> None:
    assert (
        read_event("e", other, ACCOUNT).entity_key
        != read_event("e", body("payment.captured", payment=PAYMENT), ACCOUNT).entity_key
    )


def test_without_an_entity_the_bytes_are_the_fact() -> None:
    raw = body("account.updated")
    assert read_event("e", raw, ACCOUNT).entity_key == f"account.updated:sha256:{sha256(raw).hexdigest()}"


def test_without_an_event_id_the_bytes_are_the_id() -> None:
    raw = body("payment.captured", payment=PAYMENT)
    assert read_event("", raw, ACCOUNT).event_id == f"sha256:{sha256(raw).hexdigest()}"


def test_an_older_delivery_without_account_is_read() -> None:
    raw = json.dumps({"event": "payment.captured", "payload": {"payment": {"entity": PAYMENT}}}).encode()
    assert read_event("e", raw, ACCOUNT).gateway_payment_id == "pay_Kapda000000001"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"not json",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"event":"payment.captured"}',
        b'{"event":"payment.captured","payload":[]}',
        b'{"payload":{}}',
        b'{"event":7,"payload":{}}',
        b'{"event":"","payload":{}}',
        body("x" * (MAX_EVENT_NAME + 1)),
        body("payment.captured", payment=PAYMENT).replace(ACCOUNT.encode(), b"acc_SomebodyElse1"),
        body("payment.captured", payment=PAYMENT).replace(f'"{ACCOUNT}"'.encode(), b"null"),
    ],
)
def test_what_is_no_event_of_ours_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidArgumentError):
        read_event("e", raw, ACCOUNT)


@pytest.mark.parametrize(
    "entity", [None, 7, [], "pay", {"entity": None}, {"entity": {"id": 7}}, {"entity": {"id": "x" * 101}}]
)
def test_an_entity_of_another_shape_is_no_entity(entity: object) -> None:
    raw = json.dumps({"event": "payment.captured", "payload": {"payment": entity}}).encode()
    event = read_event("e", raw, ACCOUNT)
    assert (event.gateway_payment_id, event.initial_state) == (None, GatewayEventState.IGNORED)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["payment", "order", "refund", "dispute", "other"]), JSON), st.text())
def test_any_payload_is_read_or_refused(payload: dict[str, object], event_id: str) -> None:
    raw = json.dumps({"event": "payment.captured", "payload": payload}).encode()
    event = read_event(event_id, raw, ACCOUNT)
    assert 0 < len(event.event_id) <= 100
    assert event.entity_key.startswith("payment.captured:")
