"""The fakes as a backing."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from kapda.domain.inventory.availability import ListingState
from kapda.domain.inventory.stock import MovementKind, StockLevel, StockMovement
from kapda.domain.shared.ids import VariantId
from kapda.domain.shared.jobs import Job
from kapda.domain.shared.money import Money
from tests.contracts.backing import MEERA, EveryRepository, product_number, variant_number
from tests.fakes.database import InMemoryDatabase
from tests.fakes.orders import AlreadyBookedError
from tests.fakes.samples import NOON, RANGREZ, TERMS, rupees
from tests.fakes.tables import VariantRow


@dataclass
class InMemoryBacking:
    """See Backing."""

    database: InMemoryDatabase = field(default_factory=InMemoryDatabase)
    already_booked: type[Exception] = AlreadyBookedError

    def __post_init__(self) -> None:
        self.database.tables.members.add((RANGREZ, MEERA))

    def unit_of_work(self) -> EveryRepository:
        return self.database.unit_of_work()

    async def stock_variant(
        self, number: int = 1, *, pieces: int = 10, price: Money | None = None, max_quantity: int = 10
    ) -> VariantId:
        tables, variant_id = self.database.tables, variant_number(number)
        tables.variants[variant_id] = VariantRow(
            id=variant_id,
            product_id=product_number(number),
            designer_id=RANGREZ,
            sku=f"RNG-KURTA-{number:03}",
            title="Handblock kurta",
            options={"colour": "Indigo", "size": "M"},
            price=price or rupees(1_499),
            terms=TERMS,
            max_quantity=max_quantity,
        )
        tables.stock[variant_id] = StockLevel(variant_id, pieces, 0, 1, NOON)
        received = StockMovement(
            len(tables.movements) + 1, variant_id, MovementKind.RECEIVE, pieces, 0, "opening", "seed", None, NOON
        )
        tables.movements.append(received)
        return variant_id

    async def reprice(self, variant_id: VariantId, price: Money) -> None:
        variants = self.database.tables.variants
        variants[variant_id] = replace(variants[variant_id], price=price)

    async def take_off_sale(self, variant_id: VariantId) -> None:
        variants = self.database.tables.variants
        variants[variant_id] = replace(variants[variant_id], active=False)

    async def list_as(self, variant_id: VariantId, listing: ListingState) -> None:
        variants = self.database.tables.variants
        variants[variant_id] = replace(variants[variant_id], listing=listing)

    async def jobs(self) -> Sequence[tuple[Job, UUID]]:
        return list(self.database.tables.jobs)
