"""Scripts written without spaces between words, with the mean number of characters per word.

The numbers are rough means over running text. They let rules that count words treat a Chinese or Thai text nearly as
they treat an English one, without a dictionary for each language.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

SPACED = 0
"""The entry of characters of scripts that separate words by spaces, and of everything else."""

_LETTERS_PER_WORD: dict[int, tuple[tuple[int, int], ...]] = {
    2: (
        (0x3005, 0x3008),  # iteration marks and zero of Han
        (0x3021, 0x302A),
        (0x3041, 0x30A0),  # Hiragana
        (0x3100, 0x3130),  # Bopomofo
        (0x31A0, 0x31C0),
        (0x3400, 0x4DC0),  # Han
        (0x4E00, 0xA4D0),  # Han, Yi
        (0xF900, 0xFB00),
        (0x1B000, 0x1B170),
        (0x20000, 0x40000),
    ),
    3: (
        (0x30A0, 0x3100),  # Katakana
        (0x31F0, 0x3200),
        (0xFF66, 0xFFA0),
    ),
    4: (
        (0x0E00, 0x0F00),  # Thai, Lao: vowel signs and tone marks count as characters here
        (0x1000, 0x10A0),  # Burmese
        (0x1780, 0x1800),  # Khmer
        (0x1950, 0x1AB0),  # Tai Le, New Tai Lue, Tai Tham
        (0x1B00, 0x1B80),  # Balinese
        (0xA980, 0xAA00),  # Javanese, Burmese
        (0xAA60, 0xAAE0),  # Burmese, Tai Viet
    ),
}

FIRST = 0x0E00
"""No character below is of such a script, so a text whose largest code point is smaller has none."""

_UNICODE = 0x110000
_TABULATED = 0x20000  # above, nearly all that is written is Han


@functools.cache
def letters_per_word() -> NDArray[np.uint8]:
    """Returns for each code point how many like it make about a word, or `SPACED`; shape (1114112,)."""
    table = np.full(_UNICODE, SPACED, np.uint8)
    for letters, ranges in _LETTERS_PER_WORD.items():
        for start, stop in ranges:
            table[start:stop] = letters
    return table


def about_words(text: str) -> float:
    """Returns how many words a text has, about: those between spaces, and the letters of other scripts by their number.

    Args:
        text: Any string.
    """
    words = sum(any(map(str.isalnum, word)) for word in _unspaced().sub(" ", text).split())
    if text.isascii():
        return words
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    counts = np.bincount(letters_per_word()[codes], minlength=1)
    return words + sum(count / letters for letters, count in enumerate(counts.tolist()) if letters)


def columns(text: str) -> int:
    """Returns how many columns a text fills in a fixed-width font: wide letters two, marks on letters none.

    It compares lengths over scripts better than the number of characters: Chinese says as much with half of them.

    Args:
        text: Any string.
    """
    if text.isascii():
        return len(text)
    return int(_widths()[np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")].sum())


@functools.cache
def _unspaced() -> re.Pattern[str]:
    return runs_of(np.flatnonzero(letters_per_word()).tolist())


@functools.cache
def _widths() -> NDArray[np.uint8]:
    table = np.ones(_UNICODE, np.uint8)
    table[0x20000:0x40000] = 2
    for code in range(_TABULATED):
        char = chr(code)
        if unicodedata.category(char) in ("Mn", "Me", "Cf"):
            table[code] = 0
        elif unicodedata.east_asian_width(char) in "WF":
            table[code] = 2
    return table


def runs_of(codes: Iterable[int], least: int = 1) -> re.Pattern[str]:
    """Returns the pattern of runs of some code points.

    Args:
        codes: The code points, in ascending order.
        least: Characters that a run has at least.
    """
    return re.compile(f"[{ranges_of(codes)}]{{{least},}}")


def ranges_of(codes: Iterable[int]) -> str:
    """Returns some code points as the inside of a pattern's character class.

    Args:
        codes: The code points, in ascending order.
    """
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)
