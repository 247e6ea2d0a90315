"""A page ends where the next one begins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapda.domain.shared.pages import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Cursor, Page, PageRequest


def key(row: int) -> Cursor:
    return (str(row),)


@pytest.mark.parametrize(
    ("asked", "given_size"), [(0, DEFAULT_PAGE_SIZE), (1, 1), (20, 20), (100, 100), (101, 100), (10**9, 100)]
)
def test_a_size_is_coerced_into_its_range(asked: int, given_size: int) -> None:
    assert PageRequest(asked).size == given_size


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        PageRequest(-1)


def test_without_a_size_a_page_has_the_default() -> None:
    assert (PageRequest().size, PageRequest().cursor) == (DEFAULT_PAGE_SIZE, None)


@given(st.integers(0, 250), st.integers(0, MAX_PAGE_SIZE))
def test_pages_read_to_the_end_show_every_row_once(count: int, size: int) -> None:
    rows = list(range(count))
    seen: list[int] = []
    request = PageRequest(size)
    for _ in range(count + 1):
        start = 0 if request.cursor is None else int(request.cursor[0]) + 1
        page = Page.cut(rows[start : start + request.size + 1], request, key)
        assert len(page.items) <= request.size
        seen.extend(page.items)
        if page.next_cursor is None:
            break
        request = PageRequest(size, page.next_cursor)
    assert seen == rows


def test_a_full_page_without_a_surplus_row_is_the_last() -> None:
    request = PageRequest(3)
    assert Page.cut([1, 2, 3], request, key) == Page((1, 2, 3))
    assert Page.cut([1, 2, 3, 4], request, key) == Page((1, 2, 3), ("3",))
    assert Page.cut([], request, key) == Page(())
