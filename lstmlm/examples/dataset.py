"""Batches of examples for training and evaluation: a pure function of the files, the seed and the epoch."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from lstmlm.records.record import stable_hash
from lstmlm.task import Feature

WINDOW_BUFFER = 10_000
PAIR_BUFFER = 200_000
IS_EXAMPLE = "is_example"
"""The feature of a batch that is 1 for an example, and 0 for a row that fills the batch up."""
_READ_BLOCK = 16  # consecutive examples taken of a shard in turn
_PARSE_BATCH = 512


def windows(files: Sequence[Path], batch: int, window: int, *, seed: int, epoch: int | None) -> tf.data.Dataset:
    """Returns batches of language-model windows: `{"tokens": int32 [batch, window + 1]}`, padded with 0.

    Args:
        files: Shards of examples with the int64 feature `tokens`.
        batch: Rows of a batch.
        window: Targets of a window.
        seed: `recipe.seed`.
        epoch: Decides the order, and a last short batch is left out; None: evaluation, which reads in file order and
            fills the last batch up with rows of zeros.
    """
    feature = {"tokens": tf.io.FixedLenSequenceFeature([], tf.int64, allow_missing=True)}

    def parse(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        tokens = tf.cast(tf.io.parse_example(serialized, feature)["tokens"], tf.int32)
        return {"tokens": _padded(tokens, batch, window + 1)}

    serialized = _serialized(files, WINDOW_BUFFER, seed, epoch)
    return with_options(serialized.batch(batch, drop_remainder=epoch is not None).map(parse))


def pairs(
    files: Sequence[Path], batch_tokens: int, buckets: Sequence[int], *, seed: int, epoch: int | None
) -> tf.data.Dataset:
    """Returns batches of pairs of like length: `source` and `target`, both int32 [rows, time]; see `bucketed`.

    Args:
        files: Shards of examples with the int64 features `source` and `target`.
        batch_tokens: Padded source and target tokens of a batch, about (see `bucket_rows`).
        buckets: Upper lengths in tokens, ascending; no text is longer than the last.
        seed: `recipe.seed`.
        epoch: Decides the order; None: evaluation, in file order within a bucket.
    """
    features = {"source": Feature("tokens"), "target": Feature("tokens")}
    rows = [bucket_rows(batch_tokens, bound) for bound in buckets]
    return bucketed(files, features, buckets, rows, seed=seed, epoch=epoch)


def bucketed(
    files: Sequence[Path],
    features: Mapping[str, Feature],
    buckets: Sequence[int],
    rows: Sequence[int],
    *,
    seed: int,
    epoch: int | None,
) -> tf.data.Dataset:
    """Returns batches of examples of like length, whatever they hold: name -> int32 or float32 [rows, ...].

    An example goes to the first bucket that holds its longest feature. All batches of a bucket have the same number of
    rows; the last one is filled up with rows of zeros, so no example is lost. Columns of only padding are cut off.

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
    """
    bounds = list(buckets)
    plain = all(feature.kind == "tokens" and feature.shape == (None,) for feature in features.values())
    parsers = {name: _parser(feature) for name, feature in features.items()}
    ragged = [name for name, feature in features.items() if feature.ragged]

    def parse(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        found = tf.io.parse_example(serialized, parsers)
        return {
            name: values if features[name].kind == "float" else tf.cast(values, tf.int32)
            for name, values in found.items()
        }

    def as_tensors(example: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        # unbatch leaves ragged rows of rank 1
        tensors = {
            name: tf.reshape(values, [-1, *features[name].shape[1:]]) if name in ragged else tf.identity(values)
            for name, values in example.items()
        }
        if plain:
            return tensors
        lengths = {f"{name}_length": tf.shape(tensors[name])[0] for name in ragged}
        return tensors | lengths | {IS_EXAMPLE: tf.constant(1)}

    def length(example: dict[str, tf.Tensor]) -> tf.Tensor:
        return tf.reduce_max([tf.shape(example[name])[0] for name in ragged]) if ragged else tf.constant(1)

    def fill(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        width = tf.shape(batch[ragged[0]])[1] if ragged else 1
        bucket = tf.searchsorted(bounds, [width])[0]
        return {name: _filled(batch, name, tf.gather(rows, bucket), features) for name in batch}

    serialized = _serialized(files, PAIR_BUFFER, seed, epoch)
    examples = serialized.batch(_PARSE_BATCH).map(parse).unbatch().map(as_tensors)
    batched = examples.bucket_by_sequence_length(
        length,
        bucket_boundaries=[bound + 1 for bound in bounds],
        bucket_batch_sizes=[*rows, 1],
        pad_to_bucket_boundary=True,
    )
    return with_options(batched.map(fill))


def _parser(feature: Feature) -> Any:
    """Returns how TensorFlow reads a feature."""
    kind = tf.float32 if feature.kind == "float" else tf.int64
    return tf.io.RaggedFeature(kind) if feature.ragged else tf.io.FixedLenFeature(feature.shape, kind)


def _filled(batch: Mapping[str, tf.Tensor], name: str, rows: tf.Tensor, features: Mapping[str, Feature]) -> tf.Tensor:
    """Returns a feature of a batch without columns of only padding, filled up to a number of rows."""
    values, feature = batch[name], features.get(name)
    if feature is not None and feature.ragged:
        if feature.kind == "tokens":
            values = _trimmed(values)
        else:
            longest = tf.reduce_max(batch[f"{name}_length"])
            values = values[:, : (longest + 7) // 8 * 8]
    shape = values.shape[1:]
    padded = tf.pad(values, [[0, rows - tf.shape(values)[0]], *([[0, 0]] * len(shape))])
    return tf.ensure_shape(padded, [None, None, *shape[1:]][: 1 + len(shape)])


def bucket_rows(batch_tokens: int, boundary: int) -> int:
    """Returns the rows of a batch of a bucket: even, so that two workers get the same, and 2 at least."""
    return max(2, batch_tokens // (2 * boundary) // 2 * 2)


def _serialized(files: Sequence[Path], buffer: int, seed: int, epoch: int | None) -> tf.data.Dataset:
    """Returns serialized examples: in file order, or shuffled as seed and epoch decide."""
    names = [str(file) for file in files]
    if epoch is None:
        return tf.data.TFRecordDataset(names)
    order = stable_hash("order", seed, epoch) % 2**31
    random.Random(order).shuffle(names)
    # Taking turns mixes the whole corpus into every buffer: corpora are often sorted.
    mixed = tf.data.Dataset.from_tensor_slices(names).interleave(
        tf.data.TFRecordDataset, cycle_length=len(names), block_length=_READ_BLOCK, num_parallel_calls=None
    )

    # Dataset.shuffle would depend on TensorFlow's global seed too.
    def permute(index: tf.Tensor, chunk: tf.Tensor) -> tf.data.Dataset:
        shuffled = tf.random.experimental.stateless_shuffle(chunk, seed=[tf.cast(order, tf.int64), index])
        return tf.data.Dataset.from_tensor_slices(shuffled)

    return mixed.batch(buffer).enumerate().flat_map(permute)


def _trimmed(tokens: tf.Tensor) -> tf.Tensor:
    """Cuts columns of padding off, down to a multiple of 8: a title need not be as wide as its abstract."""
    longest = tf.reduce_max(tf.reduce_sum(tf.cast(tokens > 0, tf.int32), axis=1))
    return tokens[:, : (longest + 7) // 8 * 8]


def _padded(tokens: tf.Tensor, rows: int | tf.Tensor, width: int | None) -> tf.Tensor:
    """Pads int32 [r, t] with zeros to [rows, width]; width None: as wide as it is."""
    missing = 0 if width is None else width - tf.shape(tokens)[1]
    padded = tf.pad(tokens, [[0, rows - tf.shape(tokens)[0]], [0, missing]])
    return tf.ensure_shape(padded, [rows if isinstance(rows, int) else None, width])


def with_options(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Makes a data set deterministic, keeps the next batches ready, and leaves the cores to the training step."""
    options = tf.data.Options()
    options.deterministic = True
    options.autotune.enabled = False
    options.threading.private_threadpool_size = 1
    options.threading.max_intra_op_parallelism = 1
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return dataset.prefetch(2).with_options(options)
