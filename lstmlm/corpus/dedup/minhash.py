"""MinHash signatures and LSH bands (Broder 1997; Indyk and Motwani 1998), which find candidate near duplicates.

Two texts agree in a hash of their signatures with a probability equal to the Jaccard similarity of their shingles.
Rows of a signature are put together to bands; texts that agree in all of a band become a candidate pair.

Each signature is cut into bands twice: once into consecutive hashes, once into hashes that are `bands` apart, so that
a band of the first cut shares at most one hash with one of the second (where there are no fewer bands than rows). That
finds what twice as many hashes would find. The price, more candidates that are not alike, is paid back by comparing
the whole signatures of a candidate pair (`least_matches`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lstmlm.corpus.wording.words import Hashes, Offsets, mix

CUTS = 2
NO_KEY = 0
"""The band key of a text without shingles: it is like no other."""

_CHUNK = 1 << 15  # shingles whose hashes stay in the second-level cache
_BASE = np.uint64(0xF1357AEA2E62A9C5)
_FOUND = 0.99
_DEVIATIONS = 2.5


def candidate_probability(jaccard: float, bands: int, rows: int) -> float:
    """Returns how likely two texts of this similarity share a band key, for independent bands."""
    return float(1.0 - (1.0 - jaccard**rows) ** (CUTS * bands))


def bands_and_rows(jaccard: float, max_hashes: int = 128) -> tuple[int, int]:
    """Returns the bands and rows that pick out pairs of this similarity or more, as sharply as the hashes allow.

    The most rows (so the fewest candidates that are less alike) with which a pair at the target becomes a candidate
    with a probability of 0.99, and then as many bands as there are hashes for. Never more rows than bands: the two cuts
    would share too much.

    Args:
        jaccard: Similarity of shingles to find, above 0, up to 1.
        max_hashes: Hashes of a signature at most.
    """
    for rows in range(math.isqrt(max_hashes), 1, -1):
        if candidate_probability(jaccard, max_hashes // rows, rows) >= _FOUND:
            return max_hashes // rows, rows
    return max_hashes, 1


def least_matches(jaccard: float, hashes: int) -> int:
    """Returns how many bytes of two sketches must agree for a candidate pair to count as this similar.

    The estimate may be 2.5 standard deviations below the target, so that 99 % of the pairs at the target pass. Bytes of
    different hashes agree by chance, one in 256 (b-bit minwise hashing, Li and König 2010).
    """
    threshold = jaccard - _DEVIATIONS * math.sqrt(jaccard * (1.0 - jaccard) / hashes)
    return math.ceil(hashes * (threshold + (1.0 - threshold) / 256) - 1e-9)


def signatures(shingles: Hashes, offsets: Offsets, bands: int, rows: int, seed: int) -> NDArray[np.uint32]:
    """Returns the MinHash signatures of texts.

    Args:
        shingles: Hashes of the shingles of all texts, see `lstmlm.corpus.wording.shingles`.
        offsets: Where the shingles of each text start, and the end.
        bands: Bands of a signature.
        rows: Hashes of a band.
        seed: Decides the hash functions.

    Returns:
        `uint32[texts, bands * rows]`; all ones for a text without shingles.
    """
    count = bands * rows
    found = np.full((count, len(offsets) - 1), np.iinfo(np.uint32).max, np.uint32)
    filled = np.flatnonzero(np.diff(offsets))
    # The hash of 0 would be 0, whatever the function.
    items = np.maximum(shingles >> np.uint64(32), 1).astype(np.uint32)
    first, second = _multipliers(seed, count)
    for texts, begin, end in _chunks(filled, offsets):
        chunk, starts = items[begin:end], offsets[texts] - begin
        hashed, shifted = np.empty_like(chunk), np.empty_like(chunk)
        least = np.empty(len(texts), np.uint32)
        for function in range(count):
            # Multiply, shift, multiply: without the shift the functions are too alike (see the tests).
            np.multiply(chunk, first[function], out=hashed)
            np.right_shift(hashed, 16, out=shifted)
            np.bitwise_xor(hashed, shifted, out=hashed)
            np.multiply(hashed, second[function], out=hashed)
            np.minimum.reduceat(hashed, starts, out=least)
            found[function, texts] = least
    return found.T


def _multipliers(seed: int, count: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    stream = mix(mix(np.full(1, seed, np.uint64)) + np.arange(count, dtype=np.uint64))
    odd = np.uint32(1)
    return stream.astype(np.uint32) | odd, (stream >> np.uint64(32)).astype(np.uint32) | odd


def _chunks(filled: Offsets, offsets: Offsets) -> Iterator[tuple[Offsets, int, int]]:
    """Yields texts with shingles, about `_CHUNK` shingles at a time, and where these start and end."""
    ends = offsets[filled + 1]
    first = 0
    while first < len(filled):
        begin = int(offsets[filled[first]])
        last = max(int(np.searchsorted(ends, begin + _CHUNK, side="right")), first + 1)
        yield filled[first:last], begin, int(ends[last - 1])
        first = last


def band_keys(signatures: NDArray[np.uint32], bands: int) -> Hashes:
    """Returns the keys of the bands of both cuts: texts that share one in the same column are candidates.

    Args:
        signatures: `uint32[texts, hashes]`, see `signatures`.
        bands: Bands of a cut; must divide the hashes.

    Returns:
        `uint64[texts, 2 * bands]`, `NO_KEY` for texts without shingles; no other key is that.
    """
    texts, hashes = signatures.shape
    rows = hashes // bands
    columns = np.ascontiguousarray(signatures.T)
    cuts = (columns.reshape(bands, rows, texts).swapaxes(0, 1), columns.reshape(rows, bands, texts))
    keys = np.zeros((CUTS, bands, texts), np.uint64)
    for cut, members in enumerate(cuts):
        for row in members:
            keys[cut] = keys[cut] * _BASE + row
    flat = np.maximum(mix(keys.reshape(CUTS * bands, texts)), NO_KEY + 1)
    flat[:, (columns == np.iinfo(np.uint32).max).all(axis=0)] = NO_KEY
    return flat.T


def sketches(signatures: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Returns a byte of each hash, `uint8[texts, hashes]`: enough to estimate similarity with `least_matches`."""
    # The top byte of a product depends on every bit of the hash; a minimum's own top bits are nearly always 0.
    return ((signatures * np.uint32(0x9E3779B1)) >> np.uint32(24)).astype(np.uint8)
