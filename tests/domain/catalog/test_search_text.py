"""What is typed into the search box becomes words, or is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapda.domain.catalog.search_text import MAX_SEARCH_LENGTH, SearchText
from kapda.domain.shared.errors import InvalidArgumentError


@pytest.mark.parametrize("typed", ["", "   ", "\t\n", "\u00a0", "kur\0ta", "a" * (MAX_SEARCH_LENGTH + 1)])
def test_a_blank_overlong_or_unstorable_text_is_refused(typed: str) -> None:
    with pytest.raises(InvalidArgumentError) as refusal:
        SearchText.parse(typed)
    assert [violation.field for violation in refusal.value.violations] == ["query"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Kurta", SearchText("Kurta", "", "kurta")),
        ("  silk   Sar ", SearchText("silk Sar", "silk", "sar")),
        ("silk sa", SearchText("silk sa", "silk sa", "")),
        ("silk sari's", SearchText("silk sari's", "silk sari's", "")),
        ('"silk saree', SearchText('"silk saree', '"silk saree', "")),
        ("saree -silk", SearchText("saree -silk", "saree -silk", "")),
        ("saree OR stole", SearchText("saree OR stole", "saree OR stole", "")),
        ("ｋｕｒｔａ", SearchText("kurta", "", "kurta")),
    ],
)
def test_the_last_word_is_a_beginning_unless_it_is_short_or_the_text_has_operators(
    typed: str, expected: SearchText
) -> None:
    assert SearchText.parse(typed) == expected


@given(st.text(max_size=250))
def test_every_text_is_refused_or_becomes_words(typed: str) -> None:
    try:
        parsed = SearchText.parse(typed)
    except InvalidArgumentError:
        return
    assert 0 < len(parsed.text) <= MAX_SEARCH_LENGTH
    assert parsed.prefix == "" or parsed.prefix.isalnum()
