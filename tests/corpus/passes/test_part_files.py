"""Files of many blocks, and the extents by which the blocks are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstmlm.corpus.passes import part_files
from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.passes.extents import Extent, Part, contiguous, numbered
from lstmlm.corpus.passes.part_files import PartFile
from lstmlm.records.tfrecord import read_records


def written(
    folder: Path, blocks: list[tuple[int, int, int, int]]
) -> tuple[dict[tuple[int, int], list[bytes]], list[Extent]]:
    """Writes blocks (file, index, origin, records) to one file; returns what is in each, and the extents."""
    part, contents = PartFile(folder, "train"), {}
    for file, index, origin, records in blocks:
        contents[file, index] = [b"%d-%d-%d" % (file, index, row) for row in range(records)]
        part.add(Block(file, index, records, [], origin=origin), contents[file, index], None, [])
    return contents, part.close()


def read(part: Part) -> list[bytes]:
    section = part.section()
    found = list(read_records(section.path, section.at, section.at_end))
    assert len(found) == section.row_end - section.row
    return found


def test_extents_of_many_ranges_in_one_file_give_the_corpus_order(tmp_path: Path) -> None:
    blocks = [(1, 1, 1, 3), (1, 4, 1, 2), (0, 9, 9, 4), (0, 1, 1, 5), (0, 6, 1, 1), (1, 6, 6, 2)]
    contents, extents = written(tmp_path, blocks)
    parts = numbered(sorted(extents), [1.0, 1.0])
    assert [(part.extent.file, part.extent.block, part.extent.blocks) for part in parts] == [
        (0, 1, 2), (0, 9, 1), (1, 1, 2), (1, 6, 1),
    ]  # fmt: skip
    in_order = [payload for key in sorted(contents) for payload in contents[key]]
    assert [payload for part in parts for payload in read(part)] == in_order
    assert [part.number for part in parts] == [0, 6, 10, 15]


@pytest.mark.parametrize("groups", [1, 2, 4, 6, 9])
def test_a_group_of_blocks_is_read_by_its_bytes_and_knows_its_rows(tmp_path: Path, groups: int) -> None:
    blocks = [(0, 10 * number, 0, 1 + number % 3) for number in range(6)]
    contents, extents = written(tmp_path, blocks)
    every = [payload for key in sorted(contents) for payload in contents[key]]
    row = 0
    for group in contiguous(numbered(extents, [1.0]), groups):
        for part in group:
            section = part.section()
            assert read(part) == every[section.row : section.row_end]
            assert section.row == row
            row = section.row_end
    assert row == len(every)


def test_a_file_is_full_by_its_rows_its_bytes_or_its_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_files, "PART_ROWS", 10)
    monkeypatch.setattr(part_files, "PART_BYTES", 500)
    part = PartFile(tmp_path, "train")
    part.add(Block(0, 1, 9, []), [b"x"] * 9, None, [])
    assert not part.full
    part.add(Block(0, 10, 1, []), [b"x"], None, [])
    assert part.full
    large = PartFile(tmp_path, "train")
    large.add(Block(0, 1, 1, []), [b"x" * 600], None, [])
    assert large.full
