"""The catalogue's SQL.

A list has optional filters. One statement with `(:x IS NULL OR column = :x)` for each would be planned for the worst of
all cases, so each combination has a statement of its own, all made here at import: 128 short texts. Products
are cut to the page first, by an index in the order of the list; designer, variants and stock are joined to that page
only.
"""

from collections.abc import Mapping
from enum import Enum, unique
from itertools import combinations

from sqlalchemy import TextClause, text

from kapda.domain.catalog.listing import Sort

# Ranking reads every match's text vector; a word that a fifth of all products have must not cost a fifth of a second.
MAX_RANKED = 1_000
# A rank is a small fraction; as a whole number of millionths it is a page's exact key.
_RANK_SCALE = 1_000_000


@unique
class Part(Enum):
    """A part of a list's question."""

    CATEGORY = "category"
    DESIGNER = "designer"
    PRICE = "price"
    OPTIONS = "options"
    CURSOR = "cursor"


_PLACES: Mapping[Sort, tuple[str, str]] = {
    Sort.NEWEST: ("(p.published_at, p.id) < (:after_key, :after_id)", "p.published_at DESC, p.id DESC"),
    Sort.PRICE_ASCENDING: ("(p.min_price_minor, p.id) > (:after_key, :after_id)", "p.min_price_minor, p.id"),
    Sort.PRICE_DESCENDING: ("(p.min_price_minor, p.id) < (:after_key, :after_id)", "p.min_price_minor DESC, p.id DESC"),
}

_PRODUCT_CONDITIONS: Mapping[Part, str] = {
    Part.CATEGORY: "p.category_slug = (SELECT slug FROM categories WHERE slug = :category OR plural_slug = :category)",
    Part.DESIGNER: "p.designer_id = :designer_id",
    # The product's own range needs no look at variants and rules most out.
    Part.PRICE: "p.max_price_minor >= :min_price AND p.min_price_minor <= :max_price",
}

# One variant must have it all; containment can use the index on options.
_VARIANT_CONDITIONS: Mapping[Part, str] = {
    Part.OPTIONS: "v.options @> ANY (CAST(CAST(:options AS text[]) AS jsonb[]))",
    Part.PRICE: "v.price_minor BETWEEN :min_price AND :max_price",
}

_SOME_VARIANT = "EXISTS (SELECT FROM variants v WHERE v.product_id = p.id AND v.active AND {conditions})"

_COLUMNS = "p.id, p.slug, p.title, p.category_slug, p.designer_id, p.min_price_minor, p.max_price_minor, p.published_at"

# The variants as text: most rows are as they were when they were last read, and are known by what they say.
_SUMMARY = """
SELECT p.*, d.slug AS designer_slug, d.display_name AS designer_name, CAST(v.variants AS text) AS variants
FROM ({page}) p
JOIN designers d ON d.id = p.designer_id
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_array(v.options, COALESCE(s.available, 0) > 0) ORDER BY v.position) AS variants
    FROM variants v LEFT JOIN stock s ON s.variant_id = v.id
    WHERE v.product_id = p.id AND v.active
) v
ORDER BY {order}
"""

_LIST_PAGE = "SELECT {columns} FROM products p WHERE {conditions} ORDER BY {order} LIMIT :rows"

# What was typed as it stands, or its beginning with a word that starts as the last one does.
_SEARCH_QUERY = """
SELECT websearch_to_tsquery('english', :text)
    || (websearch_to_tsquery('english', :head) && to_tsquery('english', :prefix)) AS words
"""

_SEARCH_PAGE = """
SELECT * FROM (
    SELECT {columns}, CAST(ts_rank(p.search, q.words) * {scale} AS bigint) AS rank
    FROM (
        SELECT p.* FROM products p, ({query}) q
        WHERE p.search @@ q.words AND {conditions}
        ORDER BY p.published_at DESC, p.id DESC LIMIT {candidates}
    ) p, ({query}) q
) p
{after} ORDER BY {order} LIMIT :rows
"""
_RANK_ORDER = "p.rank DESC, p.id DESC"
_RANK_PLACE = "WHERE (p.rank, p.id) < (:after_key, :after_id)"

GET = text("""
SELECT p.id, p.slug, p.title, p.description, p.category_slug, p.designer_id, p.option_names, p.max_quantity_per_line,
    p.min_price_minor, p.max_price_minor, p.published_at,
    d.slug AS designer_slug, d.display_name AS designer_name, v.variants
FROM products p
JOIN designers d ON d.id = p.designer_id
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_array(v.id, v.sku, v.options, v.price_minor, v.currency, COALESCE(s.available, 0))
        ORDER BY v.position) AS variants
    FROM variants v LEFT JOIN stock s ON s.variant_id = v.id
    WHERE v.product_id = p.id AND v.active
) v
WHERE p.id = :product_id AND p.state = 'published'
""")


def _conditions(parts: frozenset[Part]) -> str:
    """The conditions of these parts, the published state always among them."""
    chosen = [part for part in Part if part in parts]
    conditions = ["p.state = 'published'"]
    conditions += [_PRODUCT_CONDITIONS[part] for part in chosen if part in _PRODUCT_CONDITIONS]
    variant = [_VARIANT_CONDITIONS[part] for part in chosen if part in _VARIANT_CONDITIONS]
    if variant:
        conditions.append(_SOME_VARIANT.format(conditions=" AND ".join(variant)))
    return " AND ".join(conditions)


def _list_statement(sort: Sort, parts: frozenset[Part]) -> TextClause:
    place, order = _PLACES[sort]
    conditions = _conditions(parts) + (f" AND {place}" if Part.CURSOR in parts else "")
    page = _LIST_PAGE.format(columns=_COLUMNS, conditions=conditions, order=order)
    return text(_SUMMARY.format(page=page, order=order))


def _search_statement(parts: frozenset[Part]) -> TextClause:
    page = _SEARCH_PAGE.format(
        columns=_COLUMNS,
        query=_SEARCH_QUERY,
        conditions=_conditions(parts),
        scale=_RANK_SCALE,
        candidates=MAX_RANKED,
        after=_RANK_PLACE if Part.CURSOR in parts else "",
        order=_RANK_ORDER,
    )
    return text(_SUMMARY.format(page=page, order=_RANK_ORDER))


_CHOICES = tuple(frozenset(chosen) for size in range(len(Part) + 1) for chosen in combinations(Part, size))

LIST: Mapping[tuple[Sort, frozenset[Part]], TextClause] = {
    (sort, parts): _list_statement(sort, parts) for sort in Sort for parts in _CHOICES
}
SEARCH: Mapping[frozenset[Part], TextClause] = {parts: _search_statement(parts) for parts in _CHOICES}
