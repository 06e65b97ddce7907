"""The words of texts as 64-bit hashes: a whole block at once, without a Python object a word.

Two texts that differ in case, accents, punctuation or white space alone have the same words. Numbers stay as they are:
tables and exercises that differ in nothing else are different texts. Letters of scripts that are written without
spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) are a word each.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Offsets = NDArray[np.int64]

# What a code point becomes: a letter of a word, or one of these.
_SPACE = 0x20
_IGNORED = 0
_ALONE = 1 << 31  # added to the code of a letter that is a word by itself

_UNICODE = 0x110000
_SINGLE_LETTER_SCRIPTS = (
    range(0x0E00, 0x0F00),  # Thai, Lao
    range(0x1000, 0x10A0),  # Burmese
    range(0x1780, 0x1800),  # Khmer
    range(0x3040, 0x3100),  # Hiragana, Katakana
    range(0x31F0, 0x3200),
    range(0x3400, 0xA000),  # Han
    range(0x20000, 0x40000),
)
# The planes above hold Han alone, and code points nobody writes.
_TABULATED = 0x20000

# Small enough that the arrays of a group stay in the second-level cache.
_GROUP_CHARACTERS = 1 << 16

# An odd base has an inverse modulo 2 ** 64.
_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 1 << 64)


def mix(values: Hashes) -> Hashes:
    """Returns values whose every bit depends on every bit of the input (the finaliser of SplitMix64, Steele 2014)."""
    mixed = values ^ (values >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def word_hashes(texts: Sequence[str]) -> tuple[Hashes, Offsets]:
    """Returns the hashes of the words of all texts, in order.

    Args:
        texts: Any number of texts.

    Returns:
        The hashes of the words of all texts together, and `len(texts) + 1` offsets: the words of text `i` are
        `hashes[offsets[i]:offsets[i + 1]]`.
    """
    hashes: list[Hashes] = []
    counts = np.zeros(len(texts) + 1, np.int64)
    for first, last in _groups(texts):
        words, offsets = _group_words(texts[first:last])
        hashes.append(words)
        counts[first + 1 : last + 1] = np.diff(offsets)
    return np.concatenate(hashes) if hashes else np.empty(0, np.uint64), np.cumsum(counts)


def _groups(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    first = size = 0
    for position, text in enumerate(texts):
        size += len(text) + 1
        if size >= _GROUP_CHARACTERS:
            yield first, position + 1
            first, size = position + 1, 0
    if first < len(texts):
        yield first, len(texts)


def _group_words(texts: Sequence[str]) -> tuple[Hashes, Offsets]:
    """Hashes the words of texts that are handled as one array of code points.

    A word is the polynomial of its letters. The running sum over all letters gives that of every word by one
    subtraction, times the inverse of the power it starts at.
    """
    joined = " ".join(texts).encode("utf-32-le", "surrogatepass")
    letters = _simple_letters().take(np.frombuffer(joined, "<u4"))
    text_starts = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) + 1 for text in texts], out=text_starts[1:])
    if not letters.all():
        kept = letters != _IGNORED
        letters = letters[kept]
        text_starts = np.append(np.append(0, np.cumsum(kept)), kept.sum())[text_starts]
    starts, ends = _word_bounds(letters)
    powers, inverses = _powers(1 << max(len(letters) - 1, 1).bit_length())
    sums = np.zeros(len(letters) + 1, np.uint64)
    np.cumsum(letters * powers[: len(letters)], out=sums[1:])
    words = (sums.take(ends) - sums.take(starts)) * inverses.take(starts)
    return mix(words), np.searchsorted(starts, text_starts)


def _word_bounds(letters: NDArray[np.uint32]) -> tuple[Offsets, Offsets]:
    """Returns where words start, and where each ends (exclusive)."""
    inside = np.zeros(len(letters) + 2, np.bool_)
    np.not_equal(letters, _SPACE, out=inside[1:-1])
    starts = inside[1:] & ~inside[:-1]
    ends = inside[:-1] & ~inside[1:]
    alone = letters >= _ALONE
    if alone.any():
        starts[:-1] |= alone
        starts[1:] |= inside[2:] & alone
        ends[1:] |= alone
        ends[:-1] |= inside[:-2] & alone
    return np.flatnonzero(starts), np.flatnonzero(ends)


@functools.lru_cache(maxsize=4)
def _powers(count: int) -> tuple[Hashes, Hashes]:
    def powers(base: int) -> Hashes:
        factors = np.full(count, base, np.uint64)
        factors[0] = 1
        return np.multiply.accumulate(factors)

    return powers(_BASE), powers(_INVERSE)


@functools.cache
def _simple_letters() -> NDArray[np.uint32]:
    """Returns for each code point the letter it stands for; built once a process, in about 0.2 s."""
    table = np.arange(_UNICODE, dtype=np.uint32)
    table[:_TABULATED] = [_simple(chr(code)) for code in range(_TABULATED)]
    for script in _SINGLE_LETTER_SCRIPTS:
        table[(table >= script.start) & (table < script.stop)] |= _ALONE
    return table


def _simple(char: str) -> int:
    category = unicodedata.category(char)
    if category in ("Mn", "Me", "Cf"):  # accents; soft hyphens, joiners, marks of direction
        return _IGNORED
    if category[0] not in "LNM":
        return _SPACE
    parts = [part for part in unicodedata.normalize("NFKD", char) if unicodedata.category(part) != "Mn"]
    lower = "".join(parts).lower()
    return ord(lower) if len(lower) == 1 else ord(char)
