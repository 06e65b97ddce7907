"""Attention over encoder outputs: the general score (Luong et al. 2015) and the additive one (Bahdanau et al. 2015)."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from lstmlm.models.dense import Dense
from lstmlm.models.lstm import glorot, product
from lstmlm.recipe.sections.model import Model


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
        return self.vectors(states, self.weights(states, memory), memory)

    def weights(self, states: tf.Tensor, memory: Memory) -> tf.Tensor:
        """Returns how much every decoder state attends to every source token, float32 [batch, time, source]."""
        return tf.nn.softmax(self.scores(states, memory) + memory.bias)

    def scores(self, states: tf.Tensor, memory: Memory) -> tf.Tensor:
        """Returns the scores before the softmax, float32 [batch, time, source]."""
        return tf.matmul(states, memory.keys, transpose_b=True)

    def vectors(self, states: tf.Tensor, weights: tf.Tensor, memory: Memory) -> tf.Tensor:
        """Returns the attentional vectors of states that attend with these weights."""
        joined = tf.concat([tf.matmul(weights, memory.values), states], axis=2)
        shape = tf.shape(joined)
        vectors = tf.tanh(self.combine(tf.reshape(joined, [-1, joined.shape[2]])))
        return tf.reshape(vectors, [shape[0], shape[1], vectors.shape[1]])


class AdditiveAttention(Attention):
    """score(h, e) = v^T tanh(U h + W e), from the present decoder state; the rest as in `Attention`."""

    def __init__(
        self, width: int, units: int, output: int, generator: tf.random.Generator, *, precision: tf.DType
    ) -> None:
        super().__init__(width, units, output, generator, precision=precision)
        self.query = tf.Variable(glorot(generator, units, units), name="attention/query")
        self.reduce = tf.Variable(glorot(generator, units, 1)[:, 0], name="attention/reduce")

    def scores(self, states: tf.Tensor, memory: Memory) -> tf.Tensor:
        """See `Attention.scores`."""
        shape, units = tf.shape(states), self.query.shape[0]
        queries = product(tf.reshape(states, [-1, units]), self.query, self.precision)
        queries = tf.reshape(queries, [shape[0], shape[1], 1, units])
        return tf.linalg.matvec(tf.tanh(queries + memory.keys[:, None]), self.reduce)


def attention_layer(sizes: Model, output: int, generator: tf.random.Generator, *, precision: tf.DType) -> Attention:
    """Returns the attention that the recipe's `model` section asks for; `output` is as in `Attention`."""
    kind = AdditiveAttention if sizes.attention == "bahdanau" else Attention
    return kind(2 * sizes.encoder_units, sizes.units, output, generator, precision=precision)


def padding_bias(lengths: tf.Tensor, source: tf.Tensor) -> tf.Tensor:
    """Returns `Memory.bias` for int32 [batch] lengths of sources padded to `source` tokens."""
    return ((tf.sequence_mask(lengths, source, tf.float32) - 1.0) * 1e9)[:, None, :]
