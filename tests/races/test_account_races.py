"""Address books under many hands, and accounts that are deleted while their owner is still at it."""

import asyncio
import json
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import text

from kapda.domain.identity.address_book import MAX_ADDRESSES, Label
from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.session import Contact
from kapda.domain.identity.use_cases.add_address import AddAddressCommand
from kapda.domain.identity.use_cases.authenticate import AuthenticateCommand
from kapda.domain.identity.use_cases.delete_my_account import DeleteMyAccountCommand
from kapda.domain.identity.use_cases.export_my_data import ExportMyDataCommand
from kapda.domain.identity.use_cases.list_addresses import ListAddressesCommand
from kapda.domain.identity.use_cases.sign_up import SignUpCommand
from kapda.domain.orders.use_cases.cancel_order import CancelOrderCommand
from kapda.domain.orders.use_cases.process_gateway_event import ProcessGatewayEventCommand
from kapda.domain.orders.use_cases.send_refund import SendRefundCommand
from kapda.domain.payments.use_cases.receive_gateway_event import ReceiveGatewayEventCommand
from kapda.domain.shared.errors import FailedPreconditionError, Reason, UnauthenticatedError
from kapda.domain.shared.ids import RefundId
from kapda.domain.shared.money import Money
from tests.fakes.samples import HOME
from tests.shop.buyer import Buyer, Triple
from tests.shop.devices import sign_in
from tests.shop.gate import at_once
from tests.shop.shop import ACCOUNT, Shop, new_request, signed
from tests.shop.waits import somebody_waits_for_a_lock

BROWSER = "A browser that is nobody else's"
ELSEWHERE = Contact(ClientNetwork("198.51.100.0/24"), BROWSER)
PASSWORD = "corridor-lantern-41-peacock"


async def _member(shop: Shop) -> tuple[Principal, Buyer]:
    """Somebody with a password, and the same person as a buyer."""
    name = uuid4().hex
    made = await shop.container.sign_up().execute(SignUpCommand(f"{name}@example.com", PASSWORD, f"Asha {name}"))
    principal = await shop.container.authenticate().execute(AuthenticateCommand(made.tokens.access_token.text))
    return principal, Buyer(shop, principal.user_id)


def _add(shop: Shop, principal: Principal) -> AddAddressCommand:
    return AddAddressCommand(principal, new_request(), Label("Home"), HOME)


async def _start(buyer: Buyer, total: Money) -> None:
    await buyer.start(total)


async def _delete(shop: Shop, principal: Principal) -> None:
    await shop.door().delete_my_account().execute(DeleteMyAccountCommand(principal, PASSWORD))


async def test_thirty_addresses_added_at_once_fill_the_book_and_no_more(shop: Shop) -> None:
    principal, _ = await _member(shop)
    calls = [partial(shop.door().add_address().execute, _add(shop, principal)) for _ in range(30)]

    outcomes = await at_once(calls)

    assert len(outcomes.answers) == MAX_ADDRESSES
    assert outcomes.reasons == {Reason.ADDRESS_LIMIT_EXCEEDED: 30 - MAX_ADDRESSES}
    book = await shop.container.list_addresses().execute(ListAddressesCommand(principal))
    assert len(book) == MAX_ADDRESSES
    assert [saved.preferred for saved in book] == [True, *[False] * (MAX_ADDRESSES - 1)]


async def test_one_request_sent_ten_times_adds_one_address(shop: Shop) -> None:
    principal, _ = await _member(shop)
    command = _add(shop, principal)

    outcomes = await at_once([partial(shop.door().add_address().execute, command) for _ in range(10)])

    assert {answer.value for answer in outcomes.answers} == {outcomes.answers[0].value}
    assert [answer.replayed for answer in outcomes.answers].count(False) == 1
    assert await shop.count("user_addresses WHERE user_id = :id", id=principal.user_id) == 1


async def test_an_account_deleted_while_a_checkout_starts_is_gone_or_is_in_use_never_both(shop: Shop) -> None:
    variant = await shop.variant(pieces=50)
    for _ in range(12):
        principal, buyer = await _member(shop)
        await buyer.add(variant)
        total = (await buyer.cart()).total

        outcomes = await at_once([partial(_start, buyer, total), partial(_delete, shop, principal)])

        (row,) = await shop.sql("SELECT status FROM users WHERE id = :id", id=principal.user_id)
        live = await shop.count("checkouts WHERE customer_id = :id AND state = 'open'", id=principal.user_id)
        assert (row["status"], live, outcomes.reasons) in (
            ("deleted", 0, {Reason.CART_EMPTY: 1}),
            ("active", 1, {Reason.ACCOUNT_IN_USE: 1}),
        )


async def test_whoever_deletes_an_account_waits_for_its_checkout_before_its_requests(shop: Shop) -> None:
    principal, buyer = await _member(shop)
    checkout = await buyer.checks_out_one(await shop.variant())
    answered = text("UPDATE request_log SET answer = answer WHERE scope = :id AND method = 'StartCheckout'")
    async with shop.container.engine().connect() as opening:
        await opening.execute(text("UPDATE checkouts SET id = id WHERE id = :id"), {"id": checkout.id})
        deleting = asyncio.create_task(_delete(shop, principal))
        await somebody_waits_for_a_lock(shop)
        # Opening a checkout answers its request next: where the other one had that, each would wait for the other.
        assert (await opening.execute(answered, {"id": principal.user_id})).rowcount == 1
        await opening.commit()
    with pytest.raises(FailedPreconditionError) as refusal:
        await deleting
    assert refusal.value.reason is Reason.ACCOUNT_IN_USE


