"""Duplicates against brute force, however the corpus is cut and searched."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.corpus.dedup.duplicates import DuplicateRows, FindEdges, components, duplicate_rows
from lstmlm.corpus.dedup.edges import KeyIndex, find_edges
from lstmlm.corpus.dedup.keys import Keys, block_keys, key_columns, write_keys
from lstmlm.corpus.dedup.minhash import NO_KEY
from lstmlm.recipe.sections.corpus import Duplicates
from lstmlm.records.record import Record
from lstmlm.runners.pipeline import run_pipeline

BOTH = Duplicates(exact=True, near=0.8)


def write_blocks(folder: Path, keys: Keys, ends: list[int]) -> KeyIndex:
    """Writes the keys as blocks that end at these rows (and at the last)."""
    paths = []
    starts = [0, *ends]
    for block, (start, end) in enumerate(zip(starts, [*ends, len(keys.exact)], strict=True)):
        paths.append(folder / f"{block}.keys")
        write_keys(paths[-1], Keys(keys.exact[start:end], keys.bands[start:end], keys.sketches[start:end]))
    return KeyIndex.open(paths)


def search(folder: Path, index: KeyIndex, columns: list[int], parts: int, least: int) -> DuplicateRows:
    """What `FindEdges` does, without Beam."""
    for column in columns:
        for part in range(parts):
            find_edges(index, column, part, parts, least).tofile(folder / f"{column:05d}-{part:08d}.edges")
    return duplicate_rows(index, folder)


def dropped(found: DuplicateRows) -> dict[int, tuple[int, bool]]:
    rows = zip(found.rows.tolist(), found.kept.tolist(), found.exact.tolist(), strict=True)
    return {row: (kept, exact) for row, kept, exact in rows}


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


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_same_rows_as_brute_force_for_every_partition(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    rows = data.draw(st.integers(1, 24))
    keys = small_keys(data.draw(st.integers(0, 10**6)), rows)
    least = data.draw(st.integers(0, 4))
    ends = sorted(data.draw(st.lists(st.integers(0, rows), max_size=6)))
    folder = tmp_path_factory.mktemp("keys")
    found = search(folder, write_blocks(folder, keys, ends), [0, 1, 2, 3], data.draw(st.integers(1, 9)), least)
    assert dropped(found) == brute_force(keys, least)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=60))
def test_components_are_labelled_by_their_first_row(edges: list[tuple[int, int]]) -> None:
    label = {row: row for edge in edges for row in edge}
    for _ in label:
        for a, b in edges:
            label[a] = label[b] = min(label[a], label[b])
    rows, roots = components(np.array(edges, np.int64).reshape(-1, 2))
    assert dict(zip(rows.tolist(), roots.tolist(), strict=True)) == label


def test_long_chain_is_one_component() -> None:
    order = random.Random(1).sample(range(3000), 3000)
    rows, roots = components(np.stack([order[:-1], order[1:]], axis=1).astype(np.int64))
    assert rows.tolist() == list(range(3000))
    assert set(roots.tolist()) == {0}


def sentences(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(f"w{rng.randrange(5000)}" for _ in range(80)) for _ in range(count)]


def edited(text: str, at: int) -> str:
    words = text.split()
    return " ".join([*words[:at], "other", *words[at + 1 :]])


def run_beam(
    folder: Path, records: list[Record], block: int, rows_of_a_range: int, duplicates: Duplicates
) -> DuplicateRows:
    paths = []
    for start in range(0, len(records), block):
        paths.append(folder / f"{start:08d}.keys")
        write_keys(paths[-1], block_keys(records[start : start + block], duplicates, 1))
    index = KeyIndex.open(paths)
    run_pipeline(lambda pipeline: pipeline | FindEdges(index, duplicates, folder, rows_of_a_range))
    return duplicate_rows(index, folder)


def test_planted_duplicates_are_found_and_explained(tmp_path: Path) -> None:
    texts = sentences(120, 1)
    planted = [edited(text, 40) for text in texts[:40]]  # Jaccard 71 / 81
    order = [*texts, *planted, texts[7], planted[3].upper(), "", "", "!"]
    records = [Record(str(number), text) for number, text in enumerate(order)]
    results = []
    for block, rows_of_a_range in ((1000, 1000), (7, 11)):
        folder = tmp_path / str(block)
        folder.mkdir()
        results.append(run_beam(folder, records, block, rows_of_a_range, BOTH))
    expected = {120 + number: (number, False) for number in range(40)}
    expected |= {160: (7, True), 161: (3, False), 163: (162, True)}
    assert dropped(results[0]) == dropped(results[1]) == expected
    small = results[1]
    found = {7 * block + row: why for block in range(len(small.index.files)) for row, *why in small.in_file(block)}
    assert found == {
        row: ["duplicate_exact" if exact else "duplicate_near", divmod(kept, 7)]
        for row, (kept, exact) in expected.items()
    }


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
    assert dropped(run_beam(tmp_path, records, 2, 100, duplicates)) == expected
    assert key_columns(duplicates)


def test_first_of_a_chain_is_kept(tmp_path: Path) -> None:
    # Each is like the next one, the ends are not alike.
    chain = [sentences(1, 4)[0]]
    for step in range(6):
        chain.append(edited(chain[-1], 6 + 12 * step))
    records = [Record(str(number), text) for number, text in enumerate(reversed(chain))]
    found = dropped(run_beam(tmp_path, records, 3, 100, BOTH))
    assert found == dict.fromkeys(range(1, 7), (0, False))


def test_corpus_without_records(tmp_path: Path) -> None:
    assert dropped(run_beam(tmp_path, [], 10, 10, BOTH)) == {}


def test_files_of_different_settings_are_refused(tmp_path: Path) -> None:
    records = [Record("a", "one two")]
    for name, duplicates in (("a", BOTH), ("b", Duplicates(exact=True))):
        write_keys(tmp_path / name, block_keys(records, duplicates, 1))
    with pytest.raises(ValueError, match="different settings"):
        KeyIndex.open([tmp_path / "a", tmp_path / "b"])
