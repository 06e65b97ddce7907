"""Batches of a language model whose state is carried along: every row reads a part of the corpus of its own, in order.

The windows of the examples stage overlap by one id, and a shard begins with the *end* that closed the shard before.
So the targets of all windows, one after the other, are the corpus without a seam: it is cut into as many parts as a
batch has rows, and batch t holds window t of every part. A row's state after batch t is then its state before t + 1
(truncated back-propagation through time).
"""

from __future__ import annotations

import bisect
import functools
import itertools
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstmlm.examples.dataset import quiet_options, with_options
from lstmlm.records import stable_hash

Ids = npt.NDArray[np.int32]

_READ = 64  # examples a row decodes at a time


def streams(
    files: Sequence[Path], batch: int, window: int, *, seed: int, epoch: int | None, first: int = 0
) -> tf.data.Dataset:
    """Returns batches of running streams: `{"tokens": int32 [batch, window + 1]}`, a target overlapping the next input.

    In training the corpus is a ring that is cut at another place in every epoch, all rows are equally long, and the
    up to `batch * window` targets that are left over are not read. In evaluation it is cut at its beginning, every
    target is in one batch, and the ends of the rows are filled up with zeros.

    Args:
        files: Shards of windows, in corpus order, with the int64 feature `tokens`.
        batch: Rows of a batch.
        window: Targets of a window.
        seed: `recipe.seed`; with the epoch it decides where the ring is cut.
        epoch: Pass over the data; None: evaluation.
        first: Batches that are left out at the beginning; none of them is read.
    """
    corpus = _Corpus(files)
    if epoch is None:
        start, length = 0, -(-corpus.targets // batch)
        columns = -(-length // window)
    else:
        start = stable_hash("cut", seed, epoch) % max(1, corpus.targets)
        columns = corpus.targets // batch // window
        length = columns * window

    def generate() -> Iterator[dict[str, Ids]]:
        rows = [
            corpus.windows(start + row * length, _row_targets(row, length, corpus.targets), window, first)
            for row in range(batch)
        ]
        empty = np.zeros(window + 1, np.int32)
        for _ in range(first, columns):
            yield {"tokens": np.stack([next(row, empty) for row in rows])}

    signature = {"tokens": tf.TensorSpec([batch, window + 1], tf.int32)}
    return with_options(tf.data.Dataset.from_generator(generate, output_signature=signature))


def _row_targets(row: int, length: int, targets: int) -> int:
    """Returns how many targets a row reads: the last rows of an evaluation may find fewer left."""
    return max(0, min(length, targets - row * length))


class _Corpus:
    """All targets of the shards as one ring, read from any place."""

    def __init__(self, files: Sequence[Path]) -> None:
        counts = [_count_targets(file, file.stat().st_size) for file in files]
        self._names = [str(file) for file in files]
        self._sizes = [size for _, size in counts]
        self._ends = list(itertools.accumulate(targets for targets, _ in counts))
        self.targets = self._ends[-1] if self._ends else 0

    def windows(self, start: int, count: int, window: int, first: int) -> Iterator[Ids]:
        """Yields the windows of the `count` targets from `start` on, without the `first` ones; the last is padded."""
        done = first * window
        if done >= count:
            return
        pieces = self._read(start + done - 1)  # the first input is the id before the first target
        held = np.zeros(0, np.int32)
        while done < count:
            wanted = min(window, count - done) + 1
            while len(held) < wanted:
                held = np.concatenate([held, next(pieces)])
            yield np.pad(held[:wanted], (0, window + 1 - wanted))
            held = held[wanted - 1 :]
            done += window

    def _read(self, place: int) -> Iterator[Ids]:
        """Yields the targets from a place on, in pieces, once around the ring."""
        place %= self.targets
        shard = bisect.bisect_right(self._ends, place)
        within = place - (self._ends[shard - 1] if shard else 0)
        skipped, cut = divmod(within, self._sizes[shard])
        around = [*self._names[shard + 1 :], *self._names[: shard + 1]]
        serialized = tf.data.TFRecordDataset(self._names[shard]).skip(skipped)
        serialized = serialized.concatenate(tf.data.TFRecordDataset(around))
        # No prefetch: a batch has many rows, and each would keep a thread for it.
        for piece in serialized.batch(_READ).map(_targets).with_options(quiet_options()).as_numpy_iterator():
            yield piece[cut:]
            cut = 0


def _targets(serialized: tf.Tensor) -> tf.Tensor:
    """Returns the targets of some examples, one after the other: int32 [targets]."""
    found = tf.io.parse_example(serialized, {"tokens": tf.io.RaggedFeature(tf.int64)})["tokens"]
    return tf.cast(found[:, 1:].flat_values, tf.int32)


@functools.lru_cache(maxsize=4096)
def _count_targets(file: Path, size: int) -> tuple[int, int]:
    """Returns the targets of a shard and of each of its windows but the last; `size` tells changed files apart.

    All windows but the last are equally long, so the first and the last example are parsed and the others skipped.
    """
    count = place = last = 0
    with file.open("rb") as stream:
        while place < size:
            stream.seek(place)
            (length,) = struct.unpack("<Q", stream.read(8))
            count, last = count + 1, place
            place += 12 + length + 4  # the length and its checksum, the example, its checksum
        if count == 0:
            return 0, 1
        each = _targets_at(stream, 0)
        return (count - 1) * each + _targets_at(stream, last), each


def _targets_at(stream: BinaryIO, place: int) -> int:
    """Returns the targets of the example at a place of a TFRecord file."""
    stream.seek(place)
    (length,) = struct.unpack("<Q4x", stream.read(12))
    features = tf.train.Example.FromString(stream.read(length)).features.feature
    return len(features["tokens"].int64_list.value) - 1
