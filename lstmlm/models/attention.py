"""Global attention with the general score (Luong et al. 2015)."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from lstmlm.models.dense import Dense
from lstmlm.models.lstm import glorot, product


class Memory(NamedTuple):
    """What the decoder attends to.

    Attributes:
        keys: Encoder outputs times the score matrix, float32 [batch, source, units].
        values: Encoder outputs, float32 [batch, source, width].
        bias: 0 where there is a source token and -1e9 where there is padding, float32 [batch, 1, source].
    """

    keys: tf.Tensor
    values: tf.Tensor
    bias: tf.Tensor


class Attention(tf.Module):
    """score(h, e) = h^T W e; the attentional vector is tanh(V [context; h] + b).

    Args:
        width: Width of an encoder output.
        units: Width of a decoder state.
        output: Width of the attentional vector.
        generator: Draws the initial weights.
        precision: Type of the matrix products.
    """

    def __init__(
        self, width: int, units: int, output: int, generator: tf.random.Generator, *, precision: tf.DType
    ) -> None:
        super().__init__(name="attention")
        self.precision = precision
        self.score = tf.Variable(glorot(generator, width, units), name="attention/score")
        self.combine = Dense(width + units, output, generator, precision=precision, name="attention_combine")

    def memory(self, values: tf.Tensor, lengths: tf.Tensor) -> Memory:
        """Prepares encoder outputs float32 [batch, source, width] of the given int32 [batch] lengths."""
        shape = tf.shape(values)
        width, units = self.score.shape
        keys = product(tf.reshape(values, [-1, width]), self.score, self.precision)
        return Memory(tf.reshape(keys, [shape[0], shape[1], units]), values, padding_bias(lengths, shape[1]))

    def __call__(self, states: tf.Tensor, memory: Memory) -> tf.Tensor:
        """Attends from every decoder state.

        Args:
            states: float32 [batch, time, units].
            memory: See `memory`.

        Returns:
            The attentional vectors, float32 [batch, time, output].
        """
        return self.attend(states, memory)[0]

    def attend(self, states: tf.Tensor, memory: Memory) -> tuple[tf.Tensor, tf.Tensor]:
        """Attends as `__call__` does; returns the attention weights too, float32 [batch, time, source]."""
        weights = tf.nn.softmax(tf.matmul(states, memory.keys, transpose_b=True) + memory.bias)
        joined = tf.concat([tf.matmul(weights, memory.values), states], axis=2)
        shape = tf.shape(joined)
        vectors = tf.tanh(self.combine(tf.reshape(joined, [-1, joined.shape[2]])))
        return tf.reshape(vectors, [shape[0], shape[1], vectors.shape[1]]), weights


def padding_bias(lengths: tf.Tensor, source: tf.Tensor) -> tf.Tensor:
    """Returns `Memory.bias` for int32 [batch] lengths of sources padded to `source` tokens."""
    return ((tf.sequence_mask(lengths, source, tf.float32) - 1.0) * 1e9)[:, None, :]
