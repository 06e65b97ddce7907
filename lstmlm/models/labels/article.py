"""The network of the article: an embedding, an LSTM layer, a dense layer without activation, a softmax of each token.

In Keras it is Embedding(10_000, 128), LSTM(1024, return_sequences=True), Dense(1024), Dense(2, "softmax") in a row.
It gives [rows, time, labels], and padding is read like any other token. The label of a text is learnt at each of its
tokens and predicted at its last, which has read all of it.
"""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from lstmlm.models.dense import Dense
from lstmlm.models.labels.labelling import Kind, Labelling
from lstmlm.models.lstm import LSTM
from lstmlm.models.noise import Noise, locked_dropout
from lstmlm.recipe.sections.model import ModelSection

_KERAS_LIMIT = 0.05
"""Keras draws embeddings uniformly within this."""


class Article(Labelling):
    """See the module.

    Args:
        kind: `one` label a text, or a label a word (`tokens`).
        sizes: The recipe's `model` section: `embedding`, `units`, `dropout`.
        vocabulary: Number of tokens.
        labels: Number of labels.
        seed: Decides the initial weights.
        precision: Type of the matrix products.
    """

    def __init__(
        self, kind: Kind, sizes: ModelSection, vocabulary: int, labels: int, seed: int, precision: tf.DType
    ) -> None:
        super().__init__(kind, labels, name="article")
        generator = tf.random.Generator.from_seed(seed)
        table = generator.uniform([vocabulary, sizes.embedding], -_KERAS_LIMIT, _KERAS_LIMIT)
        self.rate = sizes.dropout
        self.table = tf.Variable(table, name="embedding/table")
        self.lstm = LSTM(sizes.embedding, sizes.units, generator, precision=precision, name="layer_0")
        self.dense = Dense(sizes.units, sizes.units, generator, precision=precision, name="dense")
        self.output = Dense(sizes.units, labels, generator, precision=precision, name="output")

    def token_logits(self, tokens: tf.Tensor, noise: Noise | None = None) -> tf.Tensor:
        """Returns the logits of each token's labels, float32 [batch, time, labels], for int32 [batch, time]."""
        batch, time = tf.unstack(tf.shape(tokens))
        embedded = locked_dropout(tf.gather(self.table, tf.transpose(tokens)), self.rate, noise, 0)
        values, _ = self.lstm(embedded, self.lstm.zero_state(batch))
        values = locked_dropout(values, self.rate, noise, 1)
        flat = self.output(self.dense(tf.reshape(tf.transpose(values, [1, 0, 2]), [-1, self.lstm.units])))
        return tf.reshape(flat, tf.stack([batch, time, self.labels]))

    def every_logits(self, batch: Mapping[str, tf.Tensor], noise: Noise | None) -> list[tf.Tensor]:
        """See `Labelling.every_logits`."""
        logits = self.token_logits(batch["tokens"], noise)
        if self.kind == "tokens":
            return [tf.gather(logits, batch["first"], batch_dims=1)]
        last = tf.maximum(tf.math.count_nonzero(batch["tokens"], axis=1, dtype=tf.int32), 1) - 1
        return [tf.gather(logits, last, batch_dims=1)]

    def loss(
        self, batch: Mapping[str, tf.Tensor], *, noise: Noise | None, smoothing: float
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See `Trainable.loss`: in training, the mean over the tokens of a text; else that of its prediction."""
        if self.kind == "tokens" or noise is None:
            return super().loss(batch, noise=noise, smoothing=smoothing)
        tokens = batch["tokens"]
        inside = tf.cast(tokens > 0, tf.float32)
        goal = tf.tile(self.goal(batch, smoothing)[:, None], [1, tf.shape(tokens)[1], 1])
        nats = self.nats(goal, self.token_logits(tokens, noise)) * inside
        means = tf.reduce_sum(nats, axis=1) / tf.maximum(tf.reduce_sum(inside, axis=1), 1.0)
        return tf.reduce_sum(means * self.weights(batch)), self.weight(batch)

    def outputs(self) -> list[tf.Variable]:
        """See `Labelling.outputs`."""
        return [self.output.kernel, self.output.bias]
