"""Rows of batches are unbroken parts of the corpus, and every target is read as often as it should be."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.examples.pack import pack_stream
from lstmlm.examples.serialise import int64_examples
from lstmlm.examples.streams import streams
from lstmlm.records.tfrecord import write_records

END, WINDOW = 3, 4


def shards(folder: Path, documents: list[list[list[int]]]) -> tuple[list[Path], np.ndarray]:
    """Writes one shard for each list of documents; returns them and all targets, one after the other."""
    files, targets = [], []
    for number, shard in enumerate(documents):
        files.append(folder / f"data-{number}.tfrecord")
        write_records(files[-1], examples(shard))
        targets += [token for document in shard for token in [*document, END]]
    return files, np.array(targets)


def examples(shard):
    documents = [np.array([*document, END], np.int32) for document in shard]
    return [example for rows in pack_stream(documents, WINDOW, END) for example in int64_examples({"tokens": rows})]


def tokens(dataset) -> np.ndarray:
    """All batches: [batches, rows, window + 1]."""
    return np.array([batch["tokens"] for batch in dataset.as_numpy_iterator()])


@pytest.fixture
def corpus(tmp_path: Path) -> tuple[list[Path], np.ndarray]:
    number = iter(range(10, 10_000))
    documents = [[[next(number) for _ in range(n)] for n in sizes] for sizes in ((5, 9, 2), (), (1, 30), (17,))]
    return shards(tmp_path, documents)


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_a_row_is_one_unbroken_part_of_the_corpus_and_no_target_is_read_twice(corpus, epoch) -> None:
    files, targets = corpus
    found = tokens(streams(files, 3, WINDOW, seed=1, epoch=epoch))
    columns = len(targets) // 3 // WINDOW
    assert found.shape == (columns, 3, WINDOW + 1)
    ring = np.concatenate([targets, targets])
    rows = [np.concatenate([found[0, row, :1], *found[:, row, 1:]]) for row in range(3)]
    for row, follower in itertools.pairwise(rows):
        assert follower[0] == row[-1]  # the next part begins where this one ends
    whole = np.concatenate([rows[0], *(row[1:] for row in rows[1:])])
    assert any(np.array_equal(ring[n : n + len(whole)], whole) for n in range(len(targets)))
    np.testing.assert_array_equal(found[1:, :, 0], found[:-1, :, -1])


def test_epochs_and_seeds_cut_the_ring_elsewhere(corpus) -> None:
    files, _ = corpus
    first, second = (tokens(streams(files, 2, WINDOW, seed=1, epoch=epoch)) for epoch in (0, 1))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, tokens(streams(files, 2, WINDOW, seed=2, epoch=0)))
    np.testing.assert_array_equal(first, tokens(streams(files, 2, WINDOW, seed=1, epoch=0)))


@settings(max_examples=12, deadline=None)
@given(
    sizes=st.lists(st.lists(st.integers(0, 12), max_size=4), min_size=1, max_size=4),
    rows=st.integers(1, 4),
    data=st.data(),
)
def test_evaluation_reads_every_target_once(tmp_path_factory, sizes, rows, data) -> None:
    number = iter(range(10, 10_000))
    documents = [[[next(number) for _ in range(n)] for n in shard] for shard in sizes]
    files, targets = shards(tmp_path_factory.mktemp("corpus"), documents)
    found = tokens(streams(files, rows, WINDOW, seed=1, epoch=None))
    if not len(targets):
        assert not len(found)
        return
    read = np.concatenate([found[:, row, 1:].ravel() for row in range(rows)])
    np.testing.assert_array_equal(read[read > 0], targets)
    skipped = data.draw(st.integers(0, len(found)))
    np.testing.assert_array_equal(
        tokens(streams(files, rows, WINDOW, seed=1, epoch=None, first=skipped)).reshape(-1, rows, WINDOW + 1),
        found[skipped:],
    )


def test_a_later_start_gives_the_later_batches(corpus) -> None:
    files, _ = corpus
    whole = tokens(streams(files, 2, WINDOW, seed=1, epoch=3))
    np.testing.assert_array_equal(tokens(streams(files, 2, WINDOW, seed=1, epoch=3, first=4)), whole[4:])


def test_a_corpus_smaller_than_a_batch_gives_none(corpus) -> None:
    files, targets = corpus
    assert not len(tokens(streams(files, len(targets), WINDOW, seed=1, epoch=0)))
