"""Page tokens: they open for the same question of the same caller, and for nothing else."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from uuid import UUID

import grpc
import pytest

from kapda.api.catalog.v1.catalog_service_pb2 import PRODUCT_SORT_PRICE_ASC, ListProductsRequest, SearchProductsRequest
from kapda.api.orders.v1.order_service_pb2 import ListOrdersRequest
from kapda.api.orders.v1.order_service_pb2_grpc import OrderServiceStub
from kapda.domain.orders.order import OrderSummary
from kapda.domain.shared.errors import InvalidArgumentError, Reason
from kapda.domain.shared.pages import Page, PageRequest
from kapda.entrypoints.grpc.page_tokens import PageTokens
from tests.entrypoints.grpc.conftest import CUSTOMER, OTHER_CUSTOMER, Running, as_caller, refusal

TOKENS = PageTokens([bytes(32)])
CURSOR = ("2026-01-02T03:04:05+00:00", "0197a000-0000-7000-8000-000000000001")
REQUEST = ListProductsRequest(category="kurta", sizes=["M", "L"])


def open_with(request: ListProductsRequest | SearchProductsRequest, token: str, owner: UUID | None = None) -> object:
    """The cursor that the token opens to."""
    return TOKENS.page_of(request, 5, token, owner).cursor


def test_the_next_page_goes_on_at_the_cursor_with_any_page_size() -> None:
    token = TOKENS.next_token(REQUEST, CURSOR)
    again = ListProductsRequest(category="kurta", sizes=["M", "L"], page_size=50, page_token=token)
    assert TOKENS.page_of(again, 50, token) == PageRequest(50, CURSOR)


def test_the_first_page_has_no_cursor_and_the_last_no_token() -> None:
    assert TOKENS.page_of(REQUEST, 0, "") == PageRequest()
    assert TOKENS.next_token(REQUEST, None) == ""


def test_the_token_shows_nothing_of_the_cursor() -> None:
    token = TOKENS.next_token(REQUEST, CURSOR)
    assert CURSOR[1].encode() not in urlsafe_b64decode(token)
    assert token != TOKENS.next_token(REQUEST, CURSOR)


@pytest.mark.parametrize(
    "other",
    [
        ListProductsRequest(category="saree", sizes=["M", "L"]),
        ListProductsRequest(category="kurta"),
        ListProductsRequest(category="kurta", sizes=["M", "L"], sort=PRODUCT_SORT_PRICE_ASC),
        SearchProductsRequest(query="kurta"),
    ],
)
def test_another_question_is_refused(other: ListProductsRequest | SearchProductsRequest) -> None:
    token = TOKENS.next_token(REQUEST, CURSOR)
    with pytest.raises(InvalidArgumentError) as caught:
        open_with(other, token)
    assert caught.value.reason is Reason.PAGE_TOKEN_INVALID
    assert caught.value.violations[0].field == "page_token"


def _flip(token: str) -> str:
    raw = bytearray(urlsafe_b64decode(token))
    raw[-1] ^= 1
    return urlsafe_b64encode(bytes(raw)).decode()


@pytest.mark.parametrize(
    "tamper",
    [
        _flip,
        lambda token: token[:-4],
        lambda token: token[:8],
        lambda _: "not a token",
        lambda _: "कपड़ा",
        lambda _: "====",
    ],
)
def test_an_altered_token_is_refused(tamper: Callable[[str], str]) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        open_with(REQUEST, tamper(TOKENS.next_token(REQUEST, CURSOR)))
    assert caught.value.reason is Reason.PAGE_TOKEN_INVALID


def test_a_private_lists_token_opens_for_its_owner_only() -> None:
    one, other = UUID(int=1), UUID(int=2)
    token = TOKENS.next_token(REQUEST, CURSOR, one)
    assert open_with(REQUEST, token, one) == CURSOR
    for caller in (other, None):
        with pytest.raises(InvalidArgumentError):
            open_with(REQUEST, token, caller)


def test_keys_can_be_replaced_while_old_tokens_still_open() -> None:
    old, new = bytes(32), bytes(range(32))
    token = PageTokens([old]).next_token(REQUEST, CURSOR)
    both = PageTokens([new, old])
    assert both.page_of(REQUEST, 5, token).cursor == CURSOR
    assert PageTokens([new]).page_of(REQUEST, 5, both.next_token(REQUEST, CURSOR)).cursor == CURSOR
    with pytest.raises(InvalidArgumentError):
        PageTokens([new]).page_of(REQUEST, 5, token)


def test_no_keys_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one key"):
        PageTokens([])


async def test_a_stolen_token_is_refused_over_the_wire(served: Running) -> None:
    async def one_page(_: object) -> Page[OrderSummary]:
        return Page((), CURSOR)

    served.use_cases.behaviours["list_orders"] = one_page
    orders = OrderServiceStub(served.channel)
    first = await orders.ListOrders(ListOrdersRequest(), metadata=as_caller(CUSTOMER))
    again = ListOrdersRequest(page_token=first.next_page_token)
    assert (await orders.ListOrders(again, metadata=as_caller(CUSTOMER))).next_page_token
    refused = await refusal(orders.ListOrders(again, metadata=as_caller(OTHER_CUSTOMER)))
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.info.reason == "PAGE_TOKEN_INVALID"
