"""The neural cache (Grave, Joulin and Usunier 2017): raises the probability of words that occurred recently.

Next to the network's p(w) at position t there is p_cache(w), the share of the recent positions i that were followed by
w, each weighted by exp(sharpness * h_t . h_i), where h is the last layer's output. The mixture

    (1 - share) p(w) + share p_cache(w)

is a distribution too, and uses nothing but the text before t. Nothing is trained for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf

if TYPE_CHECKING:
    from lstmlm.recipe.sections.evaluation import Cache


class NeuralCache:
    """The cache of streams that are read side by side, window by window.

    Args:
        settings: The recipe's section.
        rows: Number of streams.
        units: Size of h.
    """

    def __init__(self, settings: Cache, rows: int, units: int) -> None:
        self._settings = settings
        self._keys = tf.zeros([rows, settings.size, units])
        self._targets = tf.zeros([rows, settings.size], tf.int32)
        self._hits = tf.function(hits, reduce_retracing=True)

    def nats(self, nats: tf.Tensor, outputs: tf.Tensor, targets: tf.Tensor) -> float:
        """Scores the next window, and keeps it for the windows that follow.

        Args:
            nats: -log p of every target by the network without the cache, float32 [rows, time].
            outputs: h that each target was predicted from, float32 [rows, time, units].
            targets: int32 [rows, time]; 0 is padding.

        Returns:
            -log p of the mixture, summed over the targets.
        """
        settings = self._settings
        keys = tf.concat([self._keys, outputs], axis=1)
        followed = tf.concat([self._targets, targets], axis=1)
        p_cache, filled = self._hits(outputs, targets, keys, followed, tf.constant(settings.sharpness))
        share = tf.where(filled, settings.share, 0.0)  # an empty cache says nothing
        mixed = (1.0 - share) * tf.exp(-nats) + share * p_cache
        self._keys, self._targets = keys[:, -settings.size :], followed[:, -settings.size :]
        return float(tf.reduce_sum(tf.where(targets > 0, -tf.math.log(mixed), 0.0)))


def hits(
    queries: tf.Tensor, targets: tf.Tensor, keys: tf.Tensor, followed: tf.Tensor, sharpness: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the cache's probability of each target, and whether its cache holds anything.

    Args:
        queries: float32 [rows, time, units].
        targets: int32 [rows, time].
        keys: Those of the `size` positions before the window, then the queries: float32 [rows, size + time, units].
        followed: What followed each of the keys, int32 [rows, size + time]; 0: nothing, the position is empty.
        sharpness: Factor of the products.

    Returns:
        float32 [rows, time] and bool [rows, time].
    """
    time = tf.shape(queries)[1]
    size = tf.shape(keys)[1] - time
    here, there = tf.range(time)[:, None] + size, tf.range(size + time)[None]
    before = (there < here) & (there >= here - size)
    seen = before[None] & (followed > 0)[:, None]
    scores = tf.where(seen, sharpness * tf.matmul(queries, keys, transpose_b=True), -1e9)
    weights = tf.where(seen, tf.nn.softmax(scores, axis=2), 0.0)
    same = followed[:, None] == targets[..., None]
    return tf.reduce_sum(tf.where(same, weights, 0.0), axis=2), tf.reduce_any(seen, axis=2)
