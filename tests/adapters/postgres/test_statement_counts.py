"""F41: what each use case asks of the database is a small number that does not grow with the rows.

The table is the specification: a statement more, or one less, is seen here.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

from kapda.domain.cart.use_cases.clear_cart import ClearCartCommand
from kapda.domain.cart.use_cases.get_cart import GetCartCommand
from kapda.domain.cart.use_cases.remove_item import RemoveItemCommand
from kapda.domain.cart.use_cases.validate_cart import ValidateCartCommand
from kapda.domain.catalog.use_cases.get_product import GetProductCommand
from kapda.domain.catalog.use_cases.list_products import ListProductsCommand
from kapda.domain.catalog.use_cases.search_products import SearchProductsCommand
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.use_cases.authenticate import AuthenticateCommand
from kapda.domain.identity.use_cases.end_session import EndSessionCommand
from kapda.domain.identity.use_cases.get_me import GetMeCommand
from kapda.domain.identity.use_cases.list_sessions import ListSessionsCommand
from kapda.domain.identity.use_cases.log_in import LogInCommand
from kapda.domain.identity.use_cases.log_out import LogOutCommand
from kapda.domain.identity.use_cases.log_out_everywhere import LogOutEverywhereCommand
from kapda.domain.identity.use_cases.sign_up import SignUpCommand
from kapda.domain.inventory.delivery import DeliveryLine
from kapda.domain.inventory.use_cases.adjust_stock import AdjustStockCommand
from kapda.domain.inventory.use_cases.batch_receive_stock import BatchReceiveStockCommand
from kapda.domain.inventory.use_cases.explain_availability import ExplainAvailabilityCommand
from kapda.domain.inventory.use_cases.get_stock import GetStockCommand
from kapda.domain.inventory.use_cases.list_stock_movements import ListStockMovementsCommand
from kapda.domain.inventory.use_cases.receive_stock import ReceiveStockCommand
from kapda.domain.inventory.use_cases.set_low_stock_threshold import SetLowStockThresholdCommand
from kapda.domain.inventory.use_cases.set_stock import SetStockCommand
from kapda.domain.ops.use_cases.list_open_cases import ListOpenCasesCommand
from kapda.domain.orders.use_cases.get_order import GetOrderCommand
from kapda.domain.orders.use_cases.list_orders import ListOrdersCommand
from kapda.domain.payments.use_cases.get_payment import GetPaymentCommand
from kapda.domain.shared.events import DomainEvent, SequencedEvent
from kapda.domain.shared.ids import ProductId, VariantId
from kapda.domain.shared.pages import PageRequest
from tests.adapters.postgres.counting import Rows, big_order, full_cart, rows
from tests.shop.buyer import deliver, settle
from tests.shop.devices import sign_in
from tests.shop.gate import at_once
from tests.shop.guest import new_guest
from tests.shop.post import counting_mails
from tests.shop.shop import new_request

__all__ = ["rows"]

# Statements besides BEGIN, COMMIT and the notification of workers, which follows when it likes. A plus joins what is
# written by one statement.
READS = {
    "get_cart": 1,
    "validate_cart": 1,
    "get_cart of a guest": 2,  # whose token; the cart
    "get_checkout": 1,
    "get_order": 1,
    "list_orders": 1,
    "get_payment": 1,
    "list_open_cases": 1,
    "get_stock": 1,
    "explain_availability": 1,
    "list_stock_movements": 2,  # may the caller see the variant; the page
    "list_sessions": 1,
    "get_me": 1,
    "list_products": 1,
    "search_products": 1,
    "get_product": 1,
}
WRITES = {
    "add_item": 2,  # claim + touch the cart + add and read the cart, answer
    "change_item": 3,  # claim + touch the cart, change and read the cart, answer
    "remove_item": 3,
    "clear_cart": 3,
    "receive_stock": 3,  # claim, receive, answer
    "adjust_stock": 3,
    "adjust_stock to low": 4,  # claim, adjust, read what became low, event + answer
    "batch_receive_stock": 3,
    "set_stock": 3,
    "set_low_stock_threshold": 3,
    # claim + touch and read the own cart, find, lock and read the guest's, absorb, delete, read, answer
    "merge_guest_cart": 9,
    "create_guest_cart": 1,
    # claim + lock the cart and the door, lock the live one + read the cart and the pressure, add + hold; gateway;
    # open + answer, on its own
    "start_checkout": 4,
    # claim + lock, read, the live one, rebind; lease, read, answer
    "start_checkout again": 7,
    # the first one's, and: the live one, save it as superseded, lock stock, release; so the new one is not held with its row
    "start_checkout superseding": 9,
    "abandon_checkout": 4,  # claim, lock, save + release, answer
    # read; claim + lock the cart and the checkout, known? + number,
    # payment + order + ledger + save + take from the cart + event + answer + sell
    "place_order": 4,
    "place_order found": 5,  # read; claim, payment, order, answer
    "deliver": 8,  # store, job; read, find; the finisher's 3 without a request, finish
    "settle": 4,  # read, attempts, schedule; lock
    # Of every aggregate: lease, read, mails, mark, release; lease in vain.
    "relay_events": 6,
    "relayed refunds": 1,  # mails
    # Of every mail: take, recipients, orders, note; take in vain.
    "send_mails": 5,
    "sign_up": 5,  # user, session, network, refresh token, mail
    "log_in": 3,  # attempts of late, find; lock + session + attempt + network + refresh token
    "refresh_session": 7,  # lock the session, token, user, tokens of late; save the session and the token, the next one
    "refresh_session replayed": 6,  # the same three; end the session, audit, its traces
    "end_session": 2,
    "log_out_everywhere": 1,
    "log_out": 2,
}


async def test_f41_reads_do_not_grow_with_the_rows(rows: Rows) -> None:
    shop, container = rows.shop, rows.shop.container
    shopper = await full_cart(rows)
    checkout = await shopper.check_out()
    buyer, order = await big_order(rows)
    guest = await new_guest(shop)
    for variant in rows.variants:
        await guest.add(variant)
    for _ in range(rows.count // 10):
        await buyer.buys(rows.variants[0])
        await sign_in(shop, buyer.id)
    admin, page = await shop.admin(), PageRequest(100)
    me = Principal(buyer.id, admin.role.CUSTOMER, admin.session_id)
    product = (await shop.sql("SELECT product_id FROM variants WHERE id = :id", id=rows.variants[0]))[0]["product_id"]
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "get_cart": partial(container.get_cart().execute, GetCartCommand(shopper.owner)),
        "validate_cart": partial(container.validate_cart().execute, ValidateCartCommand(shopper.owner)),
        "get_cart of a guest": guest.cart,
        "get_checkout": partial(shopper.checkout, checkout.id),
        "get_order": partial(container.get_order().execute, GetOrderCommand(buyer.id, order.id)),
        "list_orders": partial(container.list_orders().execute, ListOrdersCommand(buyer.id, page)),
        "get_payment": partial(container.get_payment().execute, GetPaymentCommand(admin, order.payment_id)),
        "list_open_cases": partial(container.list_open_cases().execute, ListOpenCasesCommand(page)),
        "get_stock": partial(container.get_stock().execute, GetStockCommand(admin, rows.variants[0])),
        "explain_availability": partial(
            container.explain_availability().execute, ExplainAvailabilityCommand(admin, rows.variants[0])
        ),
        "list_stock_movements": partial(
            container.list_stock_movements().execute, ListStockMovementsCommand(admin, rows.variants[0], page)
        ),
        "list_sessions": partial(container.list_sessions().execute, ListSessionsCommand(buyer.id, page)),
        "get_me": partial(container.get_me().execute, GetMeCommand(me)),
        "list_products": partial(container.list_products().execute, ListProductsCommand(page=page)),
        "search_products": partial(container.search_products().execute, SearchProductsCommand("kurta", page=page)),
        "get_product": partial(container.get_product().execute, GetProductCommand(ProductId(product))),
    }

    assert {name: await rows.counted(call) for name, call in calls.items()} == READS


async def test_f41_writes_do_not_grow_with_the_rows(rows: Rows) -> None:
    counted = await _cart_and_stock(rows) | await _checkout_and_order(rows) | await _identity(rows)
    assert counted == WRITES


async def _cart_and_stock(rows: Rows) -> dict[str, int]:
    container, variant = rows.shop.container, rows.variants[0]
    buyer, admin, guest = await full_cart(rows), await rows.shop.admin(), await new_guest(rows.shop)
    for brought in rows.variants:
        await guest.add(brought, 3)
    remove, clear = RemoveItemCommand(buyer.owner, new_request(), variant), ClearCartCommand(buyer.owner, new_request())
    receive = ReceiveStockCommand(admin, new_request(), variant, 5, "delivery")
    adjust = AdjustStockCommand(admin, new_request(), variant, -1, "moth", None)
    lines = tuple(DeliveryLine(1, variant_id=each) for each in rows.variants)
    deliver_all = BatchReceiveStockCommand(admin, new_request(), lines, "delivery")
    threshold = SetLowStockThresholdCommand(admin, new_request(), variant, 10)
    return await _counts(rows, admin, await rows.shop.variant(pieces=6)) | {
        "batch_receive_stock": await rows.counted(partial(container.batch_receive_stock().execute, deliver_all)),
        "set_low_stock_threshold": await rows.counted(partial(container.set_low_stock_threshold().execute, threshold)),
        "add_item": await rows.counted(partial(buyer.add, variant)),
        "change_item": await rows.counted(partial(buyer.change, variant, 5)),
        "remove_item": await rows.counted(partial(container.remove_item().execute, remove)),
        "clear_cart": await rows.counted(partial(container.clear_cart().execute, clear)),
        "merge_guest_cart": await rows.counted(partial(guest.becomes, buyer.id)),
        "create_guest_cart": await rows.counted(partial(new_guest, rows.shop)),
        "receive_stock": await rows.counted(partial(container.receive_stock().execute, receive)),
        "adjust_stock": await rows.counted(partial(container.adjust_stock().execute, adjust)),
    }


async def _counts(rows: Rows, admin: Principal, few: VariantId) -> dict[str, int]:
    container = rows.shop.container
    lower = AdjustStockCommand(admin, new_request(), few, -1, "moth", None)
    count = SetStockCommand(admin, new_request(), few, 9, "v2", "counted")
    return {
        "adjust_stock to low": await rows.counted(partial(container.adjust_stock().execute, lower)),
        "set_stock": await rows.counted(partial(container.set_stock().execute, count)),
    }


async def _checkout_and_order(rows: Rows) -> dict[str, int]:
    buyer = await full_cart(rows)
    total = (await buyer.cart()).total
    counted = {
        "start_checkout": await rows.counted(partial(buyer.start, total)),
        "start_checkout again": await rows.counted(partial(buyer.start, total)),
    }
    await buyer.add(rows.variants[0])
    total = (await buyer.cart()).total
    counted["start_checkout superseding"] = await rows.counted(partial(buyer.start, total))
    checkout = await buyer.check_out()
    counted["abandon_checkout"] = await rows.counted(partial(buyer.abandon, checkout.id))
    checkout = await buyer.check_out()
    triple = await buyer.pay(checkout)
    counted["place_order"] = await rows.counted(partial(buyer.place, checkout, triple))
    counting_mails(rows.shop)
    await rows.shop.container.relay_events().execute()
    await rows.shop.container.send_mails().execute()
    for _ in range(rows.count):
        await buyer.buys(rows.variants[0])
    counted["relay_events"] = await rows.counted(rows.shop.container.relay_events().execute)
    counted["relayed refunds"] = await _relayed_refunds(rows)
    counted["send_mails"] = await rows.counted(rows.shop.container.send_mails().execute)
    counted["place_order found"] = await rows.counted(partial(buyer.place, checkout, triple))
    other = await full_cart(rows)
    paid = await other.check_out()
    counted["deliver"] = await rows.counted(partial(deliver, rows.shop, await other.pay(paid)))
    waiting = await (await full_cart(rows)).check_out()
    counted["settle"] = await rows.counted(partial(settle, rows.shop, waiting.id))
    return counted


async def _relayed_refunds(rows: Rows) -> int:
    """What mails about refunds cost whoever relays the refunds' events."""
    events = [
        SequencedEvent(1, DomainEvent("refund", uuid4(), f"refund.{step}", datetime.now(UTC), {"kind": "order_lines"}))
        for _ in range(rows.count)
        for step in ("requested", "processed")
    ]
    return await rows.counted(partial(rows.shop.container.mailing_sink().publish, events))


