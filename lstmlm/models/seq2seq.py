"""The pair model: bidirectional LSTM encoder, LSTM decoder, attention over the encoder (Luong et al. 2015)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

from lstmlm.models.attention import Memory, attention_layer, repeated_attention
from lstmlm.models.base import Autoregressive
from lstmlm.models.dense import Dense
from lstmlm.models.encoder import Encoder
from lstmlm.models.graph_search import Options, decode
from lstmlm.models.lstm import State
from lstmlm.models.noise import Noise, locked_dropout
from lstmlm.models.output.layers import TiedSoftmax, output_layer
from lstmlm.models.pointer import Pointer
from lstmlm.models.stack import Stack
from lstmlm.recipe.sections.model import ModelSection
from lstmlm.tokenizer.special import BEGIN

VECTOR_SITE = 50


class DecoderState(NamedTuple):
    """The state of the decoder.

    Attributes:
        states: State of every layer.
        vector: The last attentional vector, float32 [batch, embedding]; only fed back with `input_feeding`.
        coverage: The attention so far, summed, float32 [batch, source]; only read with `coverage`.
    """

    states: list[State]
    vector: tf.Tensor
    coverage: tf.Tensor


class Seq2Seq(Autoregressive):
    """Maps a source text to a target text; one vocabulary and one embedding for both.

    Args:
        sizes: The recipe's `model` section.
        vocabulary: Number of tokens.
        seed: Decides the initial weights.
        precision: Type of the matrix products.
        coverage_loss: Weight of attention to what was attended to before, in the loss that is trained on.
    """

    closes_source = True

    def __init__(
        self, sizes: ModelSection, vocabulary: int, seed: int, precision: tf.DType, coverage_loss: float = 0.0
    ) -> None:
        super().__init__(name="seq2seq")
        self.sizes, self.coverage_loss = sizes, coverage_loss
        self.copies, self.covers = sizes.pointer, sizes.coverage
        generator = tf.random.Generator.from_seed(seed)
        width, units, encoded = sizes.embedding, sizes.units, 2 * sizes.encoder_units
        self.softmax = output_layer(sizes, vocabulary, generator, precision=precision)
        self.encoder = Encoder(width, sizes, generator, precision=precision)
        self.bridge = Dense(encoded, 2 * sizes.layers * units, generator, precision=precision, name="bridge")
        read = 2 * width if sizes.input_feeding else width
        self.stack = Stack(read, sizes, generator, precision=precision, name="decoder")
        self.attention = attention_layer(sizes, width, generator, precision=precision)
        self.pointer = Pointer(width, generator) if sizes.pointer else None

    def encode(
        self, ids: tf.Tensor, lengths: tf.Tensor, noise: Noise | None, softmax: TiedSoftmax | None = None
    ) -> tuple[Memory, list[State]]:
        """Reads the source.

        Args:
            ids: int32 [batch, source].
            lengths: int32 [batch].
            noise: Dropout noise, or None.
            softmax: Takes the place of `self.softmax`, as in a loss.

        Returns:
            What the decoder attends to, and the first state of every decoder layer.
        """
        embedded = self._embed(tf.transpose(ids), noise, 0, softmax or self.softmax)
        outputs, ends = self.encoder(embedded, lengths, noise)
        parts = tf.split(tf.tanh(self.bridge(ends)), 2 * len(self.stack.layers), axis=1)
        states = [State(h, c) for h, c in zip(parts[::2], parts[1::2], strict=True)]
        return self.attention.memory(tf.transpose(outputs, [1, 0, 2]), lengths), states

    def _embed(self, ids: tf.Tensor, noise: Noise | None, site: int, softmax: TiedSoftmax) -> tf.Tensor:
        sizes = self.sizes
        rate = sizes.dropout if sizes.input_dropout is None else sizes.input_dropout
        return locked_dropout(softmax.embed_some(ids, sizes.embedding_dropout, noise), rate, noise, site)

    def targets(self, batch: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See `Autoregressive.targets`."""
        return batch["target"]

    def loss(
        self, batch: Mapping[str, tf.Tensor], *, noise: Noise | None, smoothing: float
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See `Autoregressive.loss`; `source` and `target` are int32 [batch, time], each row closed by *end*."""
        source, target = batch["source"], batch["target"]
        softmax = self.softmax.for_loss()
        memory, states = self.encode(source, _lengths(source), noise, softmax)
        previous = tf.concat([tf.fill([tf.shape(target)[0], 1], BEGIN), target[:, :-1]], axis=1)
        embedded = self._embed(tf.transpose(previous), noise, 1, softmax)
        follow = self._follow_feeding if self.sizes.input_feeding else self._follow
        vectors, weights = follow(embedded, memory, states, noise)
        flat, targets = tf.reshape(vectors, [-1, vectors.shape[2]]), tf.reshape(target, [-1])
        if self.pointer is None:
            nats, count = softmax.loss(flat, targets, smoothing)
        else:
            nats, count = self._pointing_loss(flat, weights, source, targets, softmax)
        if self.coverage_loss and noise is not None:
            repeated = tf.where(target > 0, repeated_attention(weights), 0.0)
            nats += self.coverage_loss * tf.reduce_sum(repeated)
        return nats, count

    def _follow(
        self, embedded: tf.Tensor, memory: Memory, states: list[State], noise: Noise | None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the attentional vectors and weights at every target: [batch, time, embedding], [..., source]."""
        values, _ = self.stack(embedded, states, noise, 2)
        values = tf.transpose(values, [1, 0, 2])
        weights = self.attention.weights_in_order(values, memory)
        return self._dropped(self.attention.vectors(values, weights, memory), noise), weights

    def _follow_feeding(
        self, embedded: tf.Tensor, memory: Memory, states: list[State], noise: Noise | None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The same, where each step reads the vector before it: they cannot be computed together."""
        time, batch = tf.shape(embedded)[0], tf.shape(embedded)[1]
        width, source = self.sizes.embedding, memory.values.shape[1]
        vectors = tf.TensorArray(tf.float32, size=time, element_shape=[None, width])
        attended = tf.TensorArray(tf.float32, size=time, element_shape=[None, source])

        def body(
            t: tf.Tensor, at: DecoderState, vectors: tf.TensorArray, attended: tf.TensorArray
        ) -> tuple[object, ...]:
            joined = tf.concat([embedded[t], at.vector], axis=1)
            values, states = self.stack(joined[None], at.states, noise, 2)
            values = tf.transpose(values, [1, 0, 2])
            weights = self.attention.weights(values, memory._replace(coverage=at.coverage))
            vector = self._dropped(self.attention.vectors(values, weights, memory), noise)[:, 0]
            after = DecoderState(states, vector, at.coverage + weights[:, 0])
            return t + 1, after, vectors.write(t, vector), attended.write(t, weights[:, 0])

        begin = DecoderState(states, tf.zeros([batch, width]), tf.zeros_like(memory.bias[:, 0]))
        start = (tf.constant(0), begin, vectors, attended)
        *_, vectors, attended = tf.while_loop(lambda t, *_: t < time, body, start, maximum_iterations=time)
        return tf.transpose(vectors.stack(), [1, 0, 2]), tf.transpose(attended.stack(), [1, 0, 2])

    def _dropped(self, vectors: tf.Tensor, noise: Noise | None) -> tf.Tensor:
        if noise is None:
            return vectors
        turned = locked_dropout(tf.transpose(vectors, [1, 0, 2]), self.sizes.dropout, noise, VECTOR_SITE)
        return tf.transpose(turned, [1, 0, 2])

    def _pointing_loss(
        self, vectors: tf.Tensor, weights: tf.Tensor, source: tf.Tensor, targets: tf.Tensor, softmax: TiedSoftmax
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the loss of the mixture of predicting and copying."""
        assert self.pointer is not None
        kept = tf.where(targets > 0)[:, 0]
        rows = kept // (tf.size(targets, tf.int64) // tf.shape(source, tf.int64)[0])
        vectors, targets = tf.gather(vectors, kept), tf.gather(targets, kept)
        weights = tf.gather(tf.reshape(weights, [-1, tf.shape(weights)[2]]), kept)
        nats = softmax.nats(vectors, targets)
        mixed = self.pointer.target_nats(vectors, nats, weights, tf.gather(source, rows), targets)
        return tf.reduce_sum(mixed), tf.cast(tf.size(targets), tf.float32)

    def begin(self, states: list[State], memory: Memory) -> DecoderState:
        """Returns the state of the decoder before the first token."""
        vector = tf.zeros([tf.shape(states[0].h)[0], self.sizes.embedding])
        return DecoderState(states, vector, tf.zeros_like(memory.bias[:, 0]))

    def follow(
        self, token: tf.Tensor, at: DecoderState, memory: Memory, source: tf.Tensor
    ) -> tuple[tf.Tensor, DecoderState]:
        """Reads one token of each row.

        Args:
            token: int32 [batch].
            at: The state of the decoder.
            memory: What it attends to.
            source: Source tokens, int32 [batch, source].

        Returns:
            Logits of the next token, float32 [batch, vocabulary], and the next state.
        """
        read = self.softmax.embed(token)
        if self.sizes.input_feeding:
            read = tf.concat([read, at.vector], axis=1)
        values, states = self.stack.step(read, at.states)
        weights = self.attention.weights(values[:, None, :], memory._replace(coverage=at.coverage))
        vector = self.attention.vectors(values[:, None, :], weights, memory)[:, 0]
        logits = self.softmax.logits(vector)
        if self.pointer is not None:
            logits = self.pointer.logits(vector, logits, weights[:, 0], source)
        return logits, DecoderState(states, vector, at.coverage + weights[:, 0])

    def decode(self, ids: tf.Tensor, lengths: tf.Tensor, seeds: tf.Tensor, options: Options) -> tf.Tensor:
        """See `Autoregressive.decode`: `ids` are source texts closed by *end*."""
        memory, states = self.encode(ids, lengths, None)
        batch = tf.shape(ids)[0]

        def step(at: DecoderState, token: tf.Tensor) -> tuple[tf.Tensor, DecoderState]:
            return self.follow(token, at, memory, ids)

        begin = tf.fill([batch, 1], BEGIN)
        return decode(step, self.begin(states, memory), begin, tf.ones([batch], tf.int32), seeds, options)

    def start(self, ids: tf.Tensor, lengths: tf.Tensor) -> tuple[list[State], Memory | None]:
        """See `Autoregressive.start`."""
        memory, states = self.encode(ids, lengths, None)
        source = ids if self.copies else None
        coverage = tf.zeros_like(memory.bias[:, 0]) if self.covers else None
        return states, memory._replace(source=source, coverage=coverage)

    def advance(
        self, tokens: tf.Tensor, states: list[State], memory: Memory | None
    ) -> tuple[tf.Tensor, list[State], tf.Tensor | None]:
        """See `Autoregressive.advance`."""
        assert memory is not None
        values, after = self.stack.step(self.softmax.embed(tokens), states)
        # A record's hypotheses attend to one memory, as steps in time do in training.
        grouped = tf.reshape(values, [tf.shape(memory.keys)[0], -1, self.stack.units])
        weights = self.attention.weights(grouped, memory)
        vectors = tf.reshape(self.attention.vectors(grouped, weights, memory), [-1, self.sizes.embedding])
        logits = self.softmax.logits(vectors)
        attention = tf.reshape(weights, [-1, tf.shape(weights)[2]])
        if self.pointer is not None:
            source = tf.repeat(memory.source, tf.shape(grouped)[1], axis=0)
            logits = self.pointer.logits(vectors, logits, attention, source)
        return logits, after, attention


def _lengths(ids: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.cast(ids > 0, tf.int32), axis=1)
