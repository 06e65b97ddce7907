"""Batches of examples for training and evaluation: a pure function of the files, the seed and the epoch.

Which example is in which row of which batch is decided from the shards' indexes. A worker reads the bytes of its own
rows and nothing else, and its first batch waits for no other.
"""

from __future__ import annotations

import collections
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from lstmlm.examples.failures import carrying
from lstmlm.examples.indexed import IndexedShards
from lstmlm.examples.plan import PlannedBatch, bucket_rows, of_equal_rows, of_like_length
from lstmlm.examples.rows import RowReader
from lstmlm.task import WHOLE, Feature, Share

WINDOW_BUFFER = 10_000
PAIR_BUFFER = 200_000
IS_EXAMPLE = "is_example"
"""The feature of a batch that is 1 for an example, and 0 for a row that fills the batch up."""


def windows(
    files: Sequence[Path],
    batch: int,
    window: int,
    *,
    seed: int,
    epoch: int | None,
    first: int = 0,
    share: Share = WHOLE,
) -> tf.data.Dataset:
    """Returns batches of language-model windows: `{"tokens": int32 [batch, window + 1]}`, padded with 0.

    Args:
        files: Shards of examples with the int64 feature `tokens`.
        batch: Rows of a batch.
        window: Targets of a window.
        seed: `recipe.seed`.
        epoch: Decides the order, and a last short batch is left out; None: evaluation, which reads in file order and
            fills the last batch up with rows of zeros.
        first: Batches that are left out at the beginning.
        share: The rows of each batch that are read.

    Raises:
        UserError: A shard is missing, or its index does not fit it.
    """
    features = {"tokens": Feature("tokens")}
    shards = IndexedShards(files, features)

    def planned() -> Iterator[PlannedBatch]:
        # A function of the place: a run that resumes does not plan what is done.
        return of_equal_rows(shards, batch, window + 1, seed=seed, epoch=epoch, buffer=WINDOW_BUFFER, first=first)

    def widths(_: PlannedBatch) -> dict[str, int]:
        return {"tokens": window + 1}

    signature = {"tokens": tf.TensorSpec([share.rows(batch), window + 1], tf.int32)}
    return _dataset(planned, widths, lambda: RowReader(shards, features, share, near=WINDOW_BUFFER), signature)


def pairs(
    files: Sequence[Path],
    batch_tokens: int,
    buckets: Sequence[int],
    *,
    seed: int,
    epoch: int | None,
    first: int = 0,
    share: Share = WHOLE,
) -> tf.data.Dataset:
    """Returns batches of pairs of like length: `source` and `target`, both int32 [rows, time]; see `bucketed`.

    Args:
        files: Shards of examples with the int64 features `source` and `target`.
        batch_tokens: Padded source and target tokens of a batch, about (see `bucket_rows`).
        buckets: Upper lengths in tokens, ascending; no text is longer than the last.
        seed: `recipe.seed`.
        epoch: Decides the order; None: evaluation, in file order within a bucket.
        first: Batches that are left out at the beginning.
        share: The rows of each batch that are read.
    """
    features = {"source": Feature("tokens"), "target": Feature("tokens")}
    rows = [bucket_rows(batch_tokens, bound) for bound in buckets]
    return bucketed(files, features, buckets, rows, seed=seed, epoch=epoch, first=first, share=share)


