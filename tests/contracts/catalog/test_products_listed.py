"""What every Products must do: listing and showing."""

from functools import partial
from uuid import UUID

import pytest

from kapda.domain.catalog.listing import ProductFilter, Sort
from kapda.domain.catalog.product import OptionView
from kapda.domain.catalog.search_text import SearchText
from kapda.domain.shared.ids import DesignerId, ProductId
from kapda.domain.shared.pages import PageRequest
from tests.contracts.catalog.asking import OpenShop, found, listed, rupees, walk
from tests.fakes.catalog_builder import FIRST_DAY, LOOM_ID, PRESS, PRESS_ID, SAREES, CatalogueBuilder

HIDDEN_STATES = ("draft", "submitted", "approved", "rejected", "archived")


async def test_a_list_starts_with_the_newest(shop: CatalogueBuilder, open_shop: OpenShop) -> None:
    for title in ("first", "second", "third"):
        shop.add(title)

    assert await listed(await open_shop(shop.records())) == ["third", "second", "first"]


async def test_a_list_is_sorted_by_the_cheapest_variant(shop: CatalogueBuilder, open_shop: OpenShop) -> None:
    shop.add("wide", shop.variant(rupees=900), shop.variant(size="L", rupees=5_000))
    shop.add("dear", shop.variant(rupees=2_000))
    shop.add("cheap", shop.variant(rupees=500))
    products = await open_shop(shop.records())

    assert await listed(products, sort=Sort.PRICE_ASCENDING) == ["cheap", "wide", "dear"]
    assert await listed(products, sort=Sort.PRICE_DESCENDING) == ["dear", "wide", "cheap"]


async def test_what_is_not_published_is_never_shown(shop: CatalogueBuilder, open_shop: OpenShop) -> None:
    hidden = [shop.add(f"secret {state}", state=state) for state in HIDDEN_STATES]
    shop.add("public secret")
    products = await open_shop(shop.records())

    assert await listed(products) == ["public secret"]
    assert await found(products, "secret") == ["public secret"]
    assert [await products.get(ProductId(product.id)) for product in hidden] == [None] * len(hidden)


@pytest.mark.parametrize("name", ["saree", "sarees", "Sarees", " SAREE "])
async def test_a_category_is_found_by_either_name(shop: CatalogueBuilder, open_shop: OpenShop, name: str) -> None:
    shop.add("a kurta piece")
    shop.add("a saree piece", category=SAREES)
    products = await open_shop(shop.records())

    assert await listed(products, ProductFilter(category=name)) == ["a saree piece"]
    assert await found(products, "piece", ProductFilter(category=name)) == ["a saree piece"]


async def test_an_unknown_category_or_designer_finds_nothing(shop: CatalogueBuilder, open_shop: OpenShop) -> None:
    shop.add()
    products = await open_shop(shop.records())

    assert await listed(products, ProductFilter(category="tractors")) == []
    assert await listed(products, ProductFilter(designer_id=DesignerId(UUID(int=404)))) == []


async def test_a_designer_s_products_are_listed(shop: CatalogueBuilder, open_shop: OpenShop) -> None:
    shop.add("woven")
    shop.add("printed", designer=PRESS)
    products = await open_shop(shop.records())

    assert await listed(products, ProductFilter(designer_id=PRESS_ID)) == ["printed"]
    assert await listed(products, ProductFilter(designer_id=LOOM_ID)) == ["woven"]


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((None, 1_000), ["thousand", "wide"]),
        ((1_000, None), ["dear", "thousand", "wide"]),
        ((1_000, 1_000), ["thousand"]),
        ((1_001, 1_999), []),
        ((None, 899), []),
        ((5_001, None), []),
    ],
)
async def test_a_price_range_includes_its_ends_and_asks_for_one_variant_inside(
    shop: CatalogueBuilder, open_shop: OpenShop, ends: tuple[int | None, int | None], expected: list[str]
) -> None:
    shop.add("wide", shop.variant(rupees=900), shop.variant(size="L", rupees=5_000))
    shop.add("thousand", shop.variant(rupees=1_000))
    shop.add("dear", shop.variant(rupees=2_000))
    low, high = (rupees(end) if end is not None else None for end in ends)
    which = ProductFilter(min_price=low, max_price=high)

    assert await listed(await open_shop(shop.records()), which) == expected


async def test_colour_size_and_price_must_meet_in_one_variant(shop: CatalogueBuilder, open_shop: OpenShop) -> None:
    shop.add("apart", shop.variant("Rust", "S"), shop.variant("Teal", "M"))
    shop.add("together", shop.variant("Rust", "M", rupees=3_000))
    shop.add("no size", shop.variant(options={"colour": "Rust"}), option_names=("colour",))
    products = await open_shop(shop.records())
    rust, medium = frozenset({"Rust"}), frozenset({"M"})

    assert await listed(products, ProductFilter(colours=rust)) == ["no size", "together", "apart"]
    assert await listed(products, ProductFilter(sizes=medium | {"S"})) == ["together", "apart"]
    assert await listed(products, ProductFilter(colours=rust, sizes=medium)) == ["together"]
    assert await listed(products, ProductFilter(colours=rust, sizes=medium, max_price=rupees(2_000))) == []
    assert await listed(products, ProductFilter(colours=frozenset({"Rust", "Teal"}), sizes=medium)) == [
        "together",
        "apart",
    ]


