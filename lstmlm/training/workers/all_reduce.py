"""All-reduce: sums tensors over workers, the only communication of data-parallel training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import tensorflow as tf
from tensorflow.python.distribute.collective_all_reduce_strategy import CollectiveAllReduceExtended
from tensorflow.python.eager import context

BUCKET_BYTES = 16_000_000


class AllReduce(Protocol):
    """Sums tensors over a fixed group of workers.

    Attributes:
        rank: This worker's number.
        world: Number of workers.
    """

    rank: int
    world: int

    def sum(self, values: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Returns the sum of each of `values` (float32, the same shapes everywhere) over all workers.

        The sums may be in memory that the sum after the next one overwrites, so what is to stay must be copied.
        """


class LostPeer(RuntimeError):
    """A worker of the group has ended, or has been silent for too long."""


class SingleWorker:
    """The group of one: the identity."""

    rank, world = 0, 1

    def sum(self, values: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """See `AllReduce.sum`."""
        return list(values)


class Ring:
    """TensorFlow's collectives: ring on CPU, NCCL on GPU.

    A peer that dies fails the next sum at once, one that is silent or never comes after the timeout: in both cases
    with an error of TensorFlow's.

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
        self._runtime = _start_collectives()
        self._reduce(tf.zeros([1]))  # nobody builds a model for peers that are not there

    def sum(self, values: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """See `AllReduce.sum`. Every worker must trace the same calls in the same order.

        A bucket crosses the network as soon as its tensors are there, while others are still computed.
        """
        summed = []
        for bucket in buckets(values, BUCKET_BYTES):
            flat = self._reduce(tf.concat([tf.reshape(value, [-1]) for value in bucket], axis=0))
            parts = tf.split(flat, [value.shape.num_elements() for value in bucket])
            summed += [tf.reshape(part, value.shape) for part, value in zip(parts, bucket, strict=True)]
        return summed

    def _reduce(self, values: tf.Tensor) -> tf.Tensor:
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


def _start_collectives() -> tf.distribute.Strategy:
    """Starts the runtime behind the collectives, which reads TF_CONFIG.

    It lives as long as the strategy that starts it, which is used for nothing else: its own reduction would sum a
    second time. Two of its helpers are left out. The coordination service waits an hour for a peer that does not come,
    and takes SIGTERM without ending the process. The health check waits for ever.
    """
    context.context().configure_coordination_service(service_type="")
    CollectiveAllReduceExtended._enable_check_health = False
    return tf.distribute.MultiWorkerMirroredStrategy()


def buckets(values: Sequence[tf.Tensor], limit: int) -> Iterator[list[tf.Tensor]]:
    """Groups consecutive float32 tensors of known shapes: up to `limit` bytes together, or a single larger one."""
    held: list[tf.Tensor] = []
    size = 0
    for value in values:
        more = 4 * value.shape.num_elements()
        if held and size + more > limit:
            yield held
            held, size = [], 0
        held.append(value)
        size += more
    if held:
        yield held
