"""Keys of records, and the files they are stored in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.corpus.dedup.keys import EXACT, KeyFile, Keys, banding, block_keys, key_columns, write_keys
from lstmlm.recipe.sections.corpus import Duplicates
from lstmlm.records.record import Record

NEAR = Duplicates(exact=True, near=0.8)


def random_keys(rng: np.random.Generator, rows: int, bands: int, hashes: int) -> Keys:
    exact = rng.integers(0, 2**64, (rows, 2), np.uint64)
    return Keys(
        exact, rng.integers(0, 2**64, (rows, bands), np.uint64), rng.integers(0, 256, (rows, hashes)).astype(np.uint8)
    )


def test_recipe_decides_the_columns() -> None:
    assert banding(Duplicates(near=0.8, bands=14, rows=8)) == (14, 8)
    assert banding(Duplicates(near=0.8, rows=4))[1] == 4
    assert key_columns(Duplicates(exact=True)) == [EXACT]
    assert key_columns(Duplicates(near=0.8, bands=14, rows=8)) == list(range(1, 29))
    assert key_columns(Duplicates()) == []


@pytest.mark.parametrize(
    "other",
    [
        Record("b", "one\n", ("two", "three")),
        Record("b", "one", ("twothree",)),
        Record("b", "onetwo", ("three",)),
        Record("b", "one", ("three", "two")),
        Record("b", "One", ("two", "three")),
    ],
)
def test_exact_keys_distinguish_texts(other: Record) -> None:
    keys = block_keys([Record("a", "one", ("two", "three")), Record("c", "one", ("two", "three")), other], NEAR, 1)
    assert keys.exact[0].tolist() == keys.exact[1].tolist()
    assert keys.exact[0].tolist() != keys.exact[2].tolist()


def test_keys_stay_as_they_are() -> None:
    # Blocks that different machines write are compared, and what is dropped is part of the records' fingerprint.
    near = block_keys([Record("a", "one", ("two",))], NEAR, 1)
    assert [f"{key:016x}" for key in near.bands[0, [0, -1]].tolist()] == ["729ab4b53814b5dd", "4f91c757c06442b5"]
    keys = block_keys([Record("a", "one", ("two",))], Duplicates(exact=True), 1)
    assert [f"{half:016x}" for half in keys.exact[0].tolist()] == ["2554d8ffd934bbe1", "34bf88306d8562e1"]
    assert keys.bands.shape == keys.sketches.shape == (1, 0)


def test_keys_do_not_depend_on_the_rest_of_the_block() -> None:
    records = [
        Record(str(n), f"word{n} two three four five six {'seven ' * n}", ("und so",) * (n % 3)) for n in range(9)
    ]
    together = block_keys(records, NEAR, 7)
    for number, record in enumerate(records):
        single = block_keys([record], NEAR, 7)
        assert single.bands.tolist() == together.bands[number : number + 1].tolist()
        assert single.sketches.tolist() == together.sketches[number : number + 1].tolist()
    assert block_keys(records, NEAR, 8).bands.tolist() != together.bands.tolist()


def test_targets_count_for_similarity() -> None:
    source = "the same source of some eight or nine words"
    keys = block_keys(
        [Record("a", source, ("yes it is",)), Record("b", source, ("no it is not at all like it",))], NEAR, 1
    )
    assert (keys.sketches[0] == keys.sketches[1]).mean() < 0.8


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 50), st.integers(0, 4), st.integers(0, 9), st.integers(0, 2**64 - 1), st.integers(0, 2**64))
def test_file_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: int, bands: int, hashes: int, low: int, high: int
) -> None:
    keys = random_keys(np.random.default_rng(rows), rows, bands, hashes)
    path = tmp_path_factory.mktemp("keys") / "block.keys"
    write_keys(path, keys)
    file = KeyFile.open(path)
    assert (file.rows, file.columns, file.hashes) == (rows, 1 + bands, hashes)
    for column, written in enumerate([keys.exact[:, 0], *keys.bands.T]):
        found, order = file.column(column, low, high)
        expected = sorted((key, row) for row, key in enumerate(written.tolist()) if low <= key < high)
        assert list(zip(found.tolist(), order.tolist(), strict=True)) == expected
    picked = np.arange(rows)[::3]
    assert file.second_halves(picked).tolist() == keys.exact[picked, 1].tolist()
    assert file.read_sketches(picked).tolist() == keys.sketches[picked].tolist()


def test_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "block.keys"
    write_keys(path, random_keys(np.random.default_rng(0), 5, 2, 8))
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(ValueError, match="not whole"):
        KeyFile.open(path)
    path.write_bytes(b"x" * len(whole))
    with pytest.raises(ValueError, match="holds no keys"):
        KeyFile.open(path)
