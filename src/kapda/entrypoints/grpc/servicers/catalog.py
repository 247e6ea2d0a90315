"""CatalogService."""

# The contract names the methods, and grpc hands every one the same parameters.
# ruff: noqa: N802, ARG002

from functools import partial
from uuid import UUID

from google.protobuf.message import Message

from kapda.api.catalog.v1 import catalog_service_pb2 as pb
from kapda.api.catalog.v1.catalog_service_pb2_grpc import CatalogServiceServicer
from kapda.domain.catalog.product import ProductDetail, ProductSummary
from kapda.domain.catalog.use_cases.get_product import GetProductCommand
from kapda.domain.catalog.use_cases.list_products import ListProductsCommand
from kapda.domain.catalog.use_cases.search_products import SearchProductsCommand
from kapda.domain.shared.ids import ProductId
from kapda.domain.shared.pages import Page
from kapda.entrypoints.grpc.call import Context
from kapda.entrypoints.grpc.page_tokens import PageTokens
from kapda.entrypoints.grpc.together import Together
from kapda.entrypoints.grpc.translate.catalog import SORTS, filter_from_proto, product_to_proto, summary_to_proto
from kapda.entrypoints.use_case import UseCase


class CatalogServicer(CatalogServiceServicer):
    """What is on sale. It tells everybody the same, so callers who ask the same at the same time share the work of it."""

    def __init__(
        self,
        *,
        list_products: UseCase[ListProductsCommand, Page[ProductSummary]],
        search_products: UseCase[SearchProductsCommand, Page[ProductSummary]],
        get_product: UseCase[GetProductCommand, ProductDetail],
        page_tokens: PageTokens,
    ) -> None:
        self._list_products = list_products
        self._search_products = search_products
        self._get_product = get_product
        self._page_tokens = page_tokens
        self._lists: Together[bytes, pb.ListProductsResponse] = Together()
        self._searches: Together[bytes, pb.SearchProductsResponse] = Together()
        self._products: Together[bytes, pb.GetProductResponse] = Together()

    async def ListProducts(self, request: pb.ListProductsRequest, context: Context) -> pb.ListProductsResponse:
        """A page of products."""
        return await self._lists.ask(_words_of(request), partial(self._list, request))

    async def SearchProducts(self, request: pb.SearchProductsRequest, context: Context) -> pb.SearchProductsResponse:
        """A page of products that match words."""
        return await self._searches.ask(_words_of(request), partial(self._search, request))

    async def GetProduct(self, request: pb.GetProductRequest, context: Context) -> pb.GetProductResponse:
        """One product."""
        return await self._products.ask(_words_of(request), partial(self._get, request))

    async def _list(self, request: pb.ListProductsRequest) -> pb.ListProductsResponse:
        wanted = self._page_tokens.page_of(request, request.page_size, request.page_token)
        page = await self._list_products.execute(
            ListProductsCommand(filter_from_proto(request), SORTS[request.sort], wanted)
        )
        return pb.ListProductsResponse(
            products=[summary_to_proto(product) for product in page.items],
            next_page_token=self._page_tokens.next_token(request, page.next_cursor),
        )

    async def _search(self, request: pb.SearchProductsRequest) -> pb.SearchProductsResponse:
        wanted = self._page_tokens.page_of(request, request.page_size, request.page_token)
        page = await self._search_products.execute(
            SearchProductsCommand(request.query, filter_from_proto(request), wanted)
        )
        return pb.SearchProductsResponse(
            products=[summary_to_proto(product) for product in page.items],
            next_page_token=self._page_tokens.next_token(request, page.next_cursor),
        )

    async def _get(self, request: pb.GetProductRequest) -> pb.GetProductResponse:
        product = await self._get_product.execute(GetProductCommand(ProductId(UUID(request.product_id))))
        return pb.GetProductResponse(product=product_to_proto(product))


def _words_of(request: Message) -> bytes:
    """The same for requests that ask the same."""
    return request.SerializeToString(deterministic=True)
