"""Makes up the seed's catalogue: the same one every time, but for ids and times."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import product as combinations
from typing import TypeVar
from uuid import UUID

from kapda.adapters.postgres.seed.houses import COLOURS, HOUSES, MOTIFS, TECHNIQUES, House
from kapda.adapters.postgres.seed.records import (
    CatalogueRecords,
    CategoryRecord,
    DesignerRecord,
    ProductRecord,
    UserRecord,
    VariantRecord,
)
from kapda.adapters.postgres.seed.shelves import SHELVES, Fabric, Shelf
from kapda.domain.catalog.gst import gst_rate_for
from kapda.domain.catalog.gstin import Gstin
from kapda.domain.catalog.product import COLOUR
from kapda.domain.shared.errors import FailedPreconditionError
from kapda.domain.shared.ids import IdGenerator
from kapda.domain.shared.money import INR, Money

PRODUCTS_OF_A_HOUSE = 36
# The last pieces of each house are not, or no longer, public: there must be something that a list can wrongly show.
UNPUBLISHED = {PRODUCTS_OF_A_HOUSE - 2: "draft", PRODUCTS_OF_A_HOUSE - 1: "archived"}
ADMIN_EMAIL = "admin@kapda.example"

_SIZES_OF_A_PRODUCT = 4
_COLOURS_WITH_SIZES = 2
_COLOURS_ALONE = 6
_LARGE = frozenset({"XL", "XXL"})
_LARGE_SURCHARGE = 150
# Just below the band of tax-inclusive prices that has no consistent rate.
_PRICE_INSTEAD_OF_REFUSED = 2_599
_COUNTRY_ZONE = timedelta(hours=5, minutes=30)

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class PasswordHashes:
    """What the seeded users log in with, hashed by the caller: one hash for the designers, one for the admin."""

    designer: str
    admin: str


def plan_catalogue(ids: IdGenerator, now: datetime, hashes: PasswordHashes) -> CatalogueRecords:
    """Twelve houses with their users, an admin, and 36 products of each house."""
    designer_users = [
        UserRecord(ids.new(), f"studio@{house.slug}.example", f"{house.display_name} team", hashes.designer, "designer")
        for house in HOUSES
    ]
    admin = UserRecord(ids.new(), ADMIN_EMAIL, "Shop admin", hashes.admin, "admin")
    designers = [_designer(ids, house, user.id) for house, user in zip(HOUSES, designer_users, strict=True)]
    products = [
        _product(ids, now, house, designer.id, number)
        # Oldest first, so that ids rise with time as they do in a shop that has grown.
        for number in reversed(range(PRODUCTS_OF_A_HOUSE))
        for house, designer in zip(HOUSES, designers, strict=True)
    ]
    categories = (CategoryRecord(shelf.slug, shelf.plural_slug, shelf.title) for shelf in SHELVES)
    return CatalogueRecords((*designer_users, admin), tuple(designers), tuple(categories), tuple(products))


def _designer(ids: IdGenerator, house: House, member: UUID) -> DesignerRecord:
    return DesignerRecord(
        id=ids.new(),
        slug=house.slug,
        display_name=house.display_name,
        legal_name=f"{house.display_name} Private Limited",
        gstin=Gstin.completing(house.gstin_start).value,
        commission_basis_points=house.commission_basis_points,
        members=(member,),
    )


def _product(ids: IdGenerator, now: datetime, house: House, designer_id: UUID, number: int) -> ProductRecord:
    shelf = _shelf(house.categories[number % len(house.categories)])
    key = f"{house.code}-{shelf.slug[:3].upper()}-{number:03d}"
    technique = _pick(house.techniques, key, "technique")
    fabric = _pick(shelf.fabrics, key, "fabric")
    motif = MOTIFS[(number + 7 * HOUSES.index(house)) % len(MOTIFS)]
    title = f"{motif} {technique} {fabric.name} {shelf.title}"
    state = UNPUBLISHED.get(number, "published")
    first_shown = now - timedelta(hours=1 + 97 * number + 7 * HOUSES.index(house))
    return ProductRecord(
        id=ids.new(),
        designer_id=designer_id,
        category_slug=shelf.slug,
        slug=f"{title} {house.display_name.split()[0]}".lower().replace(" ", "-"),
        title=title,
        description=f"{TECHNIQUES[technique]} {shelf.text} {fabric.text} Made in {house.place}.",
        option_names=shelf.option_names,
        state=state,
        published_at=None if state == "draft" else first_shown,
        variants=tuple(_variants(ids, now, key, shelf, fabric)),
        max_quantity_per_line=shelf.max_quantity_per_line,
    )


def _variants(ids: IdGenerator, now: datetime, sku: str, shelf: Shelf, fabric: Fabric) -> Iterator[VariantRecord]:
    price = shelf.cheapest + 100 * (_draw(sku, "price") % ((shelf.dearest - shelf.cheapest) // 100 + 1))
    surcharge = _LARGE_SURCHARGE if _draw(sku, "surcharge") % 4 == 0 else 0
    for position, options in enumerate(_options(sku, shelf)):
        dearer = surcharge if _LARGE & set(options.values()) else 0
        yield VariantRecord(
            id=ids.new(),
            sku=f"{sku}-{position:02d}",
            options=options,
            price_minor=_taxable_price(fabric.hsn_code, price + dearer, now),
            hsn_code=fabric.hsn_code,
            # One variant in twelve is sold out.
            received=0 if _draw(sku, "sold out", position) % 12 == 0 else 3 + _draw(sku, "stock", position) % 38,
        )


def _options(key: str, shelf: Shelf) -> Iterator[dict[str, str]]:
    colours = _run(COLOURS, _COLOURS_WITH_SIZES if shelf.second_option else _COLOURS_ALONE, key, "colours")
    if shelf.second_option is None:
        yield from ({COLOUR: colour} for colour in colours)
        return
    values = _run(shelf.second_values, _SIZES_OF_A_PRODUCT, key, "sizes")
    for colour, value in combinations(colours, values):
        yield {COLOUR: colour, shelf.second_option: value}


def _taxable_price(hsn_code: str, rupees: int, now: datetime) -> int:
    """The price in paise, or a lower one where tax law leaves no rate for it."""
    try:
        gst_rate_for(hsn_code, Money(100 * rupees, INR), (now + _COUNTRY_ZONE).date())
    except FailedPreconditionError:
        return 100 * _PRICE_INSTEAD_OF_REFUSED
    return 100 * rupees


def _shelf(slug: str) -> Shelf:
    return next(shelf for shelf in SHELVES if shelf.slug == slug)


def _run(values: Sequence[Item], length: int, key: str, purpose: str) -> Sequence[Item]:
    """So many neighbours, in order, or all where there are fewer."""
    start = _draw(key, purpose) % max(len(values) - length + 1, 1)
    return values[start : start + length]


def _pick(values: Sequence[Item], key: str, purpose: str) -> Item:
    return values[_draw(key, purpose) % len(values)]


def _draw(*key: object) -> int:
    """A number that looks thrown and is always the same for the same key."""
    return int.from_bytes(blake2b(repr(key).encode(), digest_size=8).digest(), "big")
