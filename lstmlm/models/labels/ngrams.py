"""Weights of hashed n-grams: what a linear model knows of a text, next to what LSTM layers make of it.

A network with both learns rare words and phrases by heart and the rest by their vectors (wide and deep learning, Cheng
et al. 2016); n-grams are hashed as in fastText (Joulin et al. 2017).
"""

from __future__ import annotations

import tensorflow as tf

from lstmlm.models.labels.names import FACTOR, PRIME, SCALE, SPREAD
from lstmlm.models.noise import Noise, shared_mask

_SITE = 999
"""Place of dropout: the last of those that `lstmlm.models.labels.classifier` gives to the first member."""


class NGrams(tf.Module):
    """Sums the weights of the n-grams of a text, 1 to `longest` tokens long, over the root of their number.

    The sum is scaled up: a rare n-gram is seen in few steps, and has to learn as fast as a layer does in many.

    Args:
        longest: Tokens of the longest.
        buckets: Rows of the table.
        labels: Labels that each has a weight for.
        dropout: Share of the weights that are 0 for a step, so that none relies on the others of one text.
    """

    def __init__(self, longest: int, buckets: int, labels: int, dropout: float = 0.0) -> None:
        super().__init__(name="ngrams")
        self.longest, self.buckets, self.dropout = longest, buckets, dropout
        self.table = tf.Variable(tf.zeros([buckets, labels]), name="ngrams/table")

    def __call__(self, tokens: tf.Tensor, noise: Noise | None = None) -> tf.Tensor:
        """Returns float32 [batch, labels] for int32 [batch, time], padded with 0."""
        ids = tf.cast(tokens, tf.int64)
        kept = None
        if noise is not None and self.dropout:
            kept = shared_mask([self.buckets, 1], self.dropout, noise, _SITE)
        found, hashed = [], tf.zeros_like(ids)
        for length in range(1, self.longest + 1):
            last = ids[:, length - 1 :]
            hashed = (hashed[:, : tf.shape(last)[1]] * FACTOR + last) % PRIME
            places = (hashed + length) * SPREAD % PRIME % self.buckets
            rows = tf.gather(self.table, places)
            rows = rows if kept is None else rows * tf.gather(kept, places)
            found.append(tf.reduce_sum(tf.where((last > 0)[..., None], rows, 0.0), axis=1))
        count = tf.math.count_nonzero(ids, axis=1, dtype=tf.float32)
        return SCALE * tf.add_n(found) / tf.sqrt(tf.maximum(count * self.longest, 1.0))[:, None]
