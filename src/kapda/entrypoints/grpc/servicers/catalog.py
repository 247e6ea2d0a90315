"""CatalogService."""

# The contract names the methods, and grpc hands every one the same parameters.
# ruff: noqa: N802, ARG002

from uuid import UUID

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
from kapda.entrypoints.grpc.translate.catalog import SORTS, filter_from_proto, product_to_proto, summary_to_proto
from kapda.entrypoints.use_case import UseCase


class CatalogServicer(CatalogServiceServicer):
    """What is on sale."""

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

    async def ListProducts(self, request: pb.ListProductsRequest, context: Context) -> pb.ListProductsResponse:
        """A page of products."""
        wanted = self._page_tokens.page_of(request, request.page_size, request.page_token)
        page = await self._list_products.execute(
            ListProductsCommand(filter_from_proto(request), SORTS[request.sort], wanted)
        )
        return pb.ListProductsResponse(
            products=[summary_to_proto(product) for product in page.items],
            next_page_token=self._page_tokens.next_token(request, page.next_cursor),
        )

    async def SearchProducts(self, request: pb.SearchProductsRequest, context: Context) -> pb.SearchProductsResponse:
        """A page of products that match words."""
        wanted = self._page_tokens.page_of(request, request.page_size, request.page_token)
        page = await self._search_products.execute(
            SearchProductsCommand(request.query, filter_from_proto(request), wanted)
        )
        return pb.SearchProductsResponse(
            products=[summary_to_proto(product) for product in page.items],
            next_page_token=self._page_tokens.next_token(request, page.next_cursor),
        )

    async def GetProduct(self, request: pb.GetProductRequest, context: Context) -> pb.GetProductResponse:
        """One product."""
        product = await self._get_product.execute(GetProductCommand(ProductId(UUID(request.product_id))))
        return pb.GetProductResponse(product=product_to_proto(product))
