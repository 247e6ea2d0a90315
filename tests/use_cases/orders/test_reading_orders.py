"""A customer's order history."""

from kapda.domain.orders.order import Order
from kapda.domain.orders.use_cases.get_order import GetOrder, GetOrderCommand
from kapda.domain.orders.use_cases.list_orders import ListOrders, ListOrdersCommand
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import OrderId, UserId
from kapda.domain.shared.pages import Page, PageRequest
from tests.fakes.refusals import refused
from tests.fakes.samples import ASHA, BINOD, rupees
from tests.fakes.shop import Shop


async def bought(shop: Shop, quantity: int = 1, customer: UserId = ASHA) -> Order:
    checkout = await shop.check_out_one(quantity=quantity, customer=customer)
    shop.gateway.pay(checkout.gateway_order_id or "")
    await shop.settle(checkout)
    return next(order for order in shop.tables.orders.values() if order.checkout_id == checkout.id)


async def test_an_order_is_read_by_its_customer_and_by_nobody_else(shop: Shop) -> None:
    order = await bought(shop)
    get = GetOrder(shop.database.unit_of_work)
    assert await get.execute(GetOrderCommand(ASHA, order.id)) == order
    for customer, order_id in ((BINOD, order.id), (ASHA, OrderId(ASHA))):
        with refused(Reason.ORDER_NOT_FOUND):
            await get.execute(GetOrderCommand(customer, order_id))


async def test_orders_are_listed_newest_first_page_by_page(shop: Shop) -> None:
    orders = [await bought(shop, quantity) for quantity in (1, 2, 3)]
    await bought(shop, customer=BINOD)
    list_orders = ListOrders(shop.database.unit_of_work)
    first = await list_orders.execute(ListOrdersCommand(ASHA, PageRequest(2)))
    assert [summary.id for summary in first.items] == [orders[2].id, orders[1].id]
    newest = first.items[0]
    assert (newest.number, newest.total, newest.item_count) == (orders[2].number, rupees(4_497), 3)
    assert (newest.first_title, newest.placed_at) == ("Handblock kurta", orders[2].placed_at)
    rest = await list_orders.execute(ListOrdersCommand(ASHA, PageRequest(2, first.next_cursor)))
    assert ([summary.id for summary in rest.items], rest.next_cursor) == ([orders[0].id], None)


async def test_a_customer_without_orders_has_an_empty_list(shop: Shop) -> None:
    await bought(shop)
    assert await ListOrders(shop.database.unit_of_work).execute(ListOrdersCommand(BINOD, PageRequest())) == Page(())
