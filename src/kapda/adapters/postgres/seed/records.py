"""Catalogue rows on their way into the database, whoever made them up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class UserRecord:
    """A user who can log in; `password_hash` is ready to be stored."""

    id: UUID
    email: str
    display_name: str
    password_hash: str
    role: str


@dataclass(frozen=True, slots=True)
class DesignerRecord:
    """A designer's house and the users who run it."""

    id: UUID
    slug: str
    display_name: str
    legal_name: str
    gstin: str
    commission_basis_points: int
    members: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class CategoryRecord:
    """A shelf under both its names."""

    slug: str
    plural_slug: str
    title: str


@dataclass(frozen=True, slots=True)
class VariantRecord:
    """A variant and the pieces of it that arrive; the price includes tax, in paise."""

    id: UUID
    sku: str
    options: Mapping[str, str]
    price_minor: int
    hsn_code: str
    received: int
    active: bool = True


@dataclass(frozen=True, slots=True)
class ProductRecord:
    """A product in some state, with its variants in the order they are shown: at least one on sale."""

    id: UUID
    designer_id: UUID
    category_slug: str
    slug: str
    title: str
    description: str
    option_names: tuple[str, ...]
    state: str
    published_at: datetime | None
    variants: tuple[VariantRecord, ...]
    max_quantity_per_line: int = 10

    @property
    def prices(self) -> tuple[int, ...]:
        """The prices a shopper can see."""
        return tuple(variant.price_minor for variant in self.variants if variant.active)


@dataclass(frozen=True, slots=True)
class CatalogueRecords:
    """Everything that is written together."""

    users: tuple[UserRecord, ...]
    designers: tuple[DesignerRecord, ...]
    categories: tuple[CategoryRecord, ...]
    products: tuple[ProductRecord, ...]
