"""The language model: embedding, LSTM layers with dropout between them, tied softmax."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

from lstmlm.models.attention import Memory
from lstmlm.models.base import Autoregressive
from lstmlm.models.dense import Dense
from lstmlm.models.graph_search import Options, decode
from lstmlm.models.lstm import State
from lstmlm.models.noise import Noise, locked_dropout
from lstmlm.models.output.layers import TiedSoftmax, output_layer
from lstmlm.models.stack import Stack
from lstmlm.recipe.sections.model import ModelSection
from lstmlm.tokenizer.special import END


class Penalties(NamedTuple):
    """Activation regularisation of a language model (Merity et al. 2017).

    Attributes:
        activation: Weight of the mean square of the last layer's outputs behind their dropout (AR).
        temporal: Weight of the mean square of the change of these outputs, before dropout, from step to step (TAR).
    """

    activation: float
    temporal: float

    def of(self, raw: tf.Tensor, dropped: tf.Tensor) -> tf.Tensor:
        """Returns the penalty summed over places, as the loss is; both are float32 [time, batch, units]."""
        total = tf.constant(0.0)
        if self.activation:
            total += self.activation * tf.reduce_sum(tf.reduce_mean(tf.square(dropped), axis=2))
        if self.temporal:
            total += self.temporal * tf.reduce_sum(tf.reduce_mean(tf.square(raw[1:] - raw[:-1]), axis=2))
        return total


class LanguageModel(Autoregressive):
    """Predicts the next token of a stream.

    Args:
        sizes: The recipe's `model` section.
        vocabulary: Number of tokens.
        seed: Decides the initial weights.
        precision: Type of the matrix products.
        penalties: What training adds to the loss; None: nothing.
    """

    closes_source = False

    def __init__(
        self, sizes: ModelSection, vocabulary: int, seed: int, precision: tf.DType, penalties: Penalties | None = None
    ) -> None:
        super().__init__(name="language_model")
        self.sizes, self.penalties = sizes, penalties or Penalties(0.0, 0.0)
        generator = tf.random.Generator.from_seed(seed)
        self.softmax = output_layer(sizes, vocabulary, generator, precision=precision)
        self.stack = Stack(sizes.embedding, sizes, generator, precision=precision, name="layer")
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
        _, values, after = self._outputs(ids, states, noise, self.softmax)
        return self._projected(values), after

    def _outputs(
        self, ids: tf.Tensor, states: list[State], noise: Noise | None, softmax: TiedSoftmax
    ) -> tuple[tf.Tensor, tf.Tensor, list[State]]:
        """Returns the last layer's outputs before and behind its dropout, time-major, and the states after them."""
        sizes = self.sizes
        rate = sizes.dropout if sizes.input_dropout is None else sizes.input_dropout
        embedded = softmax.embed_some(tf.transpose(ids), sizes.embedding_dropout, noise)
        return self.stack.run(locked_dropout(embedded, rate, noise, 0), states, noise, 1)

    def _projected(self, values: tf.Tensor) -> tf.Tensor:
        return self.projection(tf.reshape(values, [-1, self.stack.units]))

    def targets(self, batch: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See `Autoregressive.targets`."""
        return batch["tokens"][:, 1:]

    def loss(
        self, batch: Mapping[str, tf.Tensor], *, noise: Noise | None, smoothing: float
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See `Autoregressive.loss`; `batch["tokens"]` is int32 [batch, window + 1]."""
        states = self.zero_state(tf.shape(batch["tokens"])[0])
        return self.carried_loss(batch, states, noise=noise, smoothing=smoothing)[:2]

    def carried_loss(
        self, batch: Mapping[str, tf.Tensor], states: list[State], *, noise: Noise | None, smoothing: float
    ) -> tuple[tf.Tensor, tf.Tensor, list[State]]:
        """See `Autoregressive.carried_loss`; a training loss has the penalties in it."""
        softmax = self.softmax.for_loss()
        raw, values, after = self._outputs(batch["tokens"][:, :-1], states, noise, softmax)
        targets = tf.reshape(tf.transpose(self.targets(batch)), [-1])
        total, count = softmax.loss(self._projected(values), targets, smoothing)
        if noise is not None:
            total += self.penalties.of(raw, values)
        return total, count, after

    def score_tokens(self, tokens: tf.Tensor, states: list[State]) -> tuple[tf.Tensor, tf.Tensor, list[State]]:
        """Scores the next window token by token.

        Args:
            tokens: int32 [batch, window + 1].
            states: The states after the window before.

        Returns:
            -log p of every target (of padding too), float32 [batch, window]; the outputs of the last layer that it
            was predicted from, float32 [batch, window, units]; and the states after the window.
        """
        raw, values, after = self._outputs(tokens[:, :-1], states, None, self.softmax)
        targets = tf.reshape(tf.transpose(tokens[:, 1:]), [-1])
        nats = tf.reshape(self.softmax.nats(self._projected(values), targets), tf.shape(raw)[:2])
        return tf.transpose(nats), tf.transpose(raw, [1, 0, 2]), after

    def decode(self, ids: tf.Tensor, lengths: tf.Tensor, seeds: tf.Tensor, options: Options) -> tf.Tensor:
        """See `Autoregressive.decode`: continues every prompt; the stream starts with *end*."""
        batch = tf.shape(ids)[0]
        prompt = tf.concat([tf.fill([batch, 1], END), ids], axis=1)

        def step(states: list[State], token: tf.Tensor) -> tuple[tf.Tensor, list[State]]:
            logits, after, _ = self.advance(token, states, None)
            return logits, after

        return decode(step, self.zero_state(batch), prompt, lengths + 1, seeds, options)

    def start(self, ids: tf.Tensor, lengths: tf.Tensor) -> tuple[list[State], Memory | None]:
        """See `Autoregressive.start`."""

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
        """See `Autoregressive.advance`."""
        values, after = self.stack.step(self.softmax.embed(tokens), states)
        return self.softmax.logits(self.projection(values)), after, None
