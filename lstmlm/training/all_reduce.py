"""Summing a buffer over workers: the one thing data-parallel training needs of the network."""

from __future__ import annotations

from typing import Protocol

import tensorflow as tf


class AllReduce(Protocol):
    """Sums buffers over a fixed group of workers.

    Attributes:
        rank: This worker's number.
        world: Number of workers.
    """

    rank: int
    world: int

    def sum(self, values: tf.Tensor) -> tf.Tensor:
        """Returns the sum of `values` (float32, the same shape everywhere) over all workers."""


class Alone:
    """The group of one: the identity."""

    rank, world = 0, 1

    def sum(self, values: tf.Tensor) -> tf.Tensor:
        """See `AllReduce.sum`."""
        return values


class Ring:
    """TensorFlow's collectives: ring on CPU, NCCL on GPU.

    The runtime behind them is started by a `MultiWorkerMirroredStrategy`, which reads TF_CONFIG; the strategy is used
    for nothing else (its own reduction would sum a second time).

    Args:
        rank: This worker's number.
        world: Number of workers.
        timeout: Seconds after which a silent peer fails the step.
        gpu: Use NCCL.
    """

    def __init__(self, rank: int, world: int, *, timeout: float, gpu: bool) -> None:
        self.rank, self.world, self._timeout = rank, world, timeout
        self._hint = "nccl" if gpu else "ring"
        self._key = 7000
        self._strategy = tf.distribute.MultiWorkerMirroredStrategy()

    def sum(self, values: tf.Tensor) -> tf.Tensor:
        """See `AllReduce.sum`. Every worker must trace the same calls in the same order."""
        self._key += 1
        return tf.raw_ops.CollectiveReduceV2(
            input=values,
            group_size=self.world,
            group_key=1,
            instance_key=self._key,
            ordering_token=[],
            merge_op="Add",
            final_op="Id",
            communication_hint=self._hint,
            timeout_seconds=self._timeout,
        )
