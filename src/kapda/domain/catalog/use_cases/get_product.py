"""Get one product."""

from dataclasses import dataclass

from kapda.domain.catalog.ports import Products
from kapda.domain.catalog.product import ProductDetail
from kapda.domain.shared.errors import NotFoundError, Reason
from kapda.domain.shared.ids import ProductId


@dataclass(frozen=True, slots=True)
class GetProductCommand:
    """Which product."""

    product_id: ProductId


@dataclass(frozen=True, slots=True)
class GetProduct:
    """Anybody may see a published product, with what is in stock now."""

    products: Products

    async def execute(self, command: GetProductCommand) -> ProductDetail:
        """The product. Raises NotFoundError (PRODUCT_NOT_FOUND) for one that does not exist or is not published."""
        product = await self.products.get(command.product_id)
        if product is None:
            raise NotFoundError(
                Reason.PRODUCT_NOT_FOUND, "there is no such product", metadata={"product_id": str(command.product_id)}
            )
        return product
