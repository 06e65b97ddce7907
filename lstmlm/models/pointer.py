"""Copying source tokens into the output (the pointer-generator of See et al. 2017).

    p(token) = g * p_vocabulary(token) + (1 - g) * attention on the places where the source has that token

Every token is in the vocabulary (bytes are the last resort), so it needs no extension by the source.
"""

from __future__ import annotations

import tensorflow as tf

from lstmlm.models.dense import Dense

_LEAST = 1e-12  # of a copied token that the source does not hold


class Pointer(tf.Module):
    """Decides between predicting and copying, by g = sigmoid(W x + b).

    Args:
        width: Width of an attentional vector.
        generator: Draws the initial weights.
    """

    def __init__(self, width: int, generator: tf.random.Generator) -> None:
        super().__init__(name="pointer")
        self.gate = Dense(width, 1, generator, precision=tf.float32, name="pointer")

    def target_nats(
        self, vectors: tf.Tensor, nats: tf.Tensor, weights: tf.Tensor, source: tf.Tensor, targets: tf.Tensor
    ) -> tf.Tensor:
        """Returns -log p of each row's target.

        Args:
            vectors: Attentional vectors, float32 [rows, width].
            nats: -log p_vocabulary of the targets, float32 [rows].
            weights: Attention, float32 [rows, source].
            source: Source tokens of each row, int32 [rows, source].
            targets: int32 [rows].
        """
        gate = self.gate(vectors)[:, 0]
        copied = tf.reduce_sum(tf.where(source == targets[:, None], weights, 0.0), axis=1)
        predicting = tf.math.log_sigmoid(gate) - nats
        copying = tf.math.log_sigmoid(-gate) + tf.math.log(tf.maximum(copied, _LEAST))
        return -tf.reduce_logsumexp(tf.stack([predicting, copying]), axis=0)

    def logits(self, vectors: tf.Tensor, logits: tf.Tensor, weights: tf.Tensor, source: tf.Tensor) -> tf.Tensor:
        """Returns log p of every token, float32 [rows, vocabulary]; see `target_nats` for the arguments."""
        gate = tf.sigmoid(self.gate(vectors))
        rows = tf.repeat(tf.range(tf.shape(source)[0])[:, None], tf.shape(source)[1], axis=1)
        places = tf.reshape(tf.stack([rows, source], axis=2), [-1, 2])
        copied = tf.scatter_nd(places, tf.reshape(weights, [-1]), tf.shape(logits))
        mixed = gate * tf.nn.softmax(logits) + (1.0 - gate) * copied
        return tf.math.log(tf.maximum(mixed, _LEAST))
