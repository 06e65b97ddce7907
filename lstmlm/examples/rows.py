"""A worker's rows of a planned batch: their bytes are read, and nothing else of the shards."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstmlm.examples.index import misfit
from lstmlm.examples.indexed import IndexedShards, ShardReader
from lstmlm.examples.plan import PlannedBatch, Rows
from lstmlm.records.tfrecord import FRAME_BYTES
from lstmlm.task import Feature, Share

Arrays = dict[str, npt.NDArray[Any]]
_BATCHES_AHEAD = 8


def read_payloads(reader: ShardReader, rows: Rows) -> list[bytes]:
    """Reads examples, those that are neighbours in a shard at once; returns them in the order of the rows."""
    read_ahead(reader, rows)
    found: dict[int, bytes] = {}
    for places in _neighbours(rows):
        first = places[0]
        lengths = rows.lengths[places].tolist()
        payloads = reader.payloads(int(rows.shards[first]), int(rows.offsets[first]), lengths)
        found.update(zip(places.tolist(), payloads, strict=True))
    return [found[place] for place in range(len(rows))]


def read_ahead(reader: ShardReader, rows: Rows) -> None:
    """Begins to read examples of shards in a store; does nothing for files."""
    if reader.is_ahead:
        for places in _neighbours(rows):
            size = int(rows.lengths[places].sum()) + FRAME_BYTES * len(places)
            reader.ahead(int(rows.shards[places[0]]), int(rows.offsets[places[0]]), size)


def _neighbours(rows: Rows) -> list[npt.NDArray[np.int64]]:
    """Returns the places of examples in groups, each of neighbours in a shard."""
    order = np.lexsort((rows.offsets, rows.shards))
    ends = rows.offsets + rows.lengths + FRAME_BYTES
    apart = (rows.shards[order][1:] != rows.shards[order][:-1]) | (rows.offsets[order][1:] != ends[order][:-1])
    return np.split(order, np.flatnonzero(apart) + 1) if len(order) else []


class RowReader:
    """Turns planned batches into a worker's rows of them: name -> int32 or float32 [rows, ...].

    Args:
        shards: The shards.
        features: What examples hold.
        share: The worker's part of each batch.
        near: Examples within which those of the next batches are.
        lengths: Whether a batch has the features `NAME_length` and `is_example` too.
    """

    def __init__(
        self, shards: IndexedShards, features: Mapping[str, Feature], share: Share, *, near: int, lengths: str = ""
    ) -> None:
        self._shards, self._features, self._share, self._is_example = shards, features, share, lengths
        self._reader = ShardReader(shards.files, shards.bytes_of(near) if shards.is_stored else 0)
        self._parsers = {name: _parser(feature) for name, feature in features.items()}

    @property
    def batches_ahead(self) -> int:
        """How many batches should be said to `ahead` before they are read."""
        return _BATCHES_AHEAD if self._reader.is_ahead else 0

    def ahead(self, batch: PlannedBatch) -> None:
        """Begins to read this worker's rows of a batch."""
        read_ahead(self._reader, self._own(batch))

    def _own(self, batch: PlannedBatch) -> Rows:
        first, count = self._share.place(batch.rows)
        return batch.examples[first : first + count]

    def read(self, batch: PlannedBatch, widths: Mapping[str, int]) -> Arrays:
        """Reads this worker's rows.

        Args:
            batch: The global batch.
            widths: Name of a feature of no fixed length -> the places in time that the whole batch has.

        Raises:
            UserError: A shard is missing, is damaged, or differs from what its index says.
        """
        _, count = self._share.place(batch.rows)
        own = self._own(batch)
        parsed = self._parsed(own)
        found: Arrays = {}
        for name, feature in self._features.items():
            kind = np.float32 if feature.kind == "float" else np.int32
            if not feature.ragged:
                found[name] = np.zeros([count, *feature.shape], kind)
                if parsed:
                    found[name][: len(own)] = parsed[name].numpy()
                continue
            inner, size = feature.inner, math.prod(feature.inner)
            flat = np.zeros([count, widths[name] * size], kind)
            if parsed:
                filled = np.arange(flat.shape[1])[None] < own.values[name][:, None]
                flat[: len(own)][filled] = parsed[name].flat_values.numpy()
            found[name] = flat.reshape(count, widths[name], *inner)
            if self._is_example:
                found[f"{name}_length"] = np.pad(own.values[name] // size, [0, count - len(own)]).astype(np.int32)
        if self._is_example:
            found[self._is_example] = (np.arange(count) < len(own)).astype(np.int32)
        return found

    def close(self) -> None:
        """Closes the shards."""
        self._reader.close()

    def _parsed(self, own: Rows) -> Mapping[str, Any]:
        """Returns the features of some examples, as TensorFlow reads them; nothing for no example."""
        if not len(own):
            return {}
        with tf.device("CPU"):
            parsed: Mapping[str, Any] = tf.io.parse_example(read_payloads(self._reader, own), self._parsers)
        for name, values in own.values.items():
            differs = np.flatnonzero(parsed[name].row_lengths().numpy() != values)
            if len(differs):
                where = int(differs[0])
                path = self._shards.files[own.shards[where]]
                raise misfit(path, f"the example at byte {own.offsets[where]} has not {values[where]} values of {name}")
        return parsed


def _parser(feature: Feature) -> Any:
    """Returns how TensorFlow reads a feature."""
    kind = tf.float32 if feature.kind == "float" else tf.int64
    return tf.io.RaggedFeature(kind) if feature.ragged else tf.io.FixedLenFeature(feature.shape, kind)
