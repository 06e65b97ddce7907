"""Shingles: the runs of n consecutive words of a text, as 64-bit hashes (Broder 1997).

Where a script has no spaces, a run holds as many letters as make about n words.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lstmlm.corpus.wording.words import WORD, Hashes, Offsets, Weights, mix, powers, word_hashes

# Odd, and one less is twice an odd number: exchanged words change the hash.
_BASE = 0xD1B54A32D192ED03


def shingles(texts: Sequence[str], n: int, *, whole: bool = True, signs: bool = True) -> tuple[Hashes, Offsets]:
    """Returns the shingles of texts; they depend only on the words (see `lstmlm.corpus.wording.words`).

    Args:
        texts: Any number of texts.
        n: Words of a shingle.
        whole: A text of fewer words has one shingle of all of them, signs too, so that it is like no text but one of
            the same words and signs; else it has none. A text without words and signs never has any.
        signs: Whether a sign counts as a word of a run; else runs are of words only, whatever signs are between them.

    Returns:
        The hashes of all texts together, in order, and `len(texts) + 1` offsets: the shingles of text `i` are
        `hashes[offsets[i]:offsets[i + 1]]`.
    """
    every, every_first, weights = word_hashes(texts)
    words, first = every, every_first
    if signs:
        weights[weights == 0] = WORD
    elif not weights.all():
        counted = weights != 0
        words, weights, first = every[counted], weights[counted], np.append(0, np.cumsum(counted))[first]
    sizes = np.maximum(np.diff(first) - (n - 1), 0)
    light = _light_texts(first, weights)
    if len(light):
        letters, letters_first, letters_weights = _of_texts(light, words, first, weights)
        sizes[light], ends = _weighed(letters_first, letters_weights, n)
    short = np.flatnonzero((sizes == 0) & (np.diff(every_first) > 0)) if whole else np.empty(0, np.int64)
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(np.maximum(sizes, np.bincount(short, minlength=len(texts))), out=offsets[1:])
    hashes = np.empty(offsets[-1], np.uint64)
    hashes[_ranges(offsets[:-1], sizes)] = _equal_runs(words, n).take(_ranges(first[:-1], sizes))
    if len(light):
        starts = _ranges(letters_first[:-1], sizes[light])
        hashes[_ranges(offsets[light], sizes[light])] = _runs(letters, starts, ends[starts])
    if len(short):
        bounds = every_first[short], every_first[short + 1]
        hashes[offsets[short]] = mix(_runs(every, *bounds) + (bounds[1] - bounds[0]).astype(np.uint64))
    return hashes, offsets


def _light_texts(first: Offsets, weights: Weights) -> Offsets:
    """Returns the texts that have letters of scripts without spaces."""
    light = np.flatnonzero(weights != WORD)
    return np.unique(np.searchsorted(first, light, side="right") - 1) if len(light) else light


def _of_texts(texts: Offsets, words: Hashes, first: Offsets, weights: Weights) -> tuple[Hashes, Offsets, Weights]:
    """Returns words, offsets and weights of some texts."""
    counts = np.diff(first)[texts]
    places = _ranges(first[texts], counts)
    return words[places], np.append(0, np.cumsum(counts)), weights[places]


def _ranges(starts: Offsets, sizes: Offsets) -> Offsets:
    """Returns the numbers from each start on, as many as its size, one range after the other."""
    ends = np.cumsum(sizes)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - sizes), sizes)


def _weighed(first: Offsets, weights: Weights, n: int) -> tuple[Offsets, Offsets]:
    """Returns how many runs each text has, and where the run that starts at each word ends."""
    sums = np.zeros(len(weights) + 1, np.int64)
    np.cumsum(weights, out=sums[1:])
    ends = np.searchsorted(sums, sums[:-1] + WORD * n)
    last = np.repeat(first[1:], np.diff(first))
    inside = np.append(0, np.cumsum(ends <= last))  # in each text the first words start a run, the last ones do not
    return inside[first[1:]] - inside[first[:-1]], ends


def _equal_runs(words: Hashes, n: int) -> Hashes:
    """Returns what `_runs` does for every run of n words, across the ends of texts too; faster for small n."""
    count = max(len(words) - n + 1, 0)
    hashes = words[len(words) - count :].copy()
    for position in range(n - 2, -1, -1):
        hashes *= np.uint64(_BASE)
        hashes += words[position : position + count]
    return hashes


def _runs(words: Hashes, starts: Offsets, ends: Offsets) -> Hashes:
    """Returns the hash of the words from each start to below its end: the polynomial of their hashes.

    By the running sum over all words, as `word_hashes` takes that over letters.
    """
    factors, inverses = powers(_BASE, len(words))
    sums = np.zeros(len(words) + 1, np.uint64)
    np.cumsum(words * factors[: len(words)], out=sums[1:])
    return (sums.take(ends) - sums.take(starts)) * inverses.take(starts)
