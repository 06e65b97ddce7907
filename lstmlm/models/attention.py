"""Attention over encoder outputs: the general score (Luong et al. 2015) and the additive one (Bahdanau et al. 2015)."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from lstmlm.models.dense import Dense
from lstmlm.models.lstm import glorot, product
from lstmlm.recipe.sections.model import ModelSection


class Memory(NamedTuple):
    """What the decoder attends to.

    Attributes:
        keys: Encoder outputs times the score matrix, float32 [batch, source, units].
        values: Encoder outputs, float32 [batch, source, width].
        bias: 0 where there is a source token and -1e9 where there is padding, float32 [batch, 1, source].
        source: The source tokens, int32 [batch, source], for a model that copies them; else None.
        coverage: Attention of each hypothesis to the source in all steps before, summed, float32 [rows, source], for a
            model with coverage; else None.
    """

    keys: tf.Tensor
    values: tf.Tensor
    bias: tf.Tensor
    source: tf.Tensor | None = None
    coverage: tf.Tensor | None = None


class Attention(tf.Module):
    """score(h, e) = h^T W e; the attentional vector is tanh(V [context; h] + b).

    With coverage the score of a source token also has w * (the attention to it in all steps before), so that a decoder
    can turn to what it has not read yet (Tu et al. 2016, See et al. 2017). The steps then follow each other.

    Args:
        width: Width of an encoder output.
        units: Width of a decoder state.
        output: Width of the attentional vector.
        generator: Draws the initial weights.
        precision: Type of the matrix products.
        coverage: Whether the score depends on the attention before.
    """

    def __init__(
        self,
        width: int,
        units: int,
        output: int,
        generator: tf.random.Generator,
        *,
        precision: tf.DType,
        coverage: bool = False,
    ) -> None:
        super().__init__(name="attention")
        self.coverage = tf.Variable(0.0, name="attention/coverage") if coverage else None
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
        """Returns how much every decoder state attends to every source token, float32 [batch, time, source].

        With coverage these are the hypotheses of one step, and `memory.coverage` holds the attention before.
        """
        scores = self.scores(states, memory) + memory.bias
        if self.coverage is not None:
            scores += self.coverage * tf.reshape(memory.coverage, tf.shape(scores))
        return tf.nn.softmax(scores)

    def weights_in_order(self, states: tf.Tensor, memory: Memory) -> tf.Tensor:
        """Returns the same for decoder states that follow each other in time, from an empty coverage."""
        if self.coverage is None:
            return self.weights(states, memory)
        scores = tf.transpose(self.scores(states, memory) + memory.bias, [1, 0, 2])
        time, factor = tf.shape(scores)[0], tf.convert_to_tensor(self.coverage)
        attended = tf.TensorArray(tf.float32, size=time, element_shape=scores.shape[1:])

        def body(t: tf.Tensor, before: tf.Tensor, attended: tf.TensorArray) -> tuple[object, ...]:
            weights = tf.nn.softmax(scores[t] + factor * before)
            return t + 1, before + weights, attended.write(t, weights)

        start = (tf.constant(0), tf.zeros_like(scores[0]), attended)
        *_, attended = tf.while_loop(lambda t, *_: t < time, body, start, maximum_iterations=time)
        return tf.transpose(attended.stack(), [1, 0, 2])

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
        self,
        width: int,
        units: int,
        output: int,
        generator: tf.random.Generator,
        *,
        precision: tf.DType,
        coverage: bool = False,
    ) -> None:
        super().__init__(width, units, output, generator, precision=precision, coverage=coverage)
        self.query = tf.Variable(glorot(generator, units, units), name="attention/query")
        self.reduce = tf.Variable(glorot(generator, units, 1)[:, 0], name="attention/reduce")

    def scores(self, states: tf.Tensor, memory: Memory) -> tf.Tensor:
        """See `Attention.scores`."""
        shape, units = tf.shape(states), self.query.shape[0]
        queries = product(tf.reshape(states, [-1, units]), self.query, self.precision)
        queries = tf.reshape(queries, [shape[0], shape[1], 1, units])
        hidden = tf.tanh(queries + memory.keys[:, None])
        # As one matrix: oneDNN's product of a batch with one vector reads outside of its arrays where there is AVX-512.
        scores = tf.linalg.matvec(tf.reshape(hidden, [-1, units]), self.reduce)
        return tf.reshape(scores, tf.shape(hidden)[:3])


def attention_layer(
    sizes: ModelSection, output: int, generator: tf.random.Generator, *, precision: tf.DType
) -> Attention:
    """Returns the attention that the recipe's `model` section asks for; `output` is as in `Attention`."""
    kind = AdditiveAttention if sizes.attention == "bahdanau" else Attention
    width, units, coverage = 2 * sizes.encoder_units, sizes.units, sizes.coverage
    return kind(width, units, output, generator, precision=precision, coverage=coverage)


def repeated_attention(weights: tf.Tensor) -> tf.Tensor:
    """Returns the coverage loss of every step: sum over the source of min(attention, attention before).

    See et al. (2017), equation 12.

    Args:
        weights: Attention of steps that follow each other, float32 [batch, time, source].

    Returns:
        float32 [batch, time].
    """
    before = tf.cumsum(weights, axis=1, exclusive=True)
    return tf.reduce_sum(tf.minimum(weights, before), axis=2)


def padding_bias(lengths: tf.Tensor, source: tf.Tensor) -> tf.Tensor:
    """Returns `Memory.bias` for int32 [batch] lengths of sources padded to `source` tokens."""
    return ((tf.sequence_mask(lengths, source, tf.float32) - 1.0) * 1e9)[:, None, :]
