"""Character classes for word segmentation: one row of bit flags per Unicode code point."""

from __future__ import annotations

import functools
import sys
import unicodedata

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.uint16]
Codes = npt.NDArray[np.uint32]

SPACE = 1 << 0  # white space
ALPHA = 1 << 1  # a letter
LOWER = 1 << 2  # a lower-case letter
UPPER = 1 << 3  # an upper-case letter
DIGIT = 1 << 4  # a decimal digit of any script
CONTENT = 1 << 5  # neither white space nor punctuation: a token with none of these is no word
OPENING = 1 << 6  # a separate token before a word
CLOSING = 1 << 7  # a separate token after a word
QUOTE = 1 << 8  # a quotation mark or an apostrophe
SINGLE = 1 << 9  # always a token of its own: an ellipsis, a pictogram
DASH = 1 << 10  # parts two words
LINK = 1 << 11  # parts two words where a letter follows: `:`, `/` and the like
OPERATOR = 1 << 12  # parts two numbers
DOT = 1 << 13  # a full stop
COMMA = 1 << 14  # a comma
MARK = 1 << 15  # any of the above that is neither letter, digit nor white space

_QUOTES = "'\"”“`‘´’‚„»«「」『』（）〔〕【】《》〈〉⟦⟧"
_PAIRED = "…,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪—–"
_OPENING_ONLY = "§%=+"
_CURRENCIES = "$£€¥฿"
_DASHES = "-–—~"
_LINKS = ":<>=/"
_OPERATORS = "+-*^"
_ASCII_SYMBOLS = "$+<=>^`|~"  # punctuation by their use, though Unicode has them as symbols


_PLANES = 0x20000  # code points of the two planes that hold more than ideographs and private use


@functools.cache
def flags() -> Flags:
    """Returns the flags of every code point, shape (1114112,).

    Which characters are separate tokens next to a word, and which divide it, follows the prefix, suffix and infix
    rules of spaCy's English tokenizer, which later reimplementations of the Gopher rules count words with.
    """
    table = np.full(sys.maxunicode + 1, CONTENT, np.uint16)
    table[:_PLANES] = [_of_character(chr(code)) for code in range(_PLANES)]
    ideographs = [chr(code).isalpha() for code in range(_PLANES, 2 * _PLANES)]
    table[_PLANES : 2 * _PLANES][ideographs] |= ALPHA
    for symbols, flag in [
        (_QUOTES, OPENING | CLOSING | QUOTE),
        (_PAIRED, OPENING | CLOSING),
        (_OPENING_ONLY + _CURRENCIES, OPENING),
        ("…", SINGLE),
        (_DASHES, DASH),
        (_LINKS, LINK),
        (_OPERATORS, OPERATOR),
        (".", DOT),
        (",", COMMA),
    ]:
        table[[ord(symbol) for symbol in symbols]] |= flag
    table[table & (OPENING | CLOSING | SINGLE | DASH | LINK | OPERATOR | DOT) != 0] |= MARK
    return table


def _of_character(character: str) -> int:
    if character.isspace():
        return SPACE
    if character.isalpha():
        return ALPHA | CONTENT | (LOWER if character.islower() else 0) | (UPPER if character.isupper() else 0)
    category = unicodedata.category(character)
    if category[0] == "P" or category == "Cc" or character in _ASCII_SYMBOLS:
        return 0
    return CONTENT | (DIGIT if category == "Nd" else 0) | (SINGLE if category == "So" else 0)
