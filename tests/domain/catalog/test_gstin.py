"""A GSTIN exists only with the right shape, state and check character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapda.domain.catalog.gstin import Gstin
from kapda.domain.shared.errors import InvalidArgumentError

# The example that the tax office's own forms print, and its state code.
PUBLISHED_EXAMPLE = "27AAPFU0939F1ZV"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

starts = st.from_regex(r"(0[1-9]|[12][0-9]|3[0-8])[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z", fullmatch=True).filter(str.isascii)


def test_a_published_example_is_accepted() -> None:
    assert Gstin(PUBLISHED_EXAMPLE).state_code == "27"
    assert Gstin.completing(PUBLISHED_EXAMPLE[:-1]) == Gstin(PUBLISHED_EXAMPLE)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "27AAPFU0939F1Z",
        "27AAPFU0939F1ZVV",
        "27aapfu0939f1zv",
        "27AAPFU0939F0ZV",
        "27AAPFU0939F1YV",
        "2７AAPFU0939F1ZV",
    ],
)
def test_another_shape_is_refused(value: str) -> None:
    with pytest.raises(InvalidArgumentError):
        Gstin(value)


@pytest.mark.parametrize("state", ["00", "39", "96", "99"])
def test_a_state_that_does_not_exist_is_refused(state: str) -> None:
    with pytest.raises(InvalidArgumentError, match="state"):
        Gstin.completing(f"{state}AAPFU0939F1Z")


@given(starts, st.integers(min_value=0, max_value=13), st.sampled_from(ALPHABET))
def test_one_mistyped_character_is_noticed(start: str, place: int, typed: str) -> None:
    right = Gstin.completing(start).value
    wrong = right[:place] + typed + right[place + 1 :]

    if wrong == right:
        assert Gstin(wrong).value == right
    else:
        with pytest.raises(InvalidArgumentError):
            Gstin(wrong)
