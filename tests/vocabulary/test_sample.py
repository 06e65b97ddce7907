"""The sample: a pure function of the records and the seed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.errors import UserError
from lstmlm.records.record import Record, serialize, stable_hash
from lstmlm.records.shards import records_in_files
from lstmlm.records.tfrecord import write_records
from lstmlm.vocabulary.sample import Candidate, SmallestNumbers, draw_sample

candidates = st.lists(st.tuples(st.integers(0, 30), st.binary(max_size=2)), max_size=30)


@given(blocks=st.lists(candidates, max_size=6), limit=st.integers(1, 12), order=st.randoms(use_true_random=False))
def test_any_tree_of_parts_gives_the_smallest(blocks: list[list[Candidate]], limit: int, order: random.Random) -> None:
    smallest = SmallestNumbers(limit)
    parts = [smallest.create_accumulator()]
    for block in blocks:
        if order.random() < 0.5:
            parts.append(smallest.create_accumulator())
        place = order.randrange(len(parts))
        parts[place] = smallest.add_input(parts[place], block)
        assert len(parts[place].candidates) < 2 * limit + len(block)
    while len(parts) > 1:
        order.shuffle(parts)
        parts = [smallest.merge_accumulators(map(smallest.compact, parts[:2])), *parts[2:]]
    assert smallest.extract_output(parts[0]) == sorted(found for block in blocks for found in block)[:limit]


def shards(folder: Path, records: list[Record], sizes: list[int]) -> list[Path]:
    files, rest = [], iter(records)
    for number, size in enumerate(sizes):
        files.append(folder / f"{len(sizes)}-{number}")
        write_records(files[-1], [serialize(next(rest)) for _ in range(size)])
    return files


def test_the_sample_does_not_depend_on_shards_or_order(tmp_path: Path) -> None:
    records = [Record(f"a.txt:{n}", f"text {n}") for n in range(3000)]
    one, other = shards(tmp_path, records, [3000]), shards(tmp_path, records[::-1], [1, 0, 2999])
    for files, name in ((one, "one"), (other, "other")):
        draw_sample(files, 50, 7, tmp_path / name)
    expected = sorted(records, key=lambda record: stable_hash("sample", 7, record.id))[:50]
    assert list(records_in_files([tmp_path / "one"])) == expected
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_few_records_are_all_taken_and_none_are_none(tmp_path: Path) -> None:
    records = [Record(str(n), "x") for n in range(5)]
    draw_sample(shards(tmp_path, records, [5]), 100, 1, tmp_path / "all")
    assert sorted(record.id for record in records_in_files([tmp_path / "all"])) == list("01234")
    draw_sample(shards(tmp_path, [], [0, 0]), 100, 1, tmp_path / "none")
    assert (tmp_path / "none").read_bytes() == b""


def test_a_damaged_shard_is_reported(tmp_path: Path) -> None:
    (file,) = shards(tmp_path, [Record("1", "x")], [1])
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(UserError, match="damaged"):
        draw_sample([file], 10, 1, tmp_path / "out")