def bucketed(
    files: Sequence[Path],
    features: Mapping[str, Feature],
    buckets: Sequence[int],
    rows: Sequence[int],
    *,
    seed: int,
    epoch: int | None,
    first: int = 0,
    share: Share = WHOLE,
) -> tf.data.Dataset:
    """Returns batches of examples of like length, whatever they hold: name -> int32 or float32 [rows, ...].

    An example goes to the first bucket that holds its longest feature. All batches of a bucket have the same number of
    rows; the last one is filled up with rows of zeros, so no example is lost. Columns of only padding are cut off, down
    to a multiple of 8: a title need not be as wide as its abstract.

    Where a feature is not of token ids, a batch has two kinds of features more, by which padding is known:
    `NAME_length` (int32 [rows]) for each feature that examples differ in the length of, and `is_example` (int32
    [rows]), 0 for rows that fill up.

    Args:
        files: Shards of examples.
        features: What they hold.
        buckets: Upper lengths, ascending; no feature is longer than the last. Features of a fixed shape do not count.
        rows: Rows of a batch of each bucket.
        seed: `recipe.seed`.
        epoch: Decides the order; None: evaluation, in file order within a bucket.
        first: Batches that are left out at the beginning.
        share: The rows of each batch that are read.

    Raises:
        UserError: A shard is missing, or its index does not fit it.
    """
    plain = all(feature.kind == "tokens" and feature.shape == (None,) for feature in features.values())
    sizes = {name: math.prod(feature.inner) for name, feature in features.items() if feature.ragged}
    shards = IndexedShards(files, features)

    def planned() -> Iterator[PlannedBatch]:
        found = of_like_length(shards, buckets, rows, sizes, seed=seed, epoch=epoch, buffer=PAIR_BUFFER)
        return (batch for number, batch in enumerate(found) if number >= first)

    def widths(batch: PlannedBatch) -> dict[str, int]:
        longest = {name: int((batch.examples.values[name] // size).max()) for name, size in sizes.items()}
        return {name: min(batch.bound, (length + 7) // 8 * 8) for name, length in longest.items()}

    signature = {name: _spec(feature) for name, feature in features.items()}
    if not plain:
        signature |= {f"{name}_length": tf.TensorSpec([None], tf.int32) for name in sizes}
        signature |= {IS_EXAMPLE: tf.TensorSpec([None], tf.int32)}
    lengths = "" if plain else IS_EXAMPLE

    def opened() -> RowReader:
        return RowReader(shards, features, share, near=PAIR_BUFFER, lengths=lengths)

    return _dataset(planned, widths, opened, signature)


def _dataset(
    planned: Callable[[], Iterator[PlannedBatch]],
    widths: Callable[[PlannedBatch], Mapping[str, int]],
    opened: Callable[[], RowReader],
    signature: Mapping[str, tf.TensorSpec],
) -> tf.data.Dataset:
    """Returns what is read of planned batches."""

    def generate() -> Iterator[dict[str, Any]]:
        reader = opened()
        waiting: collections.deque[PlannedBatch] = collections.deque()
        try:
            for batch in planned():
                reader.ahead(batch)
                waiting.append(batch)
                if len(waiting) > reader.batches_ahead:
                    first = waiting.popleft()
                    yield reader.read(first, widths(first))
            for batch in waiting:
                yield reader.read(batch, widths(batch))
        finally:
            reader.close()

    return with_options(tf.data.Dataset.from_generator(carrying(generate), output_signature=dict(signature)))


def own_rows(batch: Mapping[str, tf.Tensor], share: Share) -> dict[str, tf.Tensor]:
    """Cuts a worker's rows out of a whole batch, in a graph; rows behind the last are of padding."""
    rows = tf.shape(next(iter(batch.values())))[0]
    first, count = share.place(rows)
    whole = count * share.world
    padded = {
        name: tf.pad(values, [[0, whole - rows], *([[0, 0]] * (len(values.shape) - 1))])
        for name, values in batch.items()
    }
    return {name: values[first : first + count] for name, values in padded.items()}


def _spec(feature: Feature) -> tf.TensorSpec:
    kind = tf.float32 if feature.kind == "float" else tf.int32
    return tf.TensorSpec([None, None, *feature.shape[1:]][: 1 + len(feature.shape)], kind)


def with_options(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Makes a data set deterministic, keeps the next batches ready, and leaves the cores to the training step."""
    options = tf.data.Options()
    options.deterministic = True
    options.autotune.enabled = False
    options.threading.private_threadpool_size = 1
    options.threading.max_intra_op_parallelism = 1
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return dataset.prefetch(2).with_options(options)
