"""The language model: embedding, LSTM layers with dropout between them, tied softmax."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from lstmlm.decoding.search import END, Options, decode
from lstmlm.models.attention import Memory
from lstmlm.models.base import SequenceModel, TiedSoftmax
from lstmlm.models.dense import Dense
from lstmlm.models.lstm import State
from lstmlm.models.noise import Noise, locked_dropout
from lstmlm.models.stack import Stack
from lstmlm.recipe import Model


class LanguageModel(SequenceModel):
    """Predicts the next token of a stream.

    Args:
        sizes: The recipe's `model` section.
        vocabulary: Number of tokens.
        seed: Decides the initial weights.
        precision: Type of the matrix products.
    """

    closes_source = False

    def __init__(self, sizes: Model, vocabulary: int, seed: int, precision: tf.DType) -> None:
        super().__init__(name="language_model")
        self.dropout = sizes.dropout
        generator = tf.random.Generator.from_seed(seed)
        self.softmax = TiedSoftmax(vocabulary, sizes.embedding, generator, precision=precision)
        self.stack = Stack(
            sizes.embedding,
            sizes.units,
            sizes.layers,
            sizes.dropout,
            generator,
            precision=precision,
            name="layer",
        )
        self.projection = Dense(sizes.units, sizes.embedding, generator, precision=precision, name="projection")

    def zero_state(self, batch: tf.Tensor) -> list[State]:
        """Returns the state of every layer before the first token."""
        return self.stack.zero_state(batch)

    def hidden(self, ids: tf.Tensor, states: list[State], noise: Noise | None) -> tuple[tf.Tensor, list[State]]:
        """Runs the network up to the softmax.

        Args:
            ids: int32 [batch, time].
            states: State of every layer.
            noise: Dropout noise, or None.

        Returns:
            float32 [time * batch, embedding], time-major, and the states after the last token.
        """
        values = locked_dropout(self.softmax.embed(tf.transpose(ids)), self.dropout, noise, 0)
        values, after = self.stack(values, states, noise, 1)
        flat = tf.reshape(values, [-1, self.stack.units])
        return self.projection(flat), after

    def loss(
        self, batch: Mapping[str, tf.Tensor], *, noise: Noise | None, smoothing: float
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See `SequenceModel.loss`; `batch["tokens"]` is int32 [batch, window + 1]."""
        tokens = batch["tokens"]
        hidden, _ = self.hidden(tokens[:, :-1], self.zero_state(tf.shape(tokens)[0]), noise)
        return self.softmax.loss(hidden, tf.reshape(tf.transpose(tokens[:, 1:]), [-1]), smoothing)

    def score(self, tokens: tf.Tensor, states: list[State]) -> tuple[tf.Tensor, tf.Tensor, list[State]]:
        """Scores the next window of running streams, the state carried along.

        Args:
            tokens: int32 [batch, window + 1]; 0 is padding.
            states: The states after the window before.

        Returns:
            Summed nats, number of targets, and the states after the window.
        """
        hidden, after = self.hidden(tokens[:, :-1], states, None)
        total, count = self.softmax.loss(hidden, tf.reshape(tf.transpose(tokens[:, 1:]), [-1]), 0.0)
        return total, count, after

    def decode(self, ids: tf.Tensor, lengths: tf.Tensor, seeds: tf.Tensor, options: Options) -> tf.Tensor:
        """See `SequenceModel.decode`: continues every prompt; the stream starts with *end*."""
        batch = tf.shape(ids)[0]
        prompt = tf.concat([tf.fill([batch, 1], END), ids], axis=1)

        def step(states: list[State], token: tf.Tensor) -> tuple[tf.Tensor, list[State]]:
            logits, after, _ = self.advance(token, states, None)
            return logits, after

        return decode(step, self.zero_state(batch), prompt, lengths + 1, seeds, options)

    def start(self, ids: tf.Tensor, lengths: tf.Tensor) -> tuple[list[State], Memory | None]:
        """See `SequenceModel.start`."""

        def body(t: tf.Tensor, states: list[State]) -> tuple[tf.Tensor, list[State]]:
            _, after = self.stack.step(self.softmax.embed(ids[:, t]), states)
            inside = (t < lengths)[:, None]
            return t + 1, tf.nest.map_structure(lambda new, old: tf.where(inside, new, old), after, states)

        start = (tf.constant(0), self.zero_state(tf.shape(ids)[0]))
        _, states = tf.while_loop(lambda t, _: t < tf.reduce_max(lengths), body, start, parallel_iterations=1)
        return states, None

    def advance(
        self, tokens: tf.Tensor, states: list[State], memory: Memory | None
    ) -> tuple[tf.Tensor, list[State], tf.Tensor | None]:
        """See `SequenceModel.advance`."""
        values, after = self.stack.step(self.softmax.embed(tokens), states)
        return self.softmax.logits(self.projection(values)), after, None
