"""Why a line is refused: the first broken rule speaks."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from kapda.domain.cart.cart import MAX_LINES
from kapda.domain.cart.ports import LineFacts
from kapda.domain.cart.refusals import line_not_found, why_refused
from kapda.domain.shared.errors import AbortedError, Kind, NotFoundError, Reason
from kapda.domain.shared.ids import VariantId

KURTA = VariantId(UUID(int=1))
FINE = LineFacts(
    variant_exists=True, on_sale=True, available=10, max_quantity=5, quantity_in_cart=0, line_count=MAX_LINES - 1
)
# From the most telling rule to the least.
BROKEN: list[tuple[Mapping[str, Any], Reason, Mapping[str, str]]] = [
    ({"variant_exists": False}, Reason.VARIANT_NOT_FOUND, {}),
    ({"on_sale": False}, Reason.VARIANT_NOT_ON_SALE, {}),
    ({"max_quantity": 2}, Reason.QUANTITY_LIMIT_EXCEEDED, {"limit": "2", "requested": "3"}),
    ({"available": 2}, Reason.INSUFFICIENT_STOCK, {"available": "2", "requested": "3"}),
    ({"line_count": MAX_LINES}, Reason.CART_LINE_LIMIT_EXCEEDED, {"limit": "50"}),
]


@pytest.mark.parametrize(("broken", "reason", "metadata"), BROKEN)
def test_one_broken_rule_is_named_with_its_numbers(
    broken: Mapping[str, Any], reason: Reason, metadata: Mapping[str, str]
) -> None:
    refusal = why_refused(replace(FINE, **broken), KURTA, 3)
    assert refusal.reason is reason
    assert refusal.metadata == {"variant_id": str(KURTA), **metadata}
    expected = Kind.NOT_FOUND if reason is Reason.VARIANT_NOT_FOUND else Kind.FAILED_PRECONDITION
    assert refusal.kind is expected


@pytest.mark.parametrize("first", range(len(BROKEN)))
def test_of_several_broken_rules_the_first_speaks(first: int) -> None:
    facts = FINE
    for broken, _, _ in BROKEN[first:]:
        facts = replace(facts, **broken)
    assert why_refused(facts, KURTA, 3).reason is BROKEN[first][1]


def test_a_full_cart_still_takes_more_of_what_it_has() -> None:
    facts = replace(FINE, line_count=MAX_LINES, quantity_in_cart=1)
    assert why_refused(facts, KURTA, 3).reason is Reason.CONCURRENT_UPDATE


def test_facts_that_break_no_rule_any_more_are_a_lost_race_worth_another_try() -> None:
    refusal = why_refused(FINE, KURTA, 3)
    assert isinstance(refusal, AbortedError)
    assert refusal.retry_after == pytest.approx(0.1)


def test_a_line_that_is_not_there_is_not_found() -> None:
    refusal = line_not_found(KURTA)
    assert isinstance(refusal, NotFoundError)
    assert (refusal.reason, refusal.metadata) == (Reason.CART_LINE_NOT_FOUND, {"variant_id": str(KURTA)})
