"""The plan of an epoch: which examples are in which batch, and how wide it is, found from the indexes only."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from lstmlm.errors import UserError
from lstmlm.examples.indexed import IndexedShards
from lstmlm.examples.order import in_order
from lstmlm.records.tfrecord import FRAME_BYTES

Numbers = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    """Examples by what their indexes say of them.

    Attributes:
        shards: The shard of each, int64 [rows].
        offsets: Where its record begins there, int64 [rows].
        lengths: Bytes of its payload, int64 [rows].
        values: Name of a feature of no fixed length -> values of each example, int64 [rows].
    """

    shards: Numbers
    offsets: Numbers
    lengths: Numbers
    values: Mapping[str, Numbers]

    def __len__(self) -> int:
        return len(self.shards)

    def __getitem__(self, places: slice | Numbers) -> Rows:
        values = {name: numbers[places] for name, numbers in self.values.items()}
        return Rows(self.shards[places], self.offsets[places], self.lengths[places], values)

    def joined(self, other: Rows) -> Rows:
        """Returns these examples and others behind them."""
        return Rows(
            np.concatenate([self.shards, other.shards]),
            np.concatenate([self.offsets, other.offsets]),
            np.concatenate([self.lengths, other.lengths]),
            {name: np.concatenate([numbers, other.values[name]]) for name, numbers in self.values.items()},
        )


@dataclasses.dataclass(frozen=True, slots=True)
class PlannedBatch:
    """A global batch.

    Attributes:
        examples: Its examples, in the order of its rows.
        rows: Its rows: those behind the examples are of padding.
        bound: The most values that an example of it may have.
    """

    examples: Rows
    rows: int
    bound: int


def of_equal_rows(
    shards: IndexedShards, rows: int, bound: int, *, seed: int, epoch: int | None, buffer: int, first: int
) -> Iterator[PlannedBatch]:
    """Yields batches of consecutive examples of the order; any batch is found without those before it.

    Args:
        shards: The shards.
        rows: Rows of a batch.
        bound: See `PlannedBatch`.
        seed: `recipe.seed`.
        epoch: Decides the order, and a last short batch is left out; None: evaluation, where it is kept.
        buffer: Examples that are shuffled together.
        first: Batches that are left out at the beginning.
    """
    piece, within = divmod(first * rows, buffer)
    held: Rows | None = None
    for found in in_order(shards.counts, seed, epoch, buffer, piece):
        some = located(shards, *found)[within:]
        within = 0
        held = some if held is None else held.joined(some)
        whole = len(held) // rows * rows
        for start in range(0, whole, rows):
            yield PlannedBatch(held[start : start + rows], rows, bound)
        held = held[whole:]
    if epoch is None and held is not None and len(held):
        yield PlannedBatch(held, rows, bound)


def of_like_length(
    shards: IndexedShards,
    buckets: Sequence[int],
    rows: Sequence[int],
    sizes: Mapping[str, int],
    *,
    seed: int,
    epoch: int | None,
    buffer: int,
) -> Iterator[PlannedBatch]:
    """Yields batches of examples of like length: a batch as soon as its bucket is full, and at the end the rest.

    Args:
        shards: The shards.
        buckets: Upper lengths, ascending.
        rows: Rows of a batch of each bucket.
        sizes: Name of a feature of no fixed length -> how many values one place in time has.
        seed: `recipe.seed`.
        epoch: Decides the order; None: evaluation.
        buffer: Examples that are shuffled together.

    Raises:
        UserError: An example is longer than the last bucket.
    """
    held: list[Rows | None] = [None] * len(buckets)
    for shard, number in in_order(shards.counts, seed, epoch, buffer):
        piece = located(shards, shard, number)
        of_bucket = _bucket_of_each(piece, buckets, sizes, shards)
        full: list[tuple[int, int, int]] = []
        for bucket, count in enumerate(rows):
            places = np.flatnonzero(of_bucket == bucket)
            before = held[bucket]
            waiting = 0 if before is None else len(before)
            held[bucket] = some = piece[places] if before is None else before.joined(piece[places])
            for start in range(0, len(some) // count * count, count):
                full.append((int(places[start + count - 1 - waiting]), bucket, start))
        for _, bucket, start in sorted(full):
            some, count = _of(held, bucket), rows[bucket]
            yield PlannedBatch(some[start : start + count], count, buckets[bucket])
        for bucket, count in enumerate(rows):
            some = _of(held, bucket)
            held[bucket] = some[len(some) // count * count :]
    for rest, count, bound in zip(held, rows, buckets, strict=True):
        if rest is not None and len(rest):
            yield PlannedBatch(rest, count, bound)


def bucket_rows(batch_tokens: int, boundary: int) -> int:
    """Returns the rows of a batch of a bucket: even, so that two workers get the same, and 2 at least."""
    return max(2, batch_tokens // (2 * boundary) // 2 * 2)


def located(shards: IndexedShards, of_shard: Numbers, numbers: Numbers) -> Rows:
    """Looks examples up in the indexes of their shards, whose examples are taken to be neighbours.

    Args:
        shards: The shards.
        of_shard: The shard of each example, int64 [rows].
        numbers: The number of each in its shard, int64 [rows].
    """
    # Narrow numbers are sorted in linear time.
    narrow = np.min_scalar_type(max(1, len(shards.counts)))
    by_shard = np.argsort(of_shard.astype(narrow), kind="stable")
    starts = np.flatnonzero(np.diff(of_shard[by_shard], prepend=-1))
    columns = ("", *shards.columns)
    found = np.zeros((len(columns) + 1, len(of_shard)), np.int64)
    for places in np.split(by_shard, starts[1:]) if len(by_shard) else ():
        shard, own = int(of_shard[places[0]]), numbers[places]
        low, high = int(own.min()), int(own.max()) + 1
        for row, column in enumerate(columns):
            found[row, places] = (some := shards.numbers(shard, column, low, high))[own - low]
            if not column:
                ends = np.cumsum(some + FRAME_BYTES)
                found[-1, places] = shards.offset(shard, low) + (ends - some - FRAME_BYTES)[own - low]
    return Rows(of_shard, found[-1], found[0], dict(zip(shards.columns, found[1:-1], strict=True)))


def _of(held: Sequence[Rows | None], bucket: int) -> Rows:
    found = held[bucket]
    assert found is not None
    return found


def _bucket_of_each(piece: Rows, buckets: Sequence[int], sizes: Mapping[str, int], shards: IndexedShards) -> Numbers:
    """Returns the first bucket that holds the longest feature of each example."""
    longest = np.ones(len(piece), np.int64)
    if sizes:
        longest = np.max([piece.values[name] // size for name, size in sizes.items()], axis=0)
    found = np.searchsorted(np.asarray(buckets), longest)
    if len(found) and found.max() == len(buckets):
        first = int(np.argmax(found))
        what = f"an example of {longest[first]} places is longer than the last bucket, {buckets[-1]}"
        hint = "Run the examples stage with this recipe"
        raise UserError(what, where=str(shards.files[piece.shards[first]]), hint=hint)
    return found
