"""The words of texts as 64-bit hashes: a whole block at once, without a Python object for each word.

Texts that differ only in case, punctuation, white space or normal form have the same words. Accents and vowel signs
are parts of words, and signs such as `+`, `#`, currencies and emoji are words (see `lstmlm.corpus.wording.letters`). A
number with the punctuation inside of it is one word. Letters of scripts that are written without spaces (see
`lstmlm.corpus.wording.scripts`) are a word each, and weigh less than a word.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lstmlm.corpus.wording.letters import (
    DIGIT,
    IGNORED,
    KIND,
    SINGLE,
    SPACE,
    Codes,
    changing,
    comparable,
    join_numbers,
    simple_letters,
)

Hashes = NDArray[np.uint64]
Offsets = NDArray[np.int64]
Weights = NDArray[np.uint8]

WORD = 12
"""Weight of a word; a letter that makes a third of a word weighs a third of it, and a sign nothing."""

_PADDING = "\n\n\n"  # `join_numbers` looks three characters back

# Small enough that the arrays of a group stay in the second-level cache.
_GROUP_CHARACTERS = 1 << 16

_BASE = 0x9E3779B97F4A7C15  # odd, so it has an inverse modulo 2 ** 64


def mix(values: Hashes) -> Hashes:
    """Returns values whose every bit depends on every bit of the input (the finaliser of SplitMix64, Steele 2014)."""
    mixed = values ^ (values >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def word_hashes(texts: Sequence[str]) -> tuple[Hashes, Offsets, Weights]:
    """Returns the hashes of the words of all texts, in order.

    Args:
        texts: Any number of texts.

    Returns:
        The hashes of the words of all texts together; `len(texts) + 1` offsets: the words of text `i` are
        `hashes[offsets[i]:offsets[i + 1]]`; and what each word weighs, see `WORD`.
    """
    hashes: list[Hashes] = []
    weights: list[Weights] = []
    counts = np.zeros(len(texts) + 1, np.int64)
    for first, last in _groups(texts):
        words, offsets, weight = _group_words(texts[first:last])
        hashes.append(words)
        weights.append(weight)
        counts[first + 1 : last + 1] = np.diff(offsets)
    if not hashes:
        return np.empty(0, np.uint64), counts, np.empty(0, np.uint8)
    return np.concatenate(hashes), np.cumsum(counts), np.concatenate(weights)


def _groups(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    first = size = 0
    for position, text in enumerate(texts):
        size += len(text) + 1
        if size >= _GROUP_CHARACTERS:
            yield first, position + 1
            first, size = position + 1, 0
    if first < len(texts):
        yield first, len(texts)


def _group_words(texts: Sequence[str]) -> tuple[Hashes, Offsets, Weights]:
    """Hashes the words of texts that are handled as one array of code points.

    A word is the polynomial of its letters. The running sum over all letters gives that of every word by one
    subtraction, times the inverse of the power it starts at.
    """
    codes, text_starts = _code_points(texts)
    places = changing(codes)
    if len(places):
        texts = list(texts)
        for index in np.unique(np.searchsorted(text_starts, places, side="right") - 1).tolist():
            texts[index] = comparable(texts[index])
        codes, text_starts = _code_points(texts)
    letters = simple_letters().take(codes)
    if not letters.all():
        kept = letters != IGNORED
        codes, letters = codes[kept], letters[kept]
        text_starts = np.append(0, np.cumsum(kept))[text_starts]
    special = np.flatnonzero(letters >= DIGIT)
    is_digit = letters[special] < SINGLE
    minus = join_numbers(codes, letters, special[is_digit])
    starts, ends, weights = _word_bounds(letters, np.concatenate([special[~is_digit], minus]))
    factors, inverses = powers(_BASE, len(letters))
    sums = np.zeros(len(letters) + 1, np.uint64)
    np.cumsum(letters * factors[: len(letters)], out=sums[1:])
    words = (sums.take(ends) - sums.take(starts)) * inverses.take(starts)
    return mix(words), np.searchsorted(starts, text_starts), weights


def _code_points(texts: Sequence[str]) -> tuple[Codes, Offsets]:
    """Returns the code points of texts, padded, and where each text starts."""
    joined = "\n".join(texts)
    starts = np.full(len(texts) + 1, len(_PADDING), np.int64)
    starts[1:] += np.cumsum([len(text) + 1 for text in texts])
    return np.frombuffer(f"{_PADDING}{joined}{_PADDING}".encode("utf-32-le", "surrogatepass"), "<u4"), starts


def _word_bounds(letters: Codes, single: Offsets) -> tuple[Offsets, Offsets, Weights]:
    """Returns where words start, where each ends (exclusive), and what it weighs.

    Args:
        letters: See `simple_letters`.
        single: Where the characters are that are words by themselves.
    """
    inside = letters != SPACE
    inside[single] = False
    is_start = np.zeros(len(letters), np.bool_)
    is_end = np.zeros(len(letters), np.bool_)  # there is white space at both ends, so nothing is lost there
    np.greater(inside[1:], inside[:-1], out=is_start[1:])
    np.greater(inside[:-1], inside[1:], out=is_end[1:])
    is_start[single] = True
    is_end[single + 1] = True
    starts = np.flatnonzero(is_start)
    weights = np.full(len(starts), WORD, np.uint8)
    weights[np.searchsorted(starts, single)] = _weights().take(letters[single] >> np.uint32(KIND))
    return starts, np.flatnonzero(is_end), weights


@functools.cache
def _weights() -> Weights:
    """Returns what a word weighs, by the bits above `KIND` of its first letter."""
    single = SINGLE >> KIND
    table = np.full(256, WORD, np.uint8)
    table[single] = 0
    for letters in range(1, 8):
        table[single | letters] = WORD // letters
    return table


def powers(base: int, count: int) -> tuple[Hashes, Hashes]:
    """Returns the powers of an odd number modulo 2 ** 64, and their inverses: `count` of each at least."""
    return _powers(base, 1 << max(count - 1, 1).bit_length())


@functools.lru_cache(maxsize=8)
def _powers(base: int, count: int) -> tuple[Hashes, Hashes]:
    def rising(base: int) -> Hashes:
        factors = np.full(count, base, np.uint64)
        factors[0] = 1
        return np.multiply.accumulate(factors)

    return rising(base), rising(pow(base, -1, 1 << 64))