async def _identity(rows: Rows) -> dict[str, int]:
    container, email, password = rows.shop.container, f"{uuid4().hex}@example.com", "corridor-lantern-41-peacock"
    sign_up, log_in = SignUpCommand(email, password, "Asha"), LogInCommand(email, password)
    counted = {"sign_up": await rows.counted(partial(container.sign_up().execute, sign_up))}
    counted["log_in"] = await rows.counted(partial(container.log_in().execute, log_in))
    begun = (await container.log_in().execute(log_in)).tokens
    authenticated = await container.authenticate().execute(AuthenticateCommand(begun.access_token.text))
    devices = [await sign_in(rows.shop, authenticated.user_id) for _ in range(rows.count)]
    refresh = devices[0].refresh
    counted["refresh_session"] = await rows.counted(refresh)
    await devices[0].lets_time_pass()
    counted["refresh_session replayed"] = await rows.counted(partial(at_once, [refresh]))
    end = EndSessionCommand(authenticated.user_id, devices[0].session.id)
    counted["end_session"] = await rows.counted(partial(container.end_session().execute, end))
    others = LogOutEverywhereCommand(authenticated, keep_current=True)
    counted["log_out_everywhere"] = await rows.counted(partial(container.log_out_everywhere().execute, others))
    counted["log_out"] = await rows.counted(partial(container.log_out().execute, LogOutCommand(authenticated)))
    return counted
