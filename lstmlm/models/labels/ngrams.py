"""Weights of hashed n-grams: what a linear model knows of a text, next to what LSTM layers make of it.

A network with both learns rare words and phrases by heart and the rest by their vectors (wide and deep learning, Cheng
et al. 2016); n-grams are hashed as in fastText (Joulin et al. 2017). On request what is learnt is multiplied by how
much more often the n-gram occurs with a label than without it (Wang and Manning 2012): rare n-grams then weigh little,
and one of few labels weighs something from the first step on.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from lstmlm.models.labels.naive_bayes import Counts, log_count_ratios
from lstmlm.models.labels.names import FACTOR, PRIME, RATIOS, SCALE, SPREAD, TABLE
from lstmlm.models.noise import Noise, shared_mask

FIRST = 0.06
"""What a ratio is multiplied with before the first step."""

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
        by_ratio: Multiply them by log-count ratios, which `count` and `settle` find.

    Attributes:
        table: What is learnt, float32 [buckets, labels].
        ratios: float32 [buckets, labels], which do not learn; None where weights are taken as they are.
    """

    def __init__(
        self, longest: int, buckets: int, labels: int, dropout: float = 0.0, *, by_ratio: bool = False
    ) -> None:
        super().__init__(name="ngrams")
        self.longest, self.buckets, self.dropout = longest, buckets, dropout
        self.table = tf.Variable(tf.fill([buckets, labels], FIRST if by_ratio else 0.0), name=TABLE)
        self.ratios = tf.Variable(tf.zeros([buckets, labels]), name=RATIOS) if by_ratio else None

    def __call__(self, tokens: tf.Tensor, noise: Noise | None = None) -> tf.Tensor:
        """Returns float32 [batch, labels] for int32 [batch, time], padded with 0."""
        kept = None
        if noise is not None and self.dropout:
            kept = shared_mask([self.buckets, 1], self.dropout, noise, _SITE)
        found = []
        for places, inside in self._places(tokens):
            rows = tf.gather(self.table, places)
            rows = rows if self.ratios is None else rows * tf.gather(self.ratios, places)
            rows = rows if kept is None else rows * tf.gather(kept, places)
            found.append(tf.reduce_sum(tf.where(inside[..., None], rows, 0.0), axis=1))
        count = tf.math.count_nonzero(tokens, axis=1, dtype=tf.float32)
        return SCALE * tf.add_n(found) / tf.sqrt(tf.maximum(count * self.longest, 1.0))[:, None]

    def _places(self, tokens: tf.Tensor) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
        """Yields for n-grams of each length their rows of the table, int64 [batch, n-grams], and which are there."""
        ids = tf.cast(tokens, tf.int64)
        hashed = tf.zeros_like(ids)
        for length in range(1, self.longest + 1):
            last = ids[:, length - 1 :]
            hashed = (hashed[:, : tf.shape(last)[1]] * FACTOR + last) % PRIME
            yield (hashed + length) * SPREAD % PRIME % self.buckets, last > 0

    def count(self, tokens: tf.Tensor, labels: tf.Tensor, counts: Counts) -> None:
        """Adds to `counts`, [buckets, labels], the n-grams of texts with each label.

        Args:
            tokens: int32 [batch, time], padded with 0.
            labels: 1 for a label of the text, else 0, float32 [batch, labels].
            counts: What to add to.
        """
        for places, inside in self._places(tokens):
            texts, kept = np.nonzero(inside.numpy())[0], places.numpy()[inside.numpy()]
            np.add.at(counts, kept, labels.numpy()[texts])

    def settle(self, counts: Counts) -> None:
        """Takes the ratios of what was counted.

        Args:
            counts: Of all texts of the train split; see `count`.
        """
        assert self.ratios is not None
        self.ratios.assign(log_count_ratios(counts))
