"""How the tokens of a passage match those of a question: features that are no embedding.

The exact-match features of Chen et al. 2017 (in three forms: the token, the token without case, its first letters), and
soft versions of the sliding window of Richardson et al. 2013: how much of the question is found around a token, where a
question's token counts as much as the model has learnt that it says.
"""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from lstmlm.models.reader.names import LEAST_SHARE, REACHES, SHAPES
from lstmlm.models.reader.shapes import Shape


class Matches(tf.Module):
    """Computes the features of the passage's tokens.

    Args:
        width: Size of an embedded token.
        vocabulary: Number of tokens; their numbers rise as tokens become rarer.
    """

    def __init__(self, width: int, vocabulary: int) -> None:
        super().__init__(name="matches")
        self._log_vocabulary = tf.math.log(float(max(2, vocabulary)))
        # At the beginning a token counts by its rarity only: half of the vocabulary counts 3, the first hundred 0.
        self.weight = tf.Variable(tf.zeros([width, 1]), name="matches/weight")
        self.rarity = tf.Variable([12.0, -9.0], name="matches/rarity")

    def importance(self, ids: tf.Tensor, embedded: tf.Tensor) -> tf.Tensor:
        """Returns how much each token of a question says, float32 [batch, question]; 0 for padding.

        Args:
            ids: int32 [batch, question].
            embedded: float32 [batch, question, width].
        """
        learnt = tf.squeeze(tf.matmul(embedded, self.weight), 2)
        weights = tf.nn.softplus(self.rarity[0] * self.rare(ids) + self.rarity[1] + learnt)
        return weights * tf.cast(ids > 0, tf.float32)

    def rare(self, ids: tf.Tensor) -> tf.Tensor:
        """Returns how rare tokens are, from 0 to 1: the logarithm of their rank."""
        return tf.math.log(tf.cast(tf.maximum(ids, 1), tf.float32)) / self._log_vocabulary

    def __call__(self, batch: Mapping[str, tf.Tensor], importance: tf.Tensor) -> tf.Tensor:
        """Computes the features.

        Args:
            batch: `passage`, `question`, each with `_form` and `_stem`, and `passage_shape`, all int32 [batch, time].
            importance: What `importance` gives.

        Returns:
            float32 [batch, passage, `WIDTH`]; 0 for padding.
        """
        exact, form, stem = (_same(batch, name) for name in ("", "_form", "_stem"))
        share = importance / tf.maximum(tf.reduce_sum(importance, axis=1, keepdims=True), LEAST_SHARE)
        heaviest = share / tf.maximum(tf.reduce_max(share, axis=1, keepdims=True), LEAST_SHARE)
        single = [tf.reduce_max(match, axis=2) for match in (exact, form, stem, form * heaviest[:, None, :])]
        pairs = form[:, 1:, 1:] * form[:, :-1, :-1]
        triples = pairs[:, 1:, 1:] * pairs[:, :-1, :-1]
        runs = [_spread(tf.reduce_max(match, axis=2), length) for length, match in ((2, pairs), (3, triples))]
        near = [_found(_window(form, reach), share) for reach in REACHES]
        sentence = _found(_in_sentence(form, batch["passage_shape"]), share)
        best = sentence - tf.reduce_max(sentence, axis=1, keepdims=True)
        bits = tf.bitwise.right_shift(batch["passage_shape"][..., None], tf.range(SHAPES))
        shapes = tf.cast(tf.bitwise.bitwise_and(bits, 1), tf.float32)
        features = [*single, *runs, *near, sentence, best, self.rare(batch["passage"])]
        stacked = tf.concat([tf.stack(features, axis=2), shapes], axis=2)
        return stacked * tf.cast(batch["passage"] > 0, tf.float32)[..., None]


def _same(batch: Mapping[str, tf.Tensor], name: str) -> tf.Tensor:
    """Returns which tokens are equal, float32 [batch, passage, question]; padding equals nothing."""
    passage, question = batch[f"passage{name}"], batch[f"question{name}"]
    same = (passage[:, :, None] == question[:, None, :]) & (question > 0)[:, None, :]
    return tf.cast(same, tf.float32)


def _spread(starts: tf.Tensor, length: int) -> tf.Tensor:
    """Marks all tokens of runs by their starts: float32 [batch, passage - length + 1] -> [batch, passage]."""
    padded = tf.pad(starts, [[0, 0], [length - 1, length - 1]])
    size = tf.shape(starts)[1] + length - 1
    return tf.reduce_max(tf.stack([padded[:, n : n + size] for n in range(length)]), axis=0)


def _window(match: tf.Tensor, reach: int) -> tf.Tensor:
    """Returns which tokens of the question are within reach: [batch, passage, question]."""
    return tf.nn.max_pool1d(match, 2 * reach + 1, 1, "SAME")


def _in_sentence(match: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
    """Returns which tokens of the question are in a token's own sentence: [batch, passage, question]."""
    ends = tf.cast(tf.bitwise.bitwise_and(shape, Shape.SENTENCE_END) > 0, tf.int32)
    number = tf.cumsum(ends, axis=1, exclusive=True)
    together = tf.cast(number[:, :, None] == number[:, None, :], tf.float32)
    return tf.minimum(tf.matmul(together, match), 1.0)


def _found(match: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    """Returns the share of the question that is found, float32 [batch, passage]."""
    return tf.reduce_sum(match * share[:, None, :], axis=2)
