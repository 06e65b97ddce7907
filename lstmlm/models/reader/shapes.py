"""What a token looks like, as bits."""

from __future__ import annotations

import enum


class Shape(enum.IntFlag):
    """What the model is given of a token's letters.

    Attributes:
        SENTENCE_END: A sentence ends with it.
        NOTHING: It has no text of its own in its passage (white space, or part of a character): no answer begins or
            ends there.
        WORD_START: A word begins with it.
        CAPITAL: Its first letter is a capital.
        CAPITALS: All of its letters are, and it has several.
        DIGIT: It has a digit.
        PUNCTUATION: It has neither letters nor digits.
        BYTE: It is a byte.
    """

    SENTENCE_END = 1 << 0
    NOTHING = 1 << 1
    WORD_START = 1 << 2
    CAPITAL = 1 << 3
    CAPITALS = 1 << 4
    DIGIT = 1 << 5
    PUNCTUATION = 1 << 6
    BYTE = 1 << 7
