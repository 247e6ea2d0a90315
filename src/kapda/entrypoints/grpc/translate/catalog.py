"""Catalogue: products, and what to look for."""

from uuid import UUID

from kapda.api.catalog.v1 import catalog_service_pb2, product_pb2
from kapda.domain.catalog.listing import ProductFilter, Sort
from kapda.domain.catalog.product import DesignerRef, ProductDetail, ProductSummary, VariantView
from kapda.domain.shared.ids import DesignerId
from kapda.entrypoints.grpc.translate.values import money_from_proto, money_to_proto, options_to_proto, timestamp

SORTS = {
    catalog_service_pb2.PRODUCT_SORT_UNSPECIFIED: Sort.NEWEST,
    catalog_service_pb2.PRODUCT_SORT_NEWEST: Sort.NEWEST,
    catalog_service_pb2.PRODUCT_SORT_PRICE_ASC: Sort.PRICE_ASCENDING,
    catalog_service_pb2.PRODUCT_SORT_PRICE_DESC: Sort.PRICE_DESCENDING,
}


def filter_from_proto(
    request: catalog_service_pb2.ListProductsRequest | catalog_service_pb2.SearchProductsRequest,
) -> ProductFilter:
    """Which products. Raises InvalidArgumentError for a price range upside down."""
    return ProductFilter(
        category=request.category or None,
        designer_id=DesignerId(UUID(request.designer_id)) if request.designer_id else None,
        min_price=money_from_proto(request.min_price) if request.HasField("min_price") else None,
        max_price=money_from_proto(request.max_price) if request.HasField("max_price") else None,
        sizes=frozenset(request.sizes),
        colours=frozenset(request.colours),
    )


def summary_to_proto(product: ProductSummary) -> product_pb2.ProductSummary:
    """A product in a list."""
    return product_pb2.ProductSummary(
        id=str(product.id),
        slug=product.slug,
        title=product.title,
        category=product.category,
        designer=_designer(product.designer),
        min_price=money_to_proto(product.min_price),
        max_price=money_to_proto(product.max_price),
        colours=product.colours,
        sizes=product.sizes,
        in_stock=product.in_stock,
        publish_time=timestamp(product.published_at),
    )


def product_to_proto(product: ProductDetail) -> product_pb2.Product:
    """A product on its page."""
    return product_pb2.Product(
        id=str(product.id),
        slug=product.slug,
        title=product.title,
        description=product.description,
        category=product.category,
        designer=_designer(product.designer),
        options=[product_pb2.Option(name=option.name, values=option.values) for option in product.options],
        variants=[_variant(variant) for variant in product.variants],
        min_price=money_to_proto(product.min_price),
        max_price=money_to_proto(product.max_price),
        publish_time=timestamp(product.published_at),
    )


def _designer(designer: DesignerRef) -> product_pb2.DesignerSummary:
    return product_pb2.DesignerSummary(id=str(designer.id), slug=designer.slug, display_name=designer.display_name)


def _variant(variant: VariantView) -> product_pb2.Variant:
    return product_pb2.Variant(
        id=str(variant.id),
        sku=variant.sku,
        options=options_to_proto(variant.options),
        price=money_to_proto(variant.price),
        available_quantity=variant.available_quantity,
        max_quantity_per_line=variant.max_quantity_per_line,
    )
