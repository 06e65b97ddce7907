"""The pair model: bidirectional LSTM encoder, LSTM decoder, attention over the encoder (Luong et al. 2015)."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from lstmlm.decoding.search import Options, decode
from lstmlm.models.attention import Attention, Memory
from lstmlm.models.base import SequenceModel, TiedSoftmax
from lstmlm.models.dense import Dense
from lstmlm.models.encoder import Encoder
from lstmlm.models.lstm import State
from lstmlm.models.noise import Noise, locked_dropout
from lstmlm.models.stack import Stack
from lstmlm.recipe import Model
from lstmlm.tokenizer import Tokenizer


class Seq2Seq(SequenceModel):
    """Maps a source text to a target text; one vocabulary and one embedding for both.

    Args:
        sizes: The recipe's `model` section.
        vocabulary: Number of tokens.
        seed: Decides the initial weights.
        precision: Type of the matrix products.
    """

    closes_source = True

    def __init__(self, sizes: Model, vocabulary: int, seed: int, precision: tf.DType) -> None:
        super().__init__(name="seq2seq")
        self.dropout = sizes.dropout
        generator = tf.random.Generator.from_seed(seed)
        width, units, encoded = sizes.embedding, sizes.units, 2 * sizes.encoder_units
        self.softmax = TiedSoftmax(vocabulary, width, generator, precision=precision)
        self.encoder = Encoder(
            width, sizes.encoder_units, sizes.encoder_layers, sizes.dropout, generator, precision=precision
        )
        self.bridge = Dense(encoded, 2 * sizes.layers * units, generator, precision=precision, name="bridge")
        self.stack = Stack(width, units, sizes.layers, sizes.dropout, generator, precision=precision, name="decoder")
        self.attention = Attention(encoded, units, width, generator, precision=precision)

    def encode(self, ids: tf.Tensor, lengths: tf.Tensor, noise: Noise | None) -> tuple[Memory, list[State]]:
        """Reads the source.

        Args:
            ids: int32 [batch, source].
            lengths: int32 [batch].
            noise: Dropout noise, or None.

        Returns:
            What the decoder attends to, and the first state of every decoder layer.
        """
        values = locked_dropout(self.softmax.embed(tf.transpose(ids)), self.dropout, noise, 0)
        outputs, ends = self.encoder(values, lengths, noise)
        parts = tf.split(tf.tanh(self.bridge(ends)), 2 * len(self.stack.layers), axis=1)
        states = [State(h, c) for h, c in zip(parts[::2], parts[1::2], strict=True)]
        return self.attention.memory(tf.transpose(outputs, [1, 0, 2]), lengths), states

    def loss(
        self, batch: Mapping[str, tf.Tensor], *, noise: Noise | None, smoothing: float
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See `SequenceModel.loss`; `source` and `target` are int32 [batch, time], each row closed by *end*."""
        source, target = batch["source"], batch["target"]
        memory, states = self.encode(source, _lengths(source), noise)
        rows = tf.shape(target)[0]
        previous = tf.concat([tf.fill([rows, 1], Tokenizer.BEGIN), target[:, :-1]], axis=1)
        values = locked_dropout(self.softmax.embed(tf.transpose(previous)), self.dropout, noise, 1)
        values, _ = self.stack(values, states, noise, 2)
        vectors = self.attention(tf.transpose(values, [1, 0, 2]), memory)
        if noise is not None:
            vectors = tf.transpose(vectors, [1, 0, 2])
            vectors = tf.transpose(locked_dropout(vectors, self.dropout, noise, 50), [1, 0, 2])
        flat = tf.reshape(vectors, [-1, vectors.shape[2]])
        return self.softmax.loss(flat, tf.reshape(target, [-1]), smoothing)

    def decode(self, ids: tf.Tensor, lengths: tf.Tensor, seeds: tf.Tensor, options: Options) -> tf.Tensor:
        """See `SequenceModel.decode`: `ids` are source texts closed by *end*."""
        memory, states = self.encode(ids, lengths, None)
        batch = tf.shape(ids)[0]

        def step(states: list[State], token: tf.Tensor) -> tuple[tf.Tensor, list[State]]:
            logits, after, _ = self.advance(token, states, memory)
            return logits, after

        begin = tf.fill([batch, 1], Tokenizer.BEGIN)
        return decode(step, states, begin, tf.ones([batch], tf.int32), seeds, options)

    def start(self, ids: tf.Tensor, lengths: tf.Tensor) -> tuple[list[State], Memory | None]:
        """See `SequenceModel.start`."""
        memory, states = self.encode(ids, lengths, None)
        return states, memory

    def advance(
        self, tokens: tf.Tensor, states: list[State], memory: Memory | None
    ) -> tuple[tf.Tensor, list[State], tf.Tensor | None]:
        """See `SequenceModel.advance`."""
        assert memory is not None
        values, after = self.stack.step(self.softmax.embed(tokens), states)
        # A record's hypotheses attend to one memory, as steps in time do in training.
        grouped = tf.reshape(values, [tf.shape(memory.keys)[0], -1, self.stack.units])
        vectors, weights = self.attention.attend(grouped, memory)
        logits = self.softmax.logits(tf.reshape(vectors, [-1, vectors.shape[2]]))
        return logits, after, tf.reshape(weights, [-1, tf.shape(weights)[2]])


def _lengths(ids: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.cast(ids > 0, tf.int32), axis=1)
