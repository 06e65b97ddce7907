"""The shuffle through files: the same shards however many tasks and steps it takes."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from lstmlm.corpus.dedup.buckets import Buckets
from lstmlm.corpus.dedup.drops import Drops
from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.passes.extents import Part, numbered
from lstmlm.corpus.passes.join import Jobs
from lstmlm.corpus.passes.part_files import PartFile
from lstmlm.corpus.passes.shuffle import shuffle, shuffle_key
from lstmlm.corpus.passes.sinks import TFRecordShards
from lstmlm.records.record import Record, serialize
from lstmlm.records.shards import shard_files
from lstmlm.records.tfrecord import read_records

SEED = 5


def payloads_of(count: int) -> list[bytes]:
    draw = random.Random(1)
    return [serialize(Record(f"r{n}", "word " * draw.randrange(30))) for n in range(count)]


def write_parts(folder: Path, payloads: list[bytes], block: int, file: int) -> list[Part]:
    """Writes blocks of so many records, so many to a file."""
    folder.mkdir()
    extents, part = [], None
    for number, start in enumerate(range(0, len(payloads), block)):
        part = part or PartFile(folder, "train")
        part.add(
            Block(0, start, block, [], origin=start - start % (3 * block)), payloads[start : start + block], None, []
        )
        if number % file == file - 1:
            extents += part.close()
            part = None
    return numbered(sorted([*extents, *(part.close() if part else [])]), [1.0])


def expected(payloads: list[bytes], shards: int) -> list[list[bytes]]:
    keyed = sorted((shuffle_key(payload, SEED), payload) for payload in payloads)
    return [[payload for key, payload in keyed if key % shards == shard] for shard in range(shards)]


@pytest.mark.parametrize(
    ("shards", "block", "file", "group_bytes", "fan_out"),
    [(3, 7, 5, 2_000, 128), (9, 7, 5, 2_000, 3), (10, 50, 1, 500, 2), (4, 1000, 1, 10**9, 128), (300, 9, 4, 3_000, 7)],
)
def test_shards_hold_what_a_sort_in_memory_gives(
    tmp_path: Path, shards: int, block: int, file: int, group_bytes: int, fan_out: int
) -> None:
    payloads = payloads_of(240)
    parts = write_parts(tmp_path / "parts", payloads, block, file)
    (tmp_path / "Split-train").mkdir()
    jobs = Jobs(TFRecordShards(tmp_path), shards, SEED, tmp_path / "parts", exclusions=False)
    rows, lost = shuffle({"train": parts}, jobs, None, group_bytes, fan_out)
    found = [list(read_records(path)) for path in shard_files(tmp_path, "train")]
    assert found == expected(payloads, shards)
    assert [row[2] for row in rows] == list(map(len, found))
    assert lost["train"] == {}
    assert not list((tmp_path / "parts").glob("*.train.tfrecord"))


def test_copies_are_left_out_and_counted(tmp_path: Path) -> None:
    payloads = payloads_of(60)
    parts = write_parts(tmp_path / "parts", payloads, 7, 2)
    (tmp_path / "Split-train").mkdir()
    drops = Drops(tmp_path, Buckets(40, 2))
    rows = [3, 20, 39, 40, 59]
    for bucket in range(2):
        some = [(row, 0, row == 20) for row in rows if row // 40 == bucket]
        np.array(some, [("row", "<i8"), ("kept", "<i8"), ("exact", "?")]).tofile(drops.path(bucket))
    jobs = Jobs(TFRecordShards(tmp_path), 3, SEED, tmp_path / "parts", exclusions=False, drops=drops)
    _, lost = shuffle({"train": parts}, jobs, None, 1_000, 2)
    assert lost["train"] == {"duplicate_exact": 1, "duplicate_near": 4}
    left = [payload for row, payload in enumerate(payloads) if row not in rows]
    assert [list(read_records(path)) for path in shard_files(tmp_path, "train")] == expected(left, 3)
