"""Order, shapes and completeness of batches."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.examples.dataset import bucket_rows, bucketed, pairs, windows
from lstmlm.examples.serialise import int64_examples, serialized_examples
from lstmlm.records.tfrecord import write_records
from lstmlm.task import Feature
from lstmlm.tokenizer.rows import TokenRows

Batch = dict[str, "np.ndarray[tuple[int, ...], np.dtype[np.int32]]"]
BUCKETS = (4, 8, 16)


def write(folder: Path, shard: int, examples: Iterable[dict[str, list[int]]]) -> Path:
    path = folder / f"data-{shard:05d}-of-00003.tfrecord"
    rows = list(examples)
    names = rows[0] if rows else ()
    columns = {name: TokenRows.joined([np.array(row[name], np.int32) for row in rows]) for name in names}
    write_records(path, int64_examples(columns) if rows else [])
    return path


@pytest.fixture
def stream(tmp_path: Path) -> list[Path]:
    """Windows of 4 targets, each with its number in front; the last of a shard is short; one shard is empty."""
    sizes = (50, 0, 53)
    files = []
    for shard, size in enumerate(sizes):
        rows = [[100 * shard + n + 1, 5, 6, 7, 8] for n in range(size - 1)] + [[100 * shard + size, 5]] * (size > 0)
        files.append(write(tmp_path, shard, ({"tokens": row} for row in rows)))
    return files


@pytest.fixture
def sentences(tmp_path: Path) -> list[Path]:
    """Pairs of 1 to 16 tokens, sorted by length as some corpora are."""
    rng = random.Random(1)
    lengths = sorted(rng.choices(range(1, 17), k=300))
    found = [
        {"source": [n + 10] * length, "target": [n + 10] * rng.randint(1, length)} for n, length in enumerate(lengths)
    ]
    return [write(tmp_path, shard, found[shard * 100 : shard * 100 + 100]) for shard in range(3)]


def batches(dataset: tf.data.Dataset) -> list[Batch]:
    return list(dataset.as_numpy_iterator())


def equal(one: list[Batch], other: list[Batch]) -> bool:
    same = len(one) == len(other)
    return same and all(np.array_equal(a[k], b[k]) for a, b in zip(one, other, strict=True) for k in a)


def test_evaluation_reads_in_order_and_fills_the_last_batch(stream: list[Path]) -> None:
    found = batches(windows(stream, 8, 4, seed=1, epoch=None))
    assert {batch["tokens"].shape for batch in found} == {(8, 5)}
    assert {batch["tokens"].dtype for batch in found} == {np.dtype("int32")}
    first = np.concatenate([batch["tokens"][:, 0] for batch in found])
    assert first.tolist() == [*range(1, 51), *range(201, 254), 0]
    assert found[6]["tokens"][1].tolist() == [50, 5, 0, 0, 0]


def test_training_shuffles_and_drops_the_remainder(stream: list[Path]) -> None:
    found = batches(windows(stream, 8, 4, seed=1, epoch=0))
    first = [int(n) for batch in found for n in batch["tokens"][:, 0]]
    assert len(first) == len(set(first)) == 96
    assert first != sorted(first)
    assert 0 not in first


@pytest.mark.parametrize("kind", ["windows", "pairs"])
def test_order_is_a_function_of_only_seed_and_epoch(
    kind: str, stream: list[Path], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    def read(seed: int, epoch: int) -> list[Batch]:
        if kind == "windows":
            return batches(windows(stream, 8, 4, seed=seed, epoch=epoch))
        return batches(pairs(files, 64, BUCKETS, seed=seed, epoch=epoch))

    files = request.getfixturevalue("sentences") if kind == "pairs" else []
    tf.random.set_seed(1)
    first = read(1, 0)
    tf.random.set_seed(2)
    assert equal(first, read(1, 0))
    assert not equal(first, read(1, 1))
    assert not equal(first, read(2, 0))


@pytest.mark.parametrize("epoch", [None, 0])
def test_every_pair_is_in_one_batch_of_its_bucket(sentences: list[Path], epoch: int | None) -> None:
    seen = []
    for batch in batches(pairs(sentences, 64, BUCKETS, seed=1, epoch=epoch)):
        lengths = {name: np.count_nonzero(ids, axis=1) for name, ids in batch.items()}
        bucket = next(bound for bound in BUCKETS if max(map(np.max, lengths.values())) <= bound)
        assert {len(ids) for ids in batch.values()} == {bucket_rows(64, bucket)}
        for name, ids in batch.items():
            assert ids.shape[1] - lengths[name].max() < 8  # no column block of only padding
        for source, target in zip(batch["source"], batch["target"], strict=True):
            longest = max(np.count_nonzero(source), np.count_nonzero(target))
            if longest:
                assert bucket == next(bound for bound in BUCKETS if longest <= bound)
                assert source[0] == target[0]
                seen.append(int(source[0]))
    assert sorted(seen) == list(range(10, 310))


def test_training_mixes_lengths_of_a_sorted_corpus(sentences: list[Path]) -> None:
    widths = [batch["source"].shape[1] for batch in batches(pairs(sentences, 64, BUCKETS, seed=1, epoch=0))]
    half = len(widths) // 2
    assert abs(np.mean(widths[:half]) - np.mean(widths[half:])) < 4
    assert widths[:half] != sorted(widths[:half])


def test_pair_longer_than_the_last_bucket_is_an_error(tmp_path: Path) -> None:
    file = write(tmp_path, 0, [{"source": [5] * 17, "target": [5]}])
    with pytest.raises(tf.errors.OpError, match="an example of 17 places is longer than the last bucket, 16"):
        batches(pairs([file], 64, BUCKETS, seed=1, epoch=None))


@pytest.mark.parametrize(("tokens", "boundary", "rows"), [(4096, 8, 256), (4096, 48, 42), (100, 64, 2), (100, 10, 4)])
def test_rows_of_a_bucket_are_even(tokens: int, boundary: int, rows: int) -> None:
    assert bucket_rows(tokens, boundary) == rows


def test_empty_files_give_no_batch(tmp_path: Path) -> None:
    file = write(tmp_path, 0, [])
    assert batches(windows([file], 2, 4, seed=1, epoch=0)) == []
    assert batches(pairs([file], 64, BUCKETS, seed=1, epoch=None)) == []


@pytest.mark.parametrize("epoch", [None, 0])
def test_batches_of_floats_hold_every_example_once_with_its_length(tmp_path: Path, epoch: int | None) -> None:
    lengths = [1 + n % 16 for n in range(45)]
    frames = [np.full([length, 3], n + 1, np.float32) for n, length in enumerate(lengths)]
    path = tmp_path / "data-00000-of-00001.tfrecord"
    write_records(path, serialized_examples({"frames": frames, "label": np.arange(45)}))
    features = {"frames": Feature("float", (None, 3)), "label": Feature("int", ())}
    seen = []
    for batch in bucketed([path], features, BUCKETS, [6, 4, 2], seed=1, epoch=epoch):
        found = {name: values.numpy() for name, values in batch.items()}
        assert len(found["frames"]) in (6, 4, 2)
        assert found["frames"].shape[1] in BUCKETS
        for row in range(len(found["frames"])):
            length = found["frames_length"][row]
            assert not found["frames"][row, length:].any()
            if found["is_example"][row]:
                assert (found["frames"][row, :length] == found["label"][row] + 1).all()
                seen.append((found["label"][row], length))
            else:
                assert length == 0
    assert sorted(seen) == list(enumerate(lengths))
