"""Pairs of rows that share a key and agree beyond it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lstmlm.corpus.dedup.edges import LEADERS, find_edges
from lstmlm.corpus.dedup.key_index import KeyIndex, OpenKeys
from lstmlm.corpus.dedup.keys import EXACT, KeyFile, Keys, write_keys
from lstmlm.corpus.dedup.minhash import NO_KEY
from lstmlm.corpus.passes.extents import Extent, Part

BAND = 1


def index_of(
    folder: Path, band: list[int], sketches: list[int], exact: list[tuple[int, int]], block: int = 3
) -> OpenKeys:
    """The keys of rows with one band and sketches of 4 equal bytes; there is an empty block between all others."""
    keys = Keys(
        np.array(exact, np.uint64).reshape(-1, 2),
        np.array(band, np.uint64).reshape(-1, 1),
        np.repeat(np.array(sketches, np.uint8).reshape(-1, 1), 4, axis=1),
    )
    parts: list[Part] = []
    for start in range(0, len(band), 3):
        for rows in (slice(start, start + 3), slice(0)):
            path, some = (
                folder / f"{len(parts):04d}.keys",
                Keys(keys.exact[rows], keys.bands[rows], keys.sketches[rows]),
            )
            write_keys(path, some)
            extent = Extent("train", 0, len(parts), str(path), 0, 1, 0, len(some.exact), 0, 0)
            parts.append(Part(extent, 0, 1, start))
    return OpenKeys(KeyIndex.of(parts, lambda path: path))


def edges_of(
    keys: OpenKeys, column: int, part: int, parts: int, least: int, most: int = 1000
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """The pairs of one of several equal ranges."""
    low, high = ((number << 64) // parts for number in (part, part + 1))
    low = low if column == EXACT else max(low, NO_KEY + 1)
    return np.concatenate(list(find_edges(keys, column, low, high, least, most)))


def different(count: int) -> list[tuple[int, int]]:
    return [(row, row) for row in range(count)]


def test_rows_unlike_the_first_are_compared_among_themselves(tmp_path: Path) -> None:
    index = index_of(tmp_path, [9] * 6, [1, 2, 1, 2, 3, 2], different(6))
    assert edges_of(index, BAND, 0, 1, least=4).tolist() == [[0, 2], [1, 3], [1, 5]]
    assert edges_of(index, BAND, 0, 1, least=0).tolist() == [[0, row] for row in range(1, 6)]


def test_rows_without_a_key_are_like_no_other(tmp_path: Path) -> None:
    index = index_of(tmp_path, [NO_KEY, NO_KEY, 7, 7], [1] * 4, [(0, 5), (0, 5), (1, 1), (2, 2)])
    assert edges_of(index, BAND, 0, 1, least=0).tolist() == [[2, 3]]
    # 0 is a hash like any other where it is exact.
    assert edges_of(index, EXACT, 0, 1, least=0).tolist() == [[0, 1]]


def test_both_halves_of_an_exact_hash_count(tmp_path: Path) -> None:
    index = index_of(tmp_path, [0] * 5, [0] * 5, [(4, 1), (4, 2), (4, 1), (5, 1), (4, 2)])
    assert edges_of(index, EXACT, 0, 1, least=0).tolist() == [[0, 2], [1, 4]]


@pytest.mark.parametrize("most", [1, 2, 5, 1000])
def test_a_key_of_half_of_the_corpus_is_read_bit_by_bit(tmp_path: Path, most: int) -> None:
    draw = np.random.default_rng(3)
    sketches = draw.integers(0, 6, 80).tolist()
    band = [9 if row % 2 else 10**6 * row + 11 for row in range(80)]
    exact = [(7, sketch) for sketch in sketches]
    keys = index_of(tmp_path, band, sketches, exact)
    for column in (BAND, EXACT):
        found = edges_of(keys, column, 0, 1, least=4, most=most)
        rows = range(1, 80, 2) if column == BAND else range(80)
        first = {}
        expected = [(first[sketches[row]], row) for row in rows if first.setdefault(sketches[row], row) != row]
        assert sorted(map(tuple, found.tolist())) == sorted(expected)


@pytest.mark.parametrize("parts", [1, 2, 3, 64])
def test_each_key_is_in_one_range(tmp_path: Path, parts: int) -> None:
    top = 2**64 - 1
    keys = [1, 2**63 - 1, 2**63, top // 3, top // 3 + 1, top] * 2
    index = index_of(tmp_path, keys, [0] * 12, different(12))
    found = np.concatenate([edges_of(index, BAND, part, parts, least=0) for part in range(parts)])
    assert sorted(found.tolist()) == [[row, row + 6] for row in range(6)]


def test_key_of_very_many_unlike_rows_is_given_up(tmp_path: Path) -> None:
    few = [*range(LEADERS - 1), 200, 200]
    many = [*range(LEADERS), 200, 200]
    for name, sketches, expected in (("few", few, 1), ("many", many, 0)):
        (tmp_path / name).mkdir()
        index = index_of(tmp_path / name, [9] * len(sketches), sketches, different(len(sketches)))
        assert len(edges_of(index, BAND, 0, 1, least=4)) == expected


def test_rows_are_found_where_they_are_stored(tmp_path: Path) -> None:
    index = index_of(tmp_path, [0] * 8, list(range(8)), different(8))
    assert index.index.rows == 8
    rows = np.array([7, 0, 3, 3, 5])
    assert [array.tolist() for array in index.index.place(rows)] == [[2, 0, 1, 1, 1], [1, 0, 0, 0, 2]]
    assert index.gather(rows, KeyFile.second_halves).tolist() == rows.tolist()
    assert index.gather(rows, KeyFile.read_sketches)[:, 0].tolist() == rows.tolist()
