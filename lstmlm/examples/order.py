"""The order in which an epoch of training takes examples: a pure function of the seed, the epoch and the shards' sizes.

Shards take turns of a few consecutive examples, for corpora are often sorted; that order is then shuffled in pieces.
No example is read for it, and any part of it is computed without what comes before.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from lstmlm.records.record import stable_hash

Numbers = npt.NDArray[np.int64]

READ_BLOCK = 16
"""Consecutive examples taken of a shard in turn."""
_PLACES = 1 << 18
"""Places of the order that are computed at once, about."""


class Turns:
    """Shards that take turns: in round r each gives its examples `READ_BLOCK * r` and those behind it.

    Args:
        counts: Examples of each shard, int64 [shards].
        shards: The order in which they take turns.
    """

    def __init__(self, counts: Numbers, shards: Numbers) -> None:
        self._shards, self._counts = shards, counts[shards]
        self.examples = int(counts.sum())

    def part(self, start: int, stop: int) -> tuple[Numbers, Numbers]:
        """Returns the shards and numbers of the examples from place `start` up to `stop`: int64 [stop - start] each."""
        first, last = self._round_of(start), self._round_of(max(start, stop - 1)) + 1
        at_once = max(1, _PLACES // max(1, READ_BLOCK * len(self._shards)))
        parts = [self._rounds(low, min(low + at_once, last)) for low in range(first, last, at_once)]
        shards, numbers = (np.concatenate([part[kind] for part in parts]) for kind in (0, 1))
        skipped = start - self._before(first)
        return shards[skipped : skipped + stop - start], numbers[skipped : skipped + stop - start]

    def _before(self, number: int) -> int:
        """Returns how many examples are before a round."""
        return int(np.minimum(self._counts, READ_BLOCK * number).sum())

    def _round_of(self, place: int) -> int:
        """Returns the round that a place is in, by bisection."""
        low, high = 0, int(self._counts.max(initial=0)) // READ_BLOCK + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._before(middle) <= place else (low, middle)
        return low

    def _rounds(self, first: int, last: int) -> tuple[Numbers, Numbers]:
        """Returns the examples of consecutive rounds."""
        begins = READ_BLOCK * np.arange(first, last)[:, None]
        takes = np.clip(self._counts[None] - begins, 0, READ_BLOCK).ravel()
        within = np.arange(int(takes.sum())) - np.repeat(np.cumsum(takes) - takes, takes)
        begins = np.repeat(np.broadcast_to(begins, (last - first, len(self._shards))).ravel(), takes)
        return np.repeat(np.tile(self._shards, last - first), takes), begins + within


def in_order(
    counts: Numbers, seed: int, epoch: int | None, buffer: int, first: int = 0
) -> Iterator[tuple[Numbers, Numbers]]:
    """Yields the shards and numbers of examples in the order of an epoch, a piece of `buffer` examples at a time.

    Args:
        counts: Examples of each shard, int64 [shards].
        seed: `recipe.seed`.
        epoch: Decides the order; None: evaluation, in the order of the shards.
        buffer: Examples that are shuffled together.
        first: Pieces that are left out at the beginning.
    """
    if epoch is None:
        ends = np.cumsum(counts)
        for start in range(first * buffer, int(counts.sum()), buffer):
            places = np.arange(start, min(start + buffer, int(counts.sum())))
            shards = np.searchsorted(ends, places, side="right")
            yield shards, places - (ends - counts)[shards]
        return
    order = stable_hash("order", seed, epoch) % 2**31
    names = list(range(len(counts)))
    random.Random(order).shuffle(names)
    turns = Turns(counts, np.array(names, np.int64))
    for piece, start in enumerate(range(0, turns.examples, buffer)):
        if piece >= first:
            shards, numbers = turns.part(start, min(start + buffer, turns.examples))
            permutation = _permutation(len(shards), order, piece)
            yield shards[permutation], numbers[permutation]


def _permutation(length: int, order: int, piece: int) -> Numbers:
    import tensorflow as tf

    # A function of the length and the seed only: Dataset.shuffle would depend on TensorFlow's global seed too.
    with tf.device("CPU"):
        seed, places = tf.constant([order, piece], tf.int64), tf.range(length, dtype=tf.int64)
        return np.asarray(tf.random.experimental.stateless_shuffle(places, seed=seed).numpy(), np.int64)
