"""MinHash: how well signatures estimate similarity, and what bands find."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lstmlm.corpus.dedup.minhash import (
    NO_KEY,
    band_keys,
    bands_and_rows,
    candidate_probability,
    least_matches,
    signatures,
    sketches,
)
from lstmlm.corpus.wording.words import mix


def pairs_of_sets(count: int, size: int, jaccard: float, seed: int = 0) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Shingles of 2 * count sets of this size: set 2i and set 2i + 1 have this similarity."""
    common = round(2 * size * jaccard / (1 + jaccard))
    universe = mix(np.arange(count * 2 * size, dtype=np.uint64) + np.uint64(seed << 40)).reshape(count, 2 * size)
    pairs = np.concatenate([universe[:, :size], universe[:, :common], universe[:, size : 2 * size - common]], axis=1)
    return pairs.reshape(-1), np.arange(2 * count + 1) * size


@pytest.mark.parametrize("jaccard", [0.25, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("size", [40, 300])
def test_estimate_is_unbiased_and_no_wider_than_independent_hashes(size: int, jaccard: float) -> None:
    shingles, offsets = pairs_of_sets(1000, size, jaccard)
    signed = signatures(shingles, offsets, 14, 8, seed=3)
    common = round(2 * size * jaccard / (1 + jaccard))
    true = common / (2 * size - common)
    estimates = (signed[::2] == signed[1::2]).mean(axis=1)
    error = (true * (1 - true) / 112) ** 0.5
    assert abs(estimates.mean() - true) < 4 * error / 1000**0.5
    assert estimates.std() < 1.1 * error


def test_consecutive_and_small_numbers_are_estimated_too() -> None:
    # Sets that are no random numbers: hash functions that are too simple fail here.
    shingles = np.concatenate([np.arange(s, s + 300) for pair in range(500) for s in (pair * 1000, pair * 1000 + 100)])
    signed = signatures(shingles.astype(np.uint64) << np.uint64(32), np.arange(1001) * 300, 14, 8, seed=1)
    estimates = (signed[::2] == signed[1::2]).mean(axis=1)
    assert estimates.mean() == pytest.approx(0.5, abs=0.01)
    assert estimates.std() < 1.2 * (0.25 / 112) ** 0.5


def test_signature_is_of_the_set_in_its_text_single() -> None:
    rng = np.random.default_rng(5)
    sizes = rng.integers(0, 60, 200)
    sizes[[0, 50, 199]] = 0
    sizes[100] = 40_000
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    shingles = rng.integers(0, 2**64, offsets[-1], np.uint64)
    signed = signatures(shingles, offsets, 4, 3, seed=1)
    for text in (0, 1, 50, 51, 99, 100, 101, 198, 199):
        own = rng.permutation(np.repeat(shingles[offsets[text] : offsets[text + 1]], 2))
        single = signatures(own, np.array([0, len(own)]), 4, 3, seed=1)
        assert single.tolist() == signed[text : text + 1].tolist()
    assert signatures(shingles, offsets, 4, 3, seed=2)[1].tolist() != signed[1].tolist()


def test_keys_are_equal_where_a_band_is() -> None:
    rng = np.random.default_rng(1)
    signed = rng.integers(0, 3, (400, 12)).astype(np.uint32)
    keys = band_keys(signed, 4)
    assert keys.shape == (400, 8)
    cuts = [range(3 * band, 3 * band + 3) for band in range(4)] + [range(band, 12, 4) for band in range(4)]
    for column, members in enumerate(cuts):
        bands = [tuple(row) for row in signed[:, list(members)].tolist()]
        assert len(set(zip(bands, keys[:, column].tolist(), strict=True))) == len(set(bands))
        assert len(set(keys[:, column].tolist())) == len(set(bands))


def test_text_without_shingles_has_no_keys() -> None:
    signed = signatures(np.array([7], np.uint64), np.array([0, 0, 1]), 4, 2, seed=1)
    keys = band_keys(signed, 4)
    assert keys[0].tolist() == [NO_KEY] * 8
    assert NO_KEY not in keys[1]


@pytest.mark.parametrize(("bands", "rows"), [bands_and_rows(0.8), (14, 8)])
@pytest.mark.parametrize("jaccard", [0.5, 0.7, 0.8])
def test_candidates_are_as_many_as_computed(bands: int, rows: int, jaccard: float) -> None:
    shingles, offsets = pairs_of_sets(2000, 180, jaccard)
    keys = band_keys(signatures(shingles, offsets, bands, rows, seed=9), bands)
    found = (keys[::2] == keys[1::2]).any(axis=1).mean()
    assert found == pytest.approx(candidate_probability(jaccard, bands, rows), abs=0.03)


@pytest.mark.parametrize("jaccard", [0.3, 0.5, 0.7, 0.8, 0.9, 1.0])
def test_chosen_bands_find_the_target(jaccard: float) -> None:
    bands, rows = bands_and_rows(jaccard)
    assert bands * rows <= 128
    shingles, offsets = pairs_of_sets(2000, 260, jaccard)
    assert found_share(shingles, offsets, bands, rows, jaccard) >= 0.97


def test_chosen_bands_leave_half_alike_texts_single() -> None:
    bands, rows = bands_and_rows(0.8)
    shingles, offsets = pairs_of_sets(2000, 180, 0.5)
    assert found_share(shingles, offsets, bands, rows, 0.8) <= 0.001
    assert found_share(*pairs_of_sets(2000, 180, 0.6), bands, rows, 0.8) <= 0.02


def found_share(
    shingles: NDArray[np.uint64], offsets: NDArray[np.int64], bands: int, rows: int, jaccard: float
) -> float:
    signed = signatures(shingles, offsets, bands, rows, seed=9)
    keys, bytes_ = band_keys(signed, bands), sketches(signed)
    candidates = (keys[::2] == keys[1::2]).any(axis=1)
    agree = (bytes_[::2] == bytes_[1::2]).sum(axis=1) >= least_matches(jaccard, bands * rows)
    return float((candidates & agree).mean())


def test_bytes_of_sketches_agree_by_chance_only_once_in_256() -> None:
    shingles, offsets = pairs_of_sets(2000, 100, 0.0)
    bytes_ = sketches(signatures(shingles, offsets, 14, 8, seed=1))
    assert (bytes_[::2] == bytes_[1::2]).mean() == pytest.approx(1 / 256, abs=0.001)


def test_similarity_one_asks_for_all_bytes() -> None:
    assert least_matches(1.0, 112) == 112
    assert least_matches(0.8, 112) < 0.8 * 112
