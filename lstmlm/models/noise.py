"""Dropout whose noise is a pure function of (seed, step, place in the network, row of the global batch).

So the masks are the same however many workers share a batch, and a resumed run draws what it would have drawn.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf


@dataclasses.dataclass(frozen=True, slots=True)
class Noise:
    """The place of a worker's rows in the global batch, and the seed of this step.

    Attributes:
        seed: int32 [2].
        first: Index of the first of this worker's rows, int32 scalar.
        rows: Rows of the global batch, int32 scalar.
    """

    seed: tf.Tensor
    first: tf.Tensor
    rows: tf.Tensor


def locked_dropout(values: tf.Tensor, rate: float, noise: Noise | None, site: int) -> tf.Tensor:
    """Drops the same units at every time step (Gal and Ghahramani 2016), which suits recurrent networks.

    Args:
        values: float32 [time, batch, width].
        rate: Share dropped; what stays is scaled by 1 / (1 - rate).
        noise: None at evaluation: nothing is dropped.
        site: Number of this place in the network, so that places draw different masks.

    Returns:
        float32 [time, batch, width].
    """
    if noise is None or rate == 0.0:
        return values
    whole = shared_mask([noise.rows, values.shape[-1]], rate, noise, site)
    return values * whole[noise.first : noise.first + tf.shape(values)[1]][None]


def shared_mask(shape: list[int | tf.Tensor], rate: float, noise: Noise, site: int) -> tf.Tensor:
    """Draws a dropout mask that is the same on every worker.

    Args:
        shape: Of the mask.
        rate: Share of zeros; the rest is 1 / (1 - rate).
        noise: Gives the seed of this step.
        site: Number of this place in the network.

    Returns:
        float32 of that shape.
    """
    seed = noise.seed + tf.constant([0, site * 7919], tf.int32)
    draws = tf.random.stateless_uniform(tf.stack(shape), seed)
    return tf.cast(draws >= rate, tf.float32) / (1.0 - rate)
