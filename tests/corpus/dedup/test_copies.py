"""Copies against brute force, however the corpus is cut and searched."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.corpus.dedup.components import Buckets
from lstmlm.corpus.dedup.copies import drops_of
from lstmlm.corpus.dedup.drops import Drops
from lstmlm.corpus.dedup.edges import find_edges
from lstmlm.corpus.dedup.key_index import KeyIndex, OpenKeys
from lstmlm.corpus.dedup.keys import EXACT, Keys, block_keys, key_columns, write_keys
from lstmlm.corpus.dedup.minhash import NO_KEY
from lstmlm.corpus.dedup.search import EdgeFile, search
from lstmlm.corpus.passes.extents import Extent, Part
from lstmlm.recipe.sections.corpus import Duplicates
from lstmlm.records.record import Record

BOTH = Duplicates(exact=True, near=0.8)


def extent(path: Path, block: int, row: int, records: int) -> Extent:
    return Extent("train", 0, block, str(path), 0, 1, row, records, 0, 0)


def write_blocks(folder: Path, keys: Keys, ends: list[int], files: int = 10**6) -> KeyIndex:
    """Writes the keys as extents that end at these rows (and at the last), taken in turns by so many files."""
    bounds = list(itertools.pairwise([0, *ends, len(keys.exact)]))
    parts: dict[int, Part] = {}
    number = dict(zip(range(len(bounds)), (start for start, _ in bounds), strict=True))
    for file in range(min(files, len(bounds))):
        path, row, held = folder / f"{file}.keys", 0, []
        for block in reversed(range(file, len(bounds), files)):  # not in corpus order
            start, end = bounds[block]
            held.append(Keys(keys.exact[start:end], keys.bands[start:end], keys.sketches[start:end]))
            parts[block] = Part(extent(path, block, row, end - start), 0, 1, number[block])
            row += end - start
        write_keys(path, Keys.joined(held))
    return KeyIndex.of([parts[block] for block in range(len(bounds))], lambda path: path)


def search_ranges(folder: Path, index: KeyIndex, columns: list[int], parts: int, least: int, most: int) -> Drops:
    """What `find_copies` does with so many ranges of each column."""
    keys, found = OpenKeys(index), []
    for column in columns:
        for part in range(parts):
            low, high = ((number << 64) // parts for number in (part, part + 1))
            low = low if column == EXACT else max(low, NO_KEY + 1)
            edges = np.concatenate(list(find_edges(keys, column, low, high, least, most)))
            path = folder / f"{column:05d}-{part:08d}.edges"
            edges.tofile(path)
            found.append(EdgeFile(path, column == EXACT, len(edges)))
    return drops_of(found, index.rows, folder, None)


def dropped(found: Drops, rows: int) -> dict[int, tuple[int, bool]]:
    drops = np.concatenate(list(found.read(0, rows)))
    return {row: (kept, exact) for row, kept, exact in drops.tolist()}


def brute_force(keys: Keys, least: int) -> dict[int, tuple[int, bool]]:
    """Rows to drop -> the row kept and whether the text occurred before; in plain Python, a pair at a time."""
    count = len(keys.exact)
    label = list(range(count))
    exact = {row for row in range(count) if keys.exact[row].tolist() in keys.exact[:row].tolist()}
    pairs = [(a, b) for b in exact for a in range(b) if keys.exact[a].tolist() == keys.exact[b].tolist()]
    for band in keys.bands.T.tolist():
        for key in set(band) - {NO_KEY}:
            waiting = [row for row in range(count) if band[row] == key]
            while waiting:
                first = waiting[0]
                alike = [r for r in waiting if r == first or (keys.sketches[first] == keys.sketches[r]).sum() >= least]
                pairs += [(first, row) for row in alike]
                waiting = [row for row in waiting if row not in alike]
    for _ in range(count):
        for a, b in pairs:
            label[a] = label[b] = min(label[a], label[b])
    return {row: (label[row], row in exact) for row in range(count) if label[row] != row}


def small_keys(seed: int, rows: int) -> Keys:
    """Few values, so that rows share many keys."""
    rng = np.random.default_rng(seed)
    spread = np.uint64(2**64 // (4 * rows + 4))
    exact = rng.integers(0, max(rows, 1), (rows, 2), np.uint64) // np.uint64(2) * spread
    bands = rng.integers(0, 4 * rows + 1, (rows, 3), np.uint64) * spread
    return Keys(exact, bands, rng.integers(0, 2, (rows, 4)).astype(np.uint8))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_same_rows_as_brute_force_for_every_partition(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    rows = data.draw(st.integers(1, 24))
    keys = small_keys(data.draw(st.integers(0, 10**6)), rows)
    least = data.draw(st.integers(0, 4))
    ends = sorted(data.draw(st.lists(st.integers(0, rows), max_size=6)))
    folder = tmp_path_factory.mktemp("keys")
    index = write_blocks(folder, keys, ends, data.draw(st.integers(1, 4)))
    parts, most = data.draw(st.integers(1, 9)), data.draw(st.sampled_from([1, 3, 100]))
    found = search_ranges(folder, index, [0, 1, 2, 3], parts, least, most)
    assert dropped(found, rows) == brute_force(keys, least)


def sentences(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(f"w{rng.randrange(5000)}" for _ in range(80)) for _ in range(count)]


def edited(text: str, at: int) -> str:
    words = text.split()
    return " ".join([*words[:at], "other", *words[at + 1 :]])


def run_beam(
    folder: Path, records: list[Record], block: int, rows_of_a_range: int, duplicates: Duplicates, files: int = 256
) -> dict[int, tuple[int, bool]]:
    parts = []
    for start in range(0, len(records), block):
        path = folder / f"{start:08d}.keys"
        some = records[start : start + block]
        write_keys(path, block_keys(some, duplicates, 1))
        parts.append(Part(extent(path, start, 0, len(some)), 0, 1, start))
    index = KeyIndex.of(parts, lambda path: path)
    found = search(index, duplicates, folder, None, rows_of_a_range, most_files=files)
    return dropped(drops_of(found, index.rows, folder, None), len(records))


def test_planted_duplicates_are_found_and_explained(tmp_path: Path) -> None:
    texts = sentences(120, 1)
    planted = [edited(text, 40) for text in texts[:40]]  # Jaccard 71 / 81
    order = [*texts, *planted, texts[7], planted[3].upper(), "", "", "!"]
    records = [Record(str(number), text) for number, text in enumerate(order)]
    results = []
    for block, rows_of_a_range, files in ((1000, 1000, 256), (7, 11, 256), (9, 60, 3)):
        folder = tmp_path / str(block)
        folder.mkdir()
        results.append(run_beam(folder, records, block, rows_of_a_range, BOTH, files))
    expected = {120 + number: (number, False) for number in range(40)}
    expected |= {160: (7, True), 161: (3, False), 163: (162, True)}
    assert results == [expected] * 3


@pytest.mark.parametrize(
    ("duplicates", "expected"),
    [
        (Duplicates(exact=True), {1: (0, True)}),
        (Duplicates(near=0.9), {1: (0, False), 2: (0, False)}),
        (Duplicates(exact=True, near=0.9), {1: (0, True), 2: (0, False)}),
    ],
)
def test_what_is_not_asked_for_is_kept(
    tmp_path: Path, duplicates: Duplicates, expected: dict[int, tuple[int, bool]]
) -> None:
    texts = ["one two three four five six", "one two three four five six", "One two, three four five six!", "1", "2"]
    records = [Record(str(number), text) for number, text in enumerate(texts)]
    assert run_beam(tmp_path, records, 2, 100, duplicates) == expected
    assert key_columns(duplicates)


def test_first_of_a_chain_is_kept(tmp_path: Path) -> None:
    # Each is like the next one, the ends are not alike.
    chain = [sentences(1, 4)[0]]
    for step in range(6):
        chain.append(edited(chain[-1], 6 + 12 * step))
    records = [Record(str(number), text) for number, text in enumerate(reversed(chain))]
    found = run_beam(tmp_path, records, 3, 100, BOTH)
    assert found == dict.fromkeys(range(1, 7), (0, False))


def test_corpus_of_one_record(tmp_path: Path) -> None:
    assert run_beam(tmp_path, [Record("a", "one")], 10, 10, BOTH) == {}


def test_files_of_different_settings_are_refused(tmp_path: Path) -> None:
    records = [Record("a", "one two")]
    for name, duplicates in (("a", BOTH), ("b", Duplicates(exact=True))):
        write_keys(tmp_path / name, block_keys(records, duplicates, 1))
    parts = [Part(extent(tmp_path / name, block, 0, 1), 0, 1, block) for block, name in enumerate("ab")]
    with pytest.raises(ValueError, match="different settings"):
        OpenKeys(KeyIndex.of(parts, lambda path: path))


def test_reasons_are_given_for_a_range_of_rows(tmp_path: Path) -> None:
    edges = np.array([[1, 4], [4, 6], [0, 9]], np.int64)
    edges.tofile(tmp_path / "exact.edges")
    edges[:1].tofile(tmp_path / "near.edges")
    files = [EdgeFile(tmp_path / "exact.edges", True, 3), EdgeFile(tmp_path / "near.edges", False, 1)]
    found = drops_of(files, 10, tmp_path, None)
    assert found.buckets == Buckets(10, 1)
    assert found.between(4, 9) == {0: "duplicate_exact", 2: "duplicate_exact"}
    assert found.between(0, 4) == {}
