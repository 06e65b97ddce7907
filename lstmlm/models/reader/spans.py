"""Scores of all spans of a passage up to a length, and of having no answer."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from lstmlm.models.reader.names import IMPOSSIBLE


class Spans(NamedTuple):
    """Scores before a softmax.

    Attributes:
        logits: float32 [batch, passage, longest]: the span that begins at a token and has 1, 2, ... tokens.
        none: float32 [batch]: no answer.
    """

    logits: tf.Tensor
    none: tf.Tensor

    def divided(self, by: tf.Tensor) -> Spans:
        """Returns all scores divided by a temperature."""
        return Spans(self.logits / by, self.none / by)

    def all(self) -> tf.Tensor:
        """Returns the scores of the spans, start by start, and of no answer: float32 [batch, spans + 1]."""
        flat = tf.reshape(self.logits, [tf.shape(self.logits)[0], -1])
        return tf.concat([flat, self.none[:, None]], axis=1)


def span_logits(start: tf.Tensor, end: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """Returns the score of each span: that of its start, its end and its length.

    Args:
        start: float32 [batch, passage].
        end: float32 [batch, passage]; `IMPOSSIBLE` for padding.
        length: float32 [longest], the score of 1, 2, ... tokens.

    Returns:
        float32 [batch, passage, longest].
    """
    longest, size = length.shape[0], tf.shape(start)[1]
    padded = tf.pad(end, [[0, 0], [0, longest - 1]], constant_values=IMPOSSIBLE)
    ends = tf.stack([padded[:, n : n + size] for n in range(longest)], axis=2)
    return start[:, :, None] + ends + length


def gold_nats(spans: Spans, starts: tf.Tensor, ends: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """Returns -log of the summed probability of the right spans, float32 [batch]; without any: of no answer.

    Args:
        spans: The scores.
        starts: int32 [batch, answers], first token of each right span.
        ends: int32 [batch, answers], last token.
        count: int32 [batch], how many right spans a row has.
    """
    longest = spans.logits.shape[2]
    scores = spans.all()
    none = tf.shape(scores)[1] - 1
    right = starts * longest + ends - starts
    places = tf.concat([right, tf.fill([tf.shape(right)[0], 1], none)], axis=1)
    valid = tf.sequence_mask(count, tf.shape(starts)[1])
    valid = tf.concat([valid, (count == 0)[:, None]], axis=1)
    gold = tf.gather(scores, tf.where(valid, places, 0), batch_dims=1)
    gold = tf.where(valid, gold, IMPOSSIBLE)
    return tf.reduce_logsumexp(scores, axis=1) - tf.reduce_logsumexp(gold, axis=1)


class Best(NamedTuple):
    """The best span of each row.

    Attributes:
        start: int32 [batch], its first token.
        end: int32 [batch], its last token.
        odds: float32 [batch], the logarithm of how much more probable it is than no answer.
        mass: float32 [batch], the same of all spans together.
    """

    start: tf.Tensor
    end: tf.Tensor
    odds: tf.Tensor
    mass: tf.Tensor


def best_span(spans: Spans) -> Best:
    """Returns the best span of each row."""
    batch, longest = tf.shape(spans.logits)[0], spans.logits.shape[2]
    flat = tf.reshape(spans.logits, [batch, -1]) - spans.none[:, None]
    place = tf.argmax(flat, axis=1, output_type=tf.int32)
    start = place // longest
    odds = tf.gather(flat, place, batch_dims=1)
    return Best(start, start + place % longest, odds, tf.reduce_logsumexp(flat, axis=1))
