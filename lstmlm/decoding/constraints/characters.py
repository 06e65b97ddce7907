"""Character classes for word boundaries: part of a word, space, or end of a word."""

from __future__ import annotations

import unicodedata

_WITHOUT_SPACES = (
    range(0x0E00, 0x1000),  # Thai, Lao, Tibetan
    range(0x1000, 0x10A0),  # Burmese
    range(0x1780, 0x1800),  # Khmer
    range(0x1950, 0x1A00),  # Tai Le, New Tai Lue
    range(0x1A20, 0x1AB0),  # Tai Tham
    range(0x3005, 0x3008),  # Han iteration marks
    range(0x3040, 0x3130),  # Hiragana, Katakana, Bopomofo
    range(0x31A0, 0x31C0),
    range(0x31F0, 0x3200),
    range(0x3400, 0xA000),  # Han
    range(0xA980, 0xA9E0),  # Javanese
    range(0xF900, 0xFB00),  # Han
    range(0xFF66, 0xFFA0),  # half-width Katakana
    range(0x20000, 0x40000),  # Han
)
"""Scripts that are written without spaces between words."""

SPACE_MARK = "\u2581"
"""What SentencePiece writes for a space."""


def is_space(character: str) -> bool:
    """Says whether a character separates words."""
    return character.isspace() or character == SPACE_MARK


def in_word(character: str) -> bool:
    """Says whether a character makes a word longer that it is written next to.

    Letters, digits, marks and the underscore do. A letter of a script without spaces does not: there, nothing shows
    where a word ends.
    """
    if character.isalnum() or character == "_" or unicodedata.category(character).startswith("M"):
        return not any(ord(character) in block for block in _WITHOUT_SPACES)
    return False
