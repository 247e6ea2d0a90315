"""Which characters a text of people's may have: all of Unicode, one by one."""

import sys
import unicodedata

from kapda.domain.shared.one_line import is_printable

JOINERS = {"\N{ZERO WIDTH JOINER}", "\N{ZERO WIDTH NON-JOINER}"}
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def test_every_character_can_be_seen_but_controls_steering_private_ones_and_line_ends() -> None:
    everything = map(chr, range(sys.maxunicode + 1))
    refused = {character for character in everything if not is_printable(f"a{character}b")}
    everything = map(chr, range(sys.maxunicode + 1))
    assert refused == {one for one in everything if unicodedata.category(one) in UNSEEN} - JOINERS
