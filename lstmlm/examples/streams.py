"""Batches of a language model whose state is carried along: every row reads a part of the corpus of its own, in order.

The windows of the examples stage overlap by one id, and a shard begins with the *end* that closed the shard before.
So the targets of all windows, one after the other, are the corpus without a seam: it is cut into as many parts as a
batch has rows, and batch t holds window t of every part. A row's state after batch t is then its state before t + 1
(truncated back-propagation through time).
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstmlm.examples.dataset import with_options
from lstmlm.records.record import stable_hash

Ids = npt.NDArray[np.int32]

_READ = 512  # examples decoded at a time


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
        first: Batches that are left out at the beginning.
    """
    ring = _corpus(tuple((str(file), file.stat().st_size) for file in files))
    if epoch is None:
        start, length = 0, -(-len(ring) // batch)
        columns = -(-length // window)
    else:
        start = stable_hash("cut", seed, epoch) % max(1, len(ring))
        columns = len(ring) // batch // window
        length = columns * window

    def generate() -> Iterator[dict[str, Ids]]:
        for column in range(first, columns):
            yield {"tokens": _window(ring, start, batch, length, column * window, window)}

    signature = {"tokens": tf.TensorSpec([batch, window + 1], tf.int32)}
    return with_options(tf.data.Dataset.from_generator(generate, output_signature=signature))


def _window(ring: Ids, start: int, rows: int, length: int, done: int, window: int) -> Ids:
    """Returns the targets `done`, `done + 1`, ... of every row, and the id before them.

    Row r reads `length` targets from `start + r * length` on. What is beyond a row's end, or beyond the ring where it
    begins at its own beginning, is 0.
    """
    within = np.arange(done, done + window + 1)[None]  # counted from the id before the row's first target
    places = np.arange(rows)[:, None] * length + within - 1
    found = ring[(start + places) % len(ring)]
    beyond = (within > length) | (places >= len(ring))
    return np.where(beyond, 0, found).astype(np.int32)


@functools.lru_cache(maxsize=4)
def _corpus(files: tuple[tuple[str, int], ...]) -> Ids:
    """Returns the targets of shards, given with their sizes in bytes, one after the other.

    They are stored in an unnamed file that is mapped into memory, so a corpus may be larger than the memory.
    """
    names = [name for name, _ in files]
    with tempfile.TemporaryFile() as spill:
        pieces = with_options(tf.data.TFRecordDataset(names).batch(_READ).map(_targets))
        for piece in pieces.as_numpy_iterator():
            spill.write(piece.tobytes())
        if spill.tell() == 0:
            return np.zeros(0, np.int32)
        spill.flush()
        return np.memmap(spill, np.int32, mode="r")


def _targets(serialized: tf.Tensor) -> tf.Tensor:
    """Returns the targets of some examples, one after the other: int32 [targets]."""
    found = tf.io.parse_example(serialized, {"tokens": tf.io.RaggedFeature(tf.int64)})["tokens"]
    return tf.cast(found[:, 1:].flat_values, tf.int32)
