"""Shingles: the runs of n consecutive words of a text, as 64-bit hashes (Broder 1997)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lstmlm.corpus.words import Hashes, Offsets, mix, word_hashes

# Odd, and one less is twice an odd number: exchanged words change the hash.
_BASE = np.uint64(0xD1B54A32D192ED03)


def shingles(texts: Sequence[str], n: int, *, whole: bool = True) -> tuple[Hashes, Offsets]:
    """Returns the shingles of texts; they depend on the words alone (see `lstmlm.corpus.words`).

    Args:
        texts: Any number of texts.
        n: Words of a shingle.
        whole: A text of fewer words has one shingle of all of them, so that it is like no text but one of the same
            words; else it has none. A text without words never has any.

    Returns:
        The hashes of all texts together, in order, and `len(texts) + 1` offsets: the shingles of text `i` are
        `hashes[offsets[i]:offsets[i + 1]]`.
    """
    words, first = word_hashes(texts)
    counts = np.diff(first)
    windows = np.maximum(counts - (n - 1), 0)
    short = np.flatnonzero((counts > 0) & (counts < n)) if whole else np.empty(0, np.int64)
    sizes = windows.copy()
    sizes[short] = 1
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    # Where each shingle starts among the words.
    starts = np.arange(offsets[-1]) + np.repeat(first[:-1] - offsets[:-1], sizes)
    long = np.ones(offsets[-1], np.bool_)
    long[offsets[short]] = False
    hashes = np.empty(offsets[-1], np.uint64)
    hashes[long] = _windows(words, n).take(starts[long])
    hashes[offsets[short]] = _whole(words, first[short], counts[short])
    return hashes, offsets


def _windows(words: Hashes, n: int) -> Hashes:
    """Returns the hash of every run of n words, across the ends of texts too."""
    count = max(len(words) - n + 1, 0)
    hashes = words[:count].copy()
    for position in range(1, n):
        hashes *= _BASE
        hashes += words[position : position + count]
    return hashes


def _whole(words: Hashes, starts: Offsets, counts: Offsets) -> Hashes:
    """Returns one hash for each run of words that starts there and has so many words."""
    hashes = np.zeros(len(starts), np.uint64)
    for position in range(int(counts.max(initial=0))):
        there = np.flatnonzero(counts > position)
        hashes[there] = hashes[there] * _BASE + words[starts[there] + position]
    return mix(hashes + counts.astype(np.uint64))