async def _tables_that_know(shop: Shop, needle: str) -> set[str]:
    """Every table in which the text stands, as it is or in a column of bytes."""
    tables = await shop.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found = set()
    for table in (row["tablename"] for row in tables):
        somewhere = "strpos(lower(CAST(to_jsonb(r) AS text)), lower(:text)) > 0"
        in_bytes = "strpos(CAST(to_jsonb(r) AS text), :hex) > 0"
        if await shop.count(f'"{table}" AS r WHERE {somewhere} OR {in_bytes}', text=needle, hex=needle.encode().hex()):
            found.add(table)
    return found


async def _is_told_of(shop: Shop, triple: Triple, email: str) -> None:
    """The gateway's delivery about the payment, with the payer's address in it, is taken in and worked on."""
    payment = {"id": triple["razorpay_payment_id"], "order_id": triple["razorpay_order_id"], "status": "captured"}
    told = {"entity": "event", "account_id": ACCOUNT, "event": "payment.captured"}
    payload = {"payment": {"entity": payment | {"email": email}}}
    delivery = ReceiveGatewayEventCommand(*signed(json.dumps(told | {"payload": payload}).encode()))
    stored = await shop.door().receive_gateway_event().execute(delivery)
    await shop.door().process_gateway_event().execute(ProcessGatewayEventCommand(stored.id))


async def _somebody_replays_a_token(shop: Shop, principal: Principal) -> None:
    device = await sign_in(shop, principal.user_id)
    await device.refresh()
    await device.lets_time_pass()
    with pytest.raises(UnauthenticatedError) as refusal:
        await device.refresh(contact=ELSEWHERE)
    assert refusal.value.reason is Reason.REFRESH_TOKEN_REUSED


async def test_what_is_left_of_a_deleted_account_is_what_stands_on_its_orders(shop: Shop) -> None:
    variant, (principal, buyer) = await shop.variant(), await _member(shop)
    (account,) = await shop.sql("SELECT email FROM users WHERE id = :id", id=principal.user_id)
    name, street = account["email"].partition("@")[0], buyer.address.line1
    await shop.container.add_address().execute(
        AddAddressCommand(principal, new_request(), Label("Ammamma's house"), buyer.address)
    )
    checkout = await buyer.checks_out_one(variant)
    await _is_told_of(shop, await buyer.pay(checkout), account["email"])
    given_up = await buyer.checks_out_one(variant)
    await buyer.abandon(given_up.id)
    await buyer.add(variant)
    await _somebody_replays_a_token(shop, principal)
    assert await _tables_that_know(shop, name) == {"users", "gateway_events"}
    assert await _tables_that_know(shop, street) == {"checkouts", "orders", "request_log", "user_addresses"}
    assert await _tables_that_know(shop, BROWSER) == {"audit_traces"}

    await _delete(shop, principal)

    assert await _tables_that_know(shop, name) == set()
    assert await _tables_that_know(shop, "Ammamma") == set()
    assert await _tables_that_know(shop, BROWSER) == set()
    assert await _tables_that_know(shop, ELSEWHERE.network.text) == set()
    assert await _tables_that_know(shop, street) == {"checkouts", "orders"}
    assert (
        await shop.count(
            "checkouts WHERE id = :id AND strpos(address ->> 'line1', :street) > 0", id=given_up.id, street=street
        )
        == 0
    )
    assert await shop.count("orders WHERE customer_id = :id", id=principal.user_id) == 1


async def test_an_account_with_money_on_its_way_back_stays_until_it_has_arrived(shop: Shop) -> None:
    variant, (principal, buyer) = await shop.variant(), await _member(shop)
    order = await buyer.buys(variant)
    cancel = CancelOrderCommand(principal, None, new_request(), order.id, "changed my mind")
    await shop.door().cancel_order().execute(cancel)
    (refund,) = await shop.sql("SELECT id FROM refunds WHERE order_id = :id", id=order.id)

    with pytest.raises(FailedPreconditionError) as refusal:
        await _delete(shop, principal)

    assert refusal.value.metadata == {"open": "refund"}
    assert await shop.count("users WHERE id = :id AND status = 'active'", id=principal.user_id) == 1
    await shop.door().send_refund().execute(SendRefundCommand(RefundId(refund["id"])))
    await _delete(shop, principal)


async def test_a_copy_of_ones_data_has_the_purchase_and_nothing_secret_or_anothers(shop: Shop) -> None:
    variant, (principal, buyer), (_, other) = await shop.variant(), await _member(shop), await _member(shop)
    order, foreign = await buyer.buys(variant), await other.buys(variant)
    await buyer.add(variant, 2)
    await _somebody_replays_a_token(shop, principal)

    exported = await shop.container.export_my_data().execute(ExportMyDataCommand(principal))

    document = json.loads(exported)
    assert document["account"]["id"] == str(principal.user_id)
    assert [kept["id"] for kept in document["orders"]] == [str(order.id)]
    assert document["orders"][0]["address"]["line1"] == buyer.address.line1
    assert document["payments"][0]["amount_minor"] == order.total.amount_minor
    assert document["cart"][0]["quantity"] == 2
    (alarm,) = document["alarms"]
    assert (alarm["action"], alarm["client_network"]) == ("REFRESH_TOKEN_REUSED", ELSEWHERE.network.text)
    assert alarm["user_agent"] == BROWSER
    assert str(foreign.id) not in exported
    assert not {"password", "hash", "digest"} & set(exported.lower().replace('"', " ").split())
