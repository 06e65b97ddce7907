"""The index of a shard says where its examples are, and one that does not fit its shard is refused in one line."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.errors import UserError
from lstmlm.examples import index
from lstmlm.examples.index import IndexBuilder, index_file
from lstmlm.examples.indexed import IndexedShards, ShardReader
from lstmlm.examples.serialise import int64_examples
from lstmlm.publish.folder import publish
from lstmlm.records.tfrecord import write_records
from lstmlm.task import Feature
from lstmlm.tokenizer.rows import TokenRows

FEATURES = {"tokens": Feature("tokens")}


def write(folder: Path, lengths: list[int], name: str = "data-00000-of-00001.tfrecord") -> tuple[Path, list[bytes]]:
    shard, builder = folder / name, IndexBuilder()
    rows = {"tokens": TokenRows.joined([np.arange(length, dtype=np.int32) for length in lengths])}
    payloads = int64_examples(rows)
    builder.add(payloads, rows)
    write_records(shard, payloads)
    builder.write(shard)
    return shard, payloads


@settings(max_examples=25, deadline=None)
@given(lengths=st.lists(st.one_of(st.integers(0, 9), st.integers(200, 300)), max_size=30), block=st.integers(1, 8))
def test_every_range_of_examples_is_found(tmp_path_factory, lengths: list[int], block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "BLOCK", block)
        shard, payloads = write(tmp_path_factory.mktemp("shard"), lengths)
    shards, reader = IndexedShards([shard], FEATURES), ShardReader([shard])
    assert shards.counts.tolist() == [len(lengths)]
    assert shards.total(0, "tokens") == sum(lengths)
    for start in range(len(lengths)):
        for stop in range(start + 1, len(lengths) + 1):
            assert shards.numbers(0, "tokens", start, stop).tolist() == lengths[start:stop]
            sizes = shards.numbers(0, "", start, stop).tolist()
            assert reader.payloads(0, shards.offset(0, start), sizes) == payloads[start:stop]
    reader.close()


def refused(shard: Path) -> str:
    """Reads the first example; returns the line that refuses it, which names both files."""
    with pytest.raises(UserError) as caught:
        shards = IndexedShards([shard], FEATURES)
        ShardReader([shard]).payloads(0, shards.offset(0, 0), shards.numbers(0, "", 0, 1).tolist())
    line = str(caught.value)
    assert "\n" not in line
    assert str(shard) in line
    assert str(index_file(shard)) in line
    assert "run the examples stage again" in line
    return line


def test_a_shard_of_another_size_is_refused(tmp_path: Path) -> None:
    shard, payloads = write(tmp_path, [4, 5])
    write_records(shard, payloads[:1])
    assert re.search(r"made for one of \d+ bytes, and this one has \d+", refused(shard))


def test_another_shard_of_the_same_size_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with publish(tmp_path / "folder", "examples") as draft:
        (draft.path / "Split-train").mkdir()
        for name in ("data-00000-of-00002.tfrecord", "data-00001-of-00002.tfrecord"):
            rows = [5, 4] if name.startswith("data-00000") else [4, 5]
            write(draft.path / "Split-train", rows, name)
    one, other = sorted((tmp_path / "folder/Split-train").glob("*.tfrecord"))
    IndexedShards([one, other], FEATURES)
    index_file(one).write_bytes(index_file(other).read_bytes())
    assert "of the same size with another content" in refused(one)


def test_an_index_of_other_examples_is_noticed_when_they_are_read(tmp_path: Path) -> None:
    shard, _ = write(tmp_path, [5, 4])
    other, _ = write(tmp_path, [4, 5], "data-00001-of-00002.tfrecord")
    index_file(shard).write_bytes(index_file(other).read_bytes())
    assert "no example of" in refused(shard)


def test_a_damaged_example_is_noticed(tmp_path: Path) -> None:
    shard, _ = write(tmp_path, [5, 4])
    content = bytearray(shard.read_bytes())
    content[20] ^= 1
    shard.write_bytes(content)
    assert "does not match its checksum" in refused(shard)


@pytest.mark.parametrize("length", [0, 10, 50, -1])
def test_an_index_that_ends_early_is_refused(tmp_path: Path, length: int) -> None:
    shard, _ = write(tmp_path, [5, 4])
    index_file(shard).write_bytes(index_file(shard).read_bytes()[:length])
    refused(shard)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_header_is_refused(tmp_path_factory, data) -> None:
    shard, _ = write(tmp_path_factory.mktemp("shard"), [5, 4])
    whole = bytearray(index_file(shard).read_bytes())
    whole[data.draw(st.integers(0, 70))] ^= data.draw(st.integers(1, 255))
    index_file(shard).write_bytes(whole)
    refused(shard)


def test_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shard, _ = write(tmp_path, [5, 4])
    monkeypatch.setattr(index, "VERSION", 2)
    assert "version 1, and this program reads version 2" in refused(shard)


def test_an_index_without_a_feature_is_refused(tmp_path: Path) -> None:
    shard, _ = write(tmp_path, [5, 4])
    with pytest.raises(UserError, match="does not have the features source, target"):
        IndexedShards([shard], {"source": Feature("tokens"), "target": Feature("tokens")})


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    shard, _ = write(tmp_path, [5, 4])
    shard.unlink()
    with pytest.raises(UserError, match=f"{shard}: a file of the examples cannot be read"):
        IndexedShards([shard], FEATURES)
