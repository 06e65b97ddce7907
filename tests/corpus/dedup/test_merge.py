"""Merged key files hold the same keys of the same rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lstmlm.corpus.dedup.key_index import KeyIndex, OpenKeys
from lstmlm.corpus.dedup.keys import KeyFile, Keys, write_keys
from lstmlm.corpus.dedup.merge import merged
from lstmlm.corpus.passes.extents import Extent, Part


@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_every_row_keeps_its_keys(tmp_path: Path, most: int) -> None:
    draw = np.random.default_rng(1)
    sizes = [5, 1, 8, 3, 6]
    rows = sum(sizes)
    keys = Keys(
        draw.integers(0, 2**64, (rows, 2), np.uint64),
        draw.integers(0, 5, (rows, 2), np.uint64),
        draw.integers(0, 256, (rows, 4)).astype(np.uint8),
    )
    parts, start = [], 0
    for number, size in enumerate(sizes):
        some = slice(start, start + size)
        path = tmp_path / f"{number}.keys"
        write_keys(path, Keys(keys.exact[some], keys.bands[some], keys.sketches[some]))
        parts.append(Part(Extent("train", 0, number, str(path), 0, 1, 0, size, 0, 0), 0, 1, start))
        start += size
    index = merged(KeyIndex.of(parts, lambda path: path), tmp_path, None, most)
    assert len(index.paths) <= most
    assert len(list(tmp_path.glob("*.keys"))) == len(index.paths)
    found = OpenKeys(index)
    every = np.arange(rows)
    assert found.gather(every, KeyFile.second_halves).tolist() == keys.exact[:, 1].tolist()
    assert found.gather(every, KeyFile.read_sketches).tolist() == keys.sketches.tolist()
    for number, column in enumerate([keys.exact[:, 0], *keys.bands.T]):
        values, places = found.column(number, 0, 1 << 64)
        assert sorted(zip(places.tolist(), values.tolist(), strict=True)) == list(enumerate(column.tolist()))
