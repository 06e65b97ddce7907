"""The acoustic model: a bidirectional LSTM over log-mel frames with a CTC output (Graves et al. 2006; EESEN 2015)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import tensorflow as tf

from lstmlm.models.base import OnePass
from lstmlm.models.dense import Dense
from lstmlm.models.encoder import Encoder
from lstmlm.models.noise import Noise, locked_dropout
from lstmlm.models.speech.frames import normalised, stacked
from lstmlm.recipe.sections.model import ModelSection
from lstmlm.tokenizer.special import PAD

BLANK = PAD
"""The id of CTC's blank: no text holds padding."""


@dataclasses.dataclass(frozen=True, slots=True)
class Frames:
    """What a network of speech reads.

    Attributes:
        mels: Bands of a frame.
        stack: Frames that a step of the network reads.
        stride: Frames from one step to the next.
        per_band: See `lstmlm.models.speech.frames.normalised`.
    """

    mels: int
    stack: int
    stride: int
    per_band: bool = False


class Acoustic(OnePass):
    """Log-probabilities of tokens and of the blank for every step of a recording.

    Args:
        sizes: The recipe's `model` section: `encoder_units`, `encoder_layers`, `residual` and the dropout are used.
        frames: What it reads.
        vocabulary: Tokens; token 0 is the blank.
        seed: Decides the initial weights.
        precision: Type of the matrix products.
    """

    def __init__(self, sizes: ModelSection, frames: Frames, vocabulary: int, seed: int, precision: tf.DType) -> None:
        super().__init__(name="acoustic")
        generator = tf.random.Generator.from_seed(seed)
        self.sizes, self.frames = sizes, frames
        self.encoder = Encoder(frames.stack * frames.mels, sizes, generator, precision=precision)
        self.output = Dense(2 * sizes.encoder_units, vocabulary, generator, precision=precision, name="output")

    def logits(self, batch: Mapping[str, tf.Tensor], noise: Noise | None) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns logits, float32 [steps, rows, vocabulary], and the steps of each row, int32 [rows]."""
        lengths = tf.cast(batch["frames_length"], tf.int32)
        values = normalised(batch["frames"], lengths, self.frames.per_band)
        values, steps = stacked(values, lengths, self.frames.stack, self.frames.stride)
        values = tf.transpose(values, [1, 0, 2])
        rate = self.sizes.dropout if self.sizes.input_dropout is None else self.sizes.input_dropout
        encoded, _ = self.encoder(locked_dropout(values, rate, noise, 0), steps, noise)
        shape = tf.shape(encoded)
        flat = self.output(tf.reshape(encoded, [-1, 2 * self.sizes.encoder_units]))
        return tf.reshape(flat, [shape[0], shape[1], self.output.bias.shape[0]]), steps

    def loss(
        self, batch: Mapping[str, tf.Tensor], *, noise: Noise | None, smoothing: float
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See `Trainable.loss`: minus the log-probability of the transcript, over all its alignments, in nats."""
        logits, steps = self.logits(batch, noise)
        own, tokens = tf.cast(batch["is_example"], tf.int32), tf.cast(batch["tokens"], tf.int32)
        # A row of padding has neither steps nor tokens, which the operation refuses: it gets one of each.
        tokens = tf.concat([tf.maximum(tokens[:, :1], 1 - own[:, None]), tokens[:, 1:]], axis=1)
        nats = tf.nn.ctc_loss(
            tf.sparse.from_dense(tokens),
            logits,
            None,
            tf.maximum(steps, 1),
            logits_time_major=True,
            blank_index=BLANK,
        )
        return tf.reduce_sum(nats * tf.cast(own, tf.float32)), self.weight(batch)

    def weight(self, batch: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """See `Trainable.weight`: the number of tokens."""
        return tf.math.count_nonzero(batch["tokens"], dtype=tf.float32)

    def predict(self, batch: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """See `OnePass.predict`: `log_probabilities`, float32 [rows, steps, vocabulary], and `steps`, int32 [rows]."""
        logits, steps = self.logits(batch, None)
        return {"log_probabilities": tf.transpose(tf.nn.log_softmax(logits), [1, 0, 2]), "steps": steps}
