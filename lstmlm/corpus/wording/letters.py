"""Character classes for the comparison of texts: letter, single-character word, white space, or ignored.

Letters keep their marks: vowel signs and accents make different words. Case, width (`Ａ`) and the contextual forms of
Arabic letters do not. Signs count as words: emoji, currencies, operators, and the marks of `_SIGNS`. Other punctuation
separates words. Joiners, soft hyphens, marks of direction and variation selectors are nothing.
"""

from __future__ import annotations

import functools
import unicodedata

import numpy as np
from numpy.typing import NDArray

from lstmlm.corpus.steps.forms import nfc
from lstmlm.corpus.wording.scripts import SPACED, letters_per_word

Codes = NDArray[np.uint32]
Places = NDArray[np.int64]

SPACE = 0x20
IGNORED = 0
SINGLE = 1 << 31  # added to the code of a character that is a word by itself
DIGIT = 1 << 28  # added to the code of a decimal digit, of any script; what is smaller is neither
KIND = 24  # above this bit a letter has its flags, and how many like it make about a word (0 for signs)
MINUS = ord("-") | SINGLE

_SIGNS = "#%&*/@\\§†‡‰‱′″‴٪"  # Unicode has them as punctuation; `C#` is not `C`
_DASHES = "-‐‑‒–﹣－"  # before a number they may be a minus
_SAME_LETTER = ("<wide>", "<narrow>", "<font>", "<initial>", "<medial>", "<final>", "<isolated>")
_IGNORED_MARKS = (range(0x034F, 0x0350), range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_OTHERS = {"ς": ord("σ"), "−": MINUS}

_OF_TURKISH = "ıİğĞ"
_TURKISH = str.maketrans("Iİ", "ıi")
_LATIN_1 = 0xFF

_UNICODE = 0x110000
# The planes above hold only Han, tags, and code points nobody writes.
_TABULATED = 0x20000


@functools.cache
def simple_letters() -> Codes:
    """Returns for each code point the letter it represents, or `SPACE` or `IGNORED`; built once, in about 0.3 s."""
    table = np.arange(_UNICODE, dtype=np.uint32)
    table[:_TABULATED] = [_simple(chr(code)) for code in range(_TABULATED)]
    for marks in _IGNORED_MARKS:
        table[marks.start : marks.stop] = IGNORED
    per_word = letters_per_word()
    letter = (table != SPACE) & (table & (SINGLE | DIGIT) == 0) & (per_word != SPACED)
    table[letter] |= np.uint32(SINGLE) | (per_word[letter].astype(np.uint32) << np.uint32(KIND))
    return table


def _simple(char: str) -> int:
    category = unicodedata.category(char)
    if char in _OTHERS:
        return _OTHERS[char]
    if category == "Cf":
        return IGNORED
    if unicodedata.decomposition(char).startswith(_SAME_LETTER):
        same = unicodedata.normalize("NFKC", char)
        if len(same) == 1:
            return _simple(same)
    if category[0] == "S" or category in ("Co", "Cn") or char in _SIGNS:  # an emoji may be newer than the tables
        return ord(char) | SINGLE
    if category[0] not in "LNM":
        return SPACE
    lower = char.lower()
    code = ord(lower) if len(lower) == 1 else ord(char)
    return code | DIGIT if category == "Nd" else code


@functools.cache
def _dashes() -> NDArray[np.bool_]:
    return _flags([ord(dash) for dash in _DASHES])


@functools.cache
def _punctuation() -> NDArray[np.bool_]:
    return _flags([code for code in range(_TABULATED) if unicodedata.category(chr(code))[0] == "P"])


def _flags(codes: list[int]) -> NDArray[np.bool_]:
    table = np.zeros(_UNICODE, np.bool_)
    table[codes] = True
    return table


def join_numbers(codes: Codes, letters: Codes, digits: Places) -> Places:
    """Makes the punctuation inside of numbers (`1.5`, `12:30`) letters, and a minus before a number a sign.

    Args:
        codes: Code points, with three of white space at both ends.
        letters: What `simple_letters` has for them; changed in place.
        digits: Where the digits are.

    Returns:
        Where a minus was made a sign.
    """
    lasts = digits[letters[digits + 1] == SPACE]
    inner = lasts[(letters[lasts + 2] & np.uint32(DIGIT) != 0) & _punctuation()[codes[lasts + 1]]] + 1
    firsts = digits[letters[digits - 1] == SPACE]
    dashes = _dashes()
    close = firsts[dashes[codes[firsts - 1]]] - 1
    apart = firsts[(codes[firsts - 1] == SPACE) & dashes[codes[firsts - 2]]] - 2
    minus = np.concatenate([close, apart])
    before = letters[minus - 1]
    minus = minus[(before == SPACE) | (before >= SINGLE)]
    letters[minus] = MINUS
    letters[inner] = codes[inner]
    return minus


@functools.cache
def _changing() -> NDArray[np.bool_]:
    found = [*range(0x1161, 0x1176), *range(0x11A8, 0x11C3), *range(0x2F800, 0x2FA20), *map(ord, _OF_TURKISH)]
    for code in range(_TABULATED):
        char = chr(code)
        if unicodedata.combining(char) or not unicodedata.is_normalized("NFC", char):
            found.append(code)
        parts = unicodedata.decomposition(char).split()
        if len(parts) == 2 and parts[0][0] != "<":
            found.append(int(parts[1], 16))
    return _flags(found)


def changing(codes: Codes) -> Places:
    """Returns where code points are that `comparable` may change, separately or with their neighbours."""
    foreign = np.flatnonzero(codes > _LATIN_1)
    return foreign[_changing()[codes[foreign]]] if len(foreign) else foreign


def comparable(text: str) -> str:
    """Returns a text in one normal form, and the capitals of a Turkish one as Turkish has them."""
    text = nfc(text)
    if any(letter in text for letter in _OF_TURKISH):
        text = text.translate(_TURKISH)
    return text
