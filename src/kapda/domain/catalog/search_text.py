"""What a shopper types into the search box."""

import unicodedata
from dataclasses import dataclass

from kapda.domain.shared.errors import InvalidArgumentError

# More says nothing more about a product, and every word is looked up.
MAX_SEARCH_LENGTH = 200
# A beginning shorter than this begins too many words to be worth looking for.
MIN_PREFIX_LENGTH = 3
# These have a meaning in a web search: a phrase, an exclusion, an alternative.
_OPERATOR_CHARACTERS = frozenset('"-')
_OPERATOR_WORDS = frozenset({"or"})


@dataclass(frozen=True, slots=True)
class SearchText:
    """Words to look for: all of `text`, or all of `head` together with a word that begins with `prefix`.

    The second reading is for somebody still typing; `prefix` is empty where the last word is too short to be a
    beginning, or where the text uses the operators of a web search (quotes, a minus, `or`) and so is complete.
    """

    text: str
    head: str
    prefix: str

    @classmethod
    def parse(cls, typed: str) -> "SearchText":
        """Raises InvalidArgumentError on the field `query` for a blank or overlong text or a null character."""
        if "\0" in typed:
            raise InvalidArgumentError.for_field("query", "must not have a null character")
        words = unicodedata.normalize("NFKC", typed).split()
        text = " ".join(words)
        if not text:
            raise InvalidArgumentError.for_field("query", "must not be empty")
        if len(text) > MAX_SEARCH_LENGTH:
            raise InvalidArgumentError.for_field("query", f"must not be longer than {MAX_SEARCH_LENGTH} characters")
        if _is_beginning(words[-1]) and not _uses_operators(words):
            return cls(text, " ".join(words[:-1]), words[-1].lower())
        return cls(text, text, "")


def _is_beginning(word: str) -> bool:
    return len(word) >= MIN_PREFIX_LENGTH and word.isalnum()


def _uses_operators(words: list[str]) -> bool:
    return any(word.lower() in _OPERATOR_WORDS or _OPERATOR_CHARACTERS & set(word) for word in words)
