"""F37: what two carts become. Every overlap, limit and shortage of room, and what holds for all of them."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kapda.domain.cart.cart import MAX_LINES, Cart, CartLine
from kapda.domain.cart.merge import CutReason, MergeCut, plan_merge
from kapda.domain.shared.ids import VariantId
from tests.fakes.samples import cart_line, cart_of

VARIANTS = range(1, MAX_LINES + 15)


def line(number: int, quantity: int, limit: int = 5) -> CartLine:
    return replace(cart_line(number, quantity=quantity), max_quantity=limit)


def carts(own: dict[int, int], guest: dict[int, int], limits: dict[int, int]) -> tuple[Cart, Cart]:
    """Two carts by variant number and quantity; a product's limit is the same in both."""
    mine, theirs = ([line(n, q, limits.get(n, 5)) for n, q in lines.items()] for lines in (own, guest))
    return cart_of(*mine), replace(cart_of(*theirs), customer_id=None)


def merged(own: Cart, guest: Cart) -> dict[VariantId, int]:
    """The customer's cart once the plan is carried out."""
    return {line.variant_id: line.quantity for line in own.lines} | dict(plan_merge(own, guest).quantities)


contents = st.dictionaries(st.sampled_from(VARIANTS), st.integers(1, 12), max_size=MAX_LINES)
limits = st.dictionaries(st.sampled_from(VARIANTS), st.integers(1, 12))
pairs = st.builds(carts, contents, contents, limits)


@given(pairs)
def test_f37_the_lines_are_the_union_less_the_lines_that_were_cut(pair: tuple[Cart, Cart]) -> None:
    own, guest = pair
    left_out = {cut.variant_id for cut in plan_merge(own, guest).cuts if cut.reason is CutReason.LINE_LIMIT}
    union = {line.variant_id for line in (*own.lines, *guest.lines)}
    assert merged(own, guest).keys() == union - left_out
    assert left_out.isdisjoint(line.variant_id for line in own.lines)


@given(pairs)
def test_f37_every_quantity_is_the_larger_one_unless_a_cut_says_otherwise(pair: tuple[Cart, Cart]) -> None:
    own, guest = pair
    cut = {cut.variant_id: cut for cut in plan_merge(own, guest).cuts}
    mine, theirs = ({line.variant_id: line.quantity for line in cart.lines} for cart in pair)
    after = merged(own, guest)
    for variant_id in mine.keys() | theirs.keys():
        larger = max(mine.get(variant_id, 0), theirs.get(variant_id, 0))
        if variant_id in cut:
            assert (cut[variant_id].wanted, cut[variant_id].kept) == (larger, after.get(variant_id, 0))
            assert cut[variant_id].kept < larger
        else:
            assert after[variant_id] == larger


@given(pairs)
def test_f37_nothing_of_the_customers_own_is_lost_or_lowered(pair: tuple[Cart, Cart]) -> None:
    own, guest = pair
    after = merged(own, guest)
    assert all(after[line.variant_id] >= line.quantity for line in own.lines)


@given(pairs)
def test_limits_hold_for_all_that_the_guest_brings(pair: tuple[Cart, Cart]) -> None:
    own, guest = pair
    had = {line.variant_id: line.quantity for line in own.lines}
    after = merged(own, guest)
    assert len(after) <= MAX_LINES
    for line in guest.lines:
        assert after.get(line.variant_id, 0) <= max(had.get(line.variant_id, 0), line.max_quantity)


@given(pairs)
def test_the_plan_writes_only_what_changes(pair: tuple[Cart, Cart]) -> None:
    own, guest = pair
    had = {line.variant_id: line.quantity for line in own.lines}
    plan = plan_merge(own, guest)
    assert all(had.get(variant_id, 0) < quantity for variant_id, quantity in plan.quantities)
    assert len({variant_id for variant_id, _ in plan.quantities}) == len(plan.quantities)


def test_the_same_variant_takes_the_larger_quantity_and_not_the_sum() -> None:
    own, guest = carts({1: 2, 2: 3}, {1: 3, 2: 1}, {})
    assert plan_merge(own, guest).quantities == ((guest.lines[0].variant_id, 3),)
    assert plan_merge(own, guest).cuts == ()


def test_pieces_over_the_limit_are_cut_and_told() -> None:
    own, guest = carts({1: 2}, {1: 9, 2: 7}, {1: 4, 2: 5})
    both, new = (line.variant_id for line in guest.lines)
    assert plan_merge(own, guest).quantities == ((both, 4), (new, 5))
    assert plan_merge(own, guest).cuts == (
        MergeCut(CutReason.QUANTITY_LIMIT, both, "Handblock kurta", 9, 4),
        MergeCut(CutReason.QUANTITY_LIMIT, new, "Handblock kurta", 7, 5),
    )


def test_a_limit_lowered_since_takes_nothing_from_what_the_customer_has() -> None:
    own, guest = carts({1: 6}, {1: 8}, {1: 3})
    plan = plan_merge(own, guest)
    assert plan.quantities == ()
    assert [(cut.reason, cut.wanted, cut.kept) for cut in plan.cuts] == [(CutReason.QUANTITY_LIMIT, 8, 6)]


def test_the_latest_lines_over_fifty_stay_behind_and_shared_ones_need_no_room() -> None:
    own, guest = carts(dict.fromkeys(range(1, MAX_LINES), 1), {60: 1, 1: 2, 61: 4, 62: 1}, {})
    plan = plan_merge(own, guest)
    first, shared, second, third = (line.variant_id for line in guest.lines)
    assert plan.quantities == ((first, 1), (shared, 2))
    assert [(cut.reason, cut.variant_id, cut.wanted, cut.kept) for cut in plan.cuts] == [
        (CutReason.LINE_LIMIT, second, 4, 0),
        (CutReason.LINE_LIMIT, third, 1, 0),
    ]


def test_what_is_short_or_off_sale_comes_along_to_be_told_by_the_cart() -> None:
    own, guest = carts({}, {1: 4, 2: 2}, {})
    short, withdrawn = guest.lines
    guest = replace(guest, lines=(replace(short, available=1), replace(withdrawn, on_sale=False)))
    plan = plan_merge(own, guest)
    assert (dict(plan.quantities), plan.cuts) == ({short.variant_id: 4, withdrawn.variant_id: 2}, ())


def test_an_empty_guest_cart_changes_nothing() -> None:
    own, guest = carts({1: 2}, {}, {})
    assert (plan_merge(own, guest).quantities, plan_merge(own, guest).cuts) == ((), ())
