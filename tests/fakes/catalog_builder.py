"""Makes up small catalogues for tests: two houses, two shelves, and the products a test is about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from kapda.adapters.postgres.seed.records import (
    CatalogueRecords,
    CategoryRecord,
    DesignerRecord,
    ProductRecord,
    VariantRecord,
)
from kapda.domain.catalog.gstin import Gstin
from kapda.domain.shared.ids import DesignerId

FIRST_DAY = datetime(2026, 1, 10, 6, 30, tzinfo=UTC)
LOOM, PRESS = (
    DesignerRecord(UUID(int=0x10 + n), slug, name, f"{name} Private Limited", Gstin.completing(start).value, 1500, ())
    for n, (slug, name, start) in enumerate(
        [("loom", "The Loom", "24AAACL0000K1Z"), ("press", "The Press", "08AAACP0000K1Z")]
    )
)
LOOM_ID, PRESS_ID = DesignerId(LOOM.id), DesignerId(PRESS.id)
KURTAS = CategoryRecord("kurta", "kurtas", "Kurta")
SAREES = CategoryRecord("saree", "sarees", "Saree")


@dataclass
class CatalogueBuilder:
    """Every product added is a minute newer than the one before, costs ₹1,000 and is in stock, unless said otherwise."""

    products: list[ProductRecord] = field(default_factory=list)
    _last: int = 0x1000

    def variant(
        self,
        colour: str = "Indigo",
        size: str = "M",
        *,
        rupees: int = 1_000,
        received: int = 5,
        active: bool = True,
        options: Mapping[str, str] | None = None,
    ) -> VariantRecord:
        """A variant by colour and size, or by other options."""
        return VariantRecord(
            id=self._id(),
            sku=f"SKU-{self._last}",
            options=options if options is not None else {"colour": colour, "size": size},
            price_minor=100 * rupees,
            hsn_code="621142",
            received=received,
            active=active,
        )

    def add(
        self,
        title: str = "Plain piece",
        *variants: VariantRecord,
        description: str = "Cloth.",
        category: CategoryRecord = KURTAS,
        designer: DesignerRecord = LOOM,
        state: str = "published",
        published_at: datetime | None = None,
        option_names: tuple[str, ...] = ("colour", "size"),
        max_quantity_per_line: int = 10,
    ) -> ProductRecord:
        """Add a product and give it back."""
        product = ProductRecord(
            id=self._id(),
            designer_id=designer.id,
            category_slug=category.slug,
            slug=f"product-{self._last}",
            title=title,
            description=description,
            option_names=option_names,
            state=state,
            published_at=published_at or FIRST_DAY + timedelta(minutes=len(self.products)),
            variants=variants or (self.variant(),),
            max_quantity_per_line=max_quantity_per_line,
        )
        self.products.append(product)
        return product

    def records(self) -> CatalogueRecords:
        """Everything so far."""
        return CatalogueRecords((), (LOOM, PRESS), (KURTAS, SAREES), tuple(self.products))

    def _id(self) -> UUID:
        self._last += 1
        return UUID(int=self._last)
