"""Batches of a language model whose state is carried along: every row reads a part of the corpus of its own, in order.

The windows of the examples stage overlap by one id, and a shard begins with the *end* that closed the shard before.
So the targets of all windows, one after the other, are the corpus without a seam: it is cut into as many parts as a
batch has rows, and batch t holds window t of every part. A row's state after batch t is then its state before t + 1
(truncated back-propagation through time).

Where each part begins is known from the indexes of the shards. A worker reads the parts of its own rows, a few windows
ahead, and nothing else.
"""

from __future__ import annotations

import bisect
import dataclasses
import functools
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstmlm.examples.dataset import with_options
from lstmlm.examples.failures import carrying
from lstmlm.examples.index import misfit
from lstmlm.examples.indexed import IndexedShards, ShardReader
from lstmlm.records.record import stable_hash
from lstmlm.records.tfrecord import FRAME_BYTES
from lstmlm.storage.ranges import BLOCK_BYTES
from lstmlm.task import WHOLE, Feature, Share

Ids = npt.NDArray[np.int32]
Numbers = npt.NDArray[np.int64]

READ_AHEAD = 32
"""Windows of a row that are read at once."""


def streams(
    files: Sequence[Path],
    batch: int,
    window: int,
    *,
    seed: int,
    epoch: int | None,
    first: int = 0,
    share: Share = WHOLE,
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
        share: The rows of each batch that are read.

    Raises:
        UserError: A shard is missing, or its index does not fit it.
    """
    first_row, count = share.place(batch)
    ring = Ring(files, count + 1)
    if epoch is None:
        start, length = 0, -(-ring.targets // batch)
        columns = -(-length // window)
    else:
        start = stable_hash("cut", seed, epoch) % max(1, ring.targets)
        columns = ring.targets // batch // window
        length = columns * window

    def generate() -> Iterator[dict[str, Ids]]:
        reader = ShardReader(ring.files)
        rows = [
            RowOfRing(ring, reader, start, row * length - 1 + first * window, min((row + 1) * length, ring.targets))
            for row in range(first_row, min(first_row + count, batch))
        ]
        try:
            for _ in range(first, columns):
                tokens = np.zeros([count, window + 1], np.int32)
                for place, row in enumerate(rows):
                    tokens[place] = row.next(window)
                yield {"tokens": tokens}
        finally:
            reader.close()

    signature = {"tokens": tf.TensorSpec([count, window + 1], tf.int32)}
    return with_options(tf.data.Dataset.from_generator(carrying(generate), output_signature=signature))


@dataclasses.dataclass(frozen=True, slots=True)
class Block:
    """What the index says of consecutive examples of a shard, int64 [examples] each.

    Attributes:
        ends: Where the targets of each end, counted in those of the shard.
        values: The ids of each.
        offsets: Where its record begins.
        lengths: Bytes of its payload.
    """

    ends: Numbers
    values: Numbers
    offsets: Numbers
    lengths: Numbers


class Ring:
    """The targets of all shards, one after the other, and the first after the last.

    Attributes:
        files: The shards.
        targets: How many targets there are.

    Args:
        files: The shards, in corpus order.
        blocks: Blocks of their indexes that are kept in memory: one for each row that is read.
    """

    def __init__(self, files: Sequence[Path], blocks: int) -> None:
        self.files = list(files)
        self._shards = IndexedShards(files, {"tokens": Feature("tokens")})
        # The first id of a window is no target of it.
        targets = [self._shards.total(shard, "tokens") - int(own) for shard, own in enumerate(self._shards.counts)]
        self._ends = list(itertools.accumulate(targets))
        self.targets = self._ends[-1] if self._ends else 0
        # Rows are read in turns, each from a block of its own.
        self._sums = functools.lru_cache(maxsize=blocks)(self._sums_of)
        self._block = functools.lru_cache(maxsize=blocks)(self._block_of)

    def read(self, reader: ShardReader, place: int, most: int) -> Ids:
        """Reads targets from a place on: those of up to `READ_AHEAD` windows of a shard, and `most` at most.

        Args:
            reader: Reads the shards.
            place: The first target, counted around the ring.
            most: How many are wanted.
        """
        place %= self.targets
        shard = bisect.bisect_right(self._ends, place)
        within = place - (self._ends[shard - 1] if shard else 0)
        number = int(np.searchsorted(self._sums(shard), within, side="right")) - 1
        block = self._block(shard, number)
        first = int(np.searchsorted(block.ends, within, side="right"))
        last = min(int(np.searchsorted(block.ends, within + most)) + 1, first + READ_AHEAD, len(block.ends))
        if reader.is_ahead:
            size = int(block.lengths[first:last].sum()) + FRAME_BYTES * (last - first)
            reader.ahead(shard, int(block.offsets[first]), size + BLOCK_BYTES)  # what this row reads next, too
        payloads = reader.payloads(shard, int(block.offsets[first]), block.lengths[first:last].tolist())
        found = _targets(payloads, block.values[first:last])
        if found is None:
            raise misfit(self.files[shard], f"other ids than it says from byte {block.offsets[first]} on")
        return found[within - int(block.ends[first] - block.values[first] + 1) :][:most]

    def _sums_of(self, shard: int) -> Numbers:
        """Returns the targets before each block of a shard, int64 [blocks + 1]."""
        size, sums = self._shards.before(shard, "tokens")
        return sums - np.minimum(size * np.arange(len(sums)), self._shards.counts[shard])

    def _block_of(self, shard: int, number: int) -> Block:
        size, _ = self._shards.before(shard, "tokens")
        start, stop = size * number, min(size * (number + 1), int(self._shards.counts[shard]))
        values = self._shards.numbers(shard, "tokens", start, stop)
        lengths = self._shards.numbers(shard, "", start, stop)
        records = np.cumsum(lengths + FRAME_BYTES)
        offsets = self._shards.offset(shard, start) + records - lengths - FRAME_BYTES
        return Block(int(self._sums(shard)[number]) + np.cumsum(values - 1), values, offsets, lengths)


def _targets(payloads: list[bytes], values: Numbers) -> Ids | None:
    """Returns the targets of examples, one after the other; None: they have not so many ids as `values` says."""
    with tf.device("CPU"):
        tokens = tf.io.parse_example(payloads, {"tokens": tf.io.RaggedFeature(tf.int64)})["tokens"]
        if not np.array_equal(tokens.row_lengths().numpy(), values):
            return None
        return np.asarray(tokens[:, 1:].flat_values.numpy(), np.int32)


class RowOfRing:
    """A row of the batches: an unbroken part of the ring, read in order.

    Args:
        ring: The ring.
        reader: Reads the shards.
        cut: Where the ring is cut.
        place: The first id of the row, counted from the cut: the target before the first that is asked for.
        stop: Where the row ends, counted from the cut; what is behind it is 0.
    """

    def __init__(self, ring: Ring, reader: ShardReader, cut: int, place: int, stop: int) -> None:
        self._ring, self._reader, self._cut, self._place, self._stop = ring, reader, cut, place, stop
        self._held = np.zeros(0, np.int32)

    def next(self, window: int) -> Ids:
        """Returns the next `window` targets and the id before them, int32 [window + 1]."""
        parts, missing = [self._held], window + 1 - len(self._held)
        while missing > 0 and self._place < self._stop:
            parts.append(self._ring.read(self._reader, self._cut + self._place, self._stop - self._place))
            self._place += len(parts[-1])
            missing -= len(parts[-1])
        whole = np.concatenate([*parts, np.zeros(max(0, missing), np.int32)])
        self._held = whole[window:]  # the last target is the first input of the next window
        return whole[: window + 1]