async def test_a_variant_no_longer_sold_is_neither_found_nor_shown(shop: CatalogueBuilder, open_shop: OpenShop) -> None:
    product = shop.add(
        "kept", shop.variant("Rust", active=False), shop.variant("Teal", "L"), shop.variant("Teal", "XL")
    )
    products = await open_shop(shop.records())
    (summary,) = (await products.list(ProductFilter(), Sort.NEWEST, PageRequest())).items
    detail = await products.get(ProductId(product.id))

    assert await listed(products, ProductFilter(colours=frozenset({"Rust"}))) == []
    assert (summary.colours, summary.sizes) == (("Teal",), ("L", "XL"))
    assert detail is not None
    assert [variant.id for variant in detail.variants] == [variant.id for variant in product.variants[1:]]


async def test_a_summary_tells_prices_options_and_whether_some_piece_is_left(
    shop: CatalogueBuilder, open_shop: OpenShop
) -> None:
    shop.add("gone", shop.variant(received=0), shop.variant(size="L", received=0), designer=PRESS)
    shop.add(
        "left",
        shop.variant("Teal", "S", rupees=1_200, received=0),
        shop.variant("Rust", "S", rupees=900, received=1),
        shop.variant("Teal", "M", rupees=1_500, received=0),
    )
    left, gone = (await (await open_shop(shop.records())).list(ProductFilter(), Sort.NEWEST, PageRequest())).items

    assert (left.min_price, left.max_price, left.in_stock) == (rupees(900), rupees(1_500), True)
    assert (left.colours, left.sizes) == (("Teal", "Rust"), ("S", "M"))
    assert left.published_at > FIRST_DAY
    assert (gone.in_stock, gone.designer.id, gone.designer.display_name) == (False, PRESS_ID, "The Press")


async def test_a_product_is_shown_with_its_options_variants_and_stock(
    shop: CatalogueBuilder, open_shop: OpenShop
) -> None:
    record = shop.add(
        "Wedding saree",
        shop.variant(options={"colour": "Rust", "blouse": "Stitched"}, rupees=4_000, received=40),
        shop.variant(options={"colour": "Rust", "blouse": "Unstitched"}, rupees=3_500, received=2),
        description="Woven in Bhuj.",
        category=SAREES,
        option_names=("colour", "blouse"),
        max_quantity_per_line=3,
    )
    product = await (await open_shop(shop.records())).get(ProductId(record.id))

    assert product is not None
    assert (product.title, product.description, product.category) == ("Wedding saree", "Woven in Bhuj.", "saree")
    assert product.options == (OptionView("colour", ("Rust",)), OptionView("blouse", ("Stitched", "Unstitched")))
    assert [list(variant.options) for variant in product.variants] == [["colour", "blouse"]] * 2
    assert [variant.price for variant in product.variants] == [rupees(4_000), rupees(3_500)]
    assert [variant.available for variant in product.variants] == [40, 2]
    assert [variant.available_quantity for variant in product.variants] == [3, 2]


async def test_a_product_that_does_not_exist_is_none(open_shop: OpenShop) -> None:
    assert await (await open_shop(CatalogueBuilder().records())).get(ProductId(UUID(int=404))) is None


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("size", [1, 3, 4])
async def test_pages_show_each_product_once_though_all_have_the_same_place(
    shop: CatalogueBuilder, open_shop: OpenShop, sort: Sort, size: int
) -> None:
    for number in range(8):
        shop.add(f"twin {number}", published_at=FIRST_DAY)
    products = await open_shop(shop.records())
    whole = [product.id for product in (await products.list(ProductFilter(), sort, PageRequest())).items]

    assert await walk(partial(products.list, ProductFilter(), sort), size) == whole
    assert set(whole) == {product.id for product in shop.products}


async def test_pages_keep_to_the_filter(shop: CatalogueBuilder, open_shop: OpenShop) -> None:
    wanted = [shop.add(f"saree {number}", category=SAREES).id for number in range(5)]
    shop.add("kurta")
    products = await open_shop(shop.records())
    which = ProductFilter(category="sarees", min_price=rupees(1_000), colours=frozenset({"Indigo"}))

    assert await walk(partial(products.list, which, Sort.NEWEST), 2) == wanted[::-1]
    assert await walk(partial(products.search, SearchText.parse("saree"), which), 2) == wanted[::-1]
