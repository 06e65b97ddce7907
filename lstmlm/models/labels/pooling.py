"""Pooling: one vector for a text out of a vector for each of its tokens."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from lstmlm.models.lstm import glorot
from lstmlm.recipe.sections.labels import PoolingName


class Pooling(tf.Module):
    """Concatenates poolings of a text's vectors (concat pooling, Howard and Ruder 2018).

    `last` are the states at the ends of the text, `max` and `mean` are over its tokens, `attention` is their mean
    weighted by a softmax over tanh(x W) v (Yang et al. 2016).

    Args:
        kinds: The poolings, in their order.
        width: Width of a token's vector.
        generator: Draws the initial weights.
        prefix: Of the names of the weights.
    """

    def __init__(
        self, kinds: Sequence[PoolingName], width: int, generator: tf.random.Generator, prefix: str = ""
    ) -> None:
        super().__init__(name="pooling")
        self.kinds, self.width = tuple(kinds), width * len(kinds)
        if "attention" in kinds:
            self.kernel = tf.Variable(glorot(generator, width, width), name=f"{prefix}pooling/kernel")
            self.query = tf.Variable(glorot(generator, width, 1), name=f"{prefix}pooling/query")

    def __call__(self, values: tf.Tensor, ends: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Pools.

        Args:
            values: float32 [time, batch, width].
            ends: The states at the ends, float32 [batch, width].
            lengths: int32 [batch], at least 1.

        Returns:
            float32 [batch, width * poolings].
        """
        inside = tf.transpose(tf.sequence_mask(lengths, tf.shape(values)[0]))[..., None]
        found = []
        for kind in self.kinds:
            if kind == "last":
                found.append(ends)
            elif kind == "max":
                found.append(tf.reduce_max(tf.where(inside, values, values.dtype.min), axis=0))
            elif kind == "mean":
                total = tf.reduce_sum(tf.where(inside, values, 0.0), axis=0)
                found.append(total / tf.cast(lengths, tf.float32)[:, None])
            else:
                scores = tf.tensordot(tf.tanh(tf.tensordot(values, self.kernel, 1)), self.query, 1)
                shares = tf.nn.softmax(tf.where(inside, scores, values.dtype.min), axis=0)
                found.append(tf.reduce_sum(shares * values, axis=0))
        return tf.concat(found, axis=1)
