"""Text that people write and others read: names, addresses, labels. One decision for all of them.

Kept in normal form C, so that one text has one spelling, and without space around it. Characters that nobody sees or that
steer the writing's direction are refused: they only disguise a text as another. Joiners stay in, because Indic scripts
and emoji are spelt with them; any letter of any script may stand in a text, also one that looks like another's.
"""

import unicodedata

_JOINERS = frozenset("\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}")
# Control, steering, half and private characters, and line ends.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def one_line(text: str) -> str:
    """The text as it is kept."""
    return unicodedata.normalize("NFC", text).strip()


def is_printable(text: str) -> bool:
    """Whether every character can be seen, or joins two that can."""
    # What str calls printable is so here too, and is nearly every text.
    return text.isprintable() or all(
        unicodedata.category(character) not in _UNPRINTABLE or character in _JOINERS for character in text
    )


def is_blank(text: str) -> bool:
    """Whether nothing of it can be seen."""
    return all(unicodedata.category(character) == "Zs" or character in _JOINERS for character in text)
