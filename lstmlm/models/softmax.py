"""Cross-entropy of a softmax layer, with a backward pass written by hand."""

from __future__ import annotations

import tensorflow as tf

from lstmlm.models.lstm import product


def token_nats(
    hidden: tf.Tensor, weights: tf.Tensor, bias: tf.Tensor, targets: tf.Tensor, precision: tf.DType
) -> tf.Tensor:
    """Returns -log softmax(hidden weights^T + bias) at each row's target.

    Of the [rows, classes] numbers only the gradient of the logits is kept for the backward pass, in `precision`:
    neither logits nor probabilities, and the factor of each row goes to the narrow side of the products.

    Args:
        hidden: float32 [rows, width].
        weights: float32 [classes, width].
        bias: float32 [classes].
        targets: int32 [rows], below `classes`.
        precision: Type of the matrix products.

    Returns:
        Nats, float32 [rows].
    """

    @tf.custom_gradient
    def run(hidden: tf.Tensor, weights: tf.Tensor, bias: tf.Tensor):  # type: ignore[no-untyped-def]
        logits = product(hidden, weights, precision, transpose=True) + bias
        nats, d_logits = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(features=logits, labels=targets)
        d_logits = tf.cast(d_logits, precision)

        def backward(factors: tf.Tensor) -> tuple[tf.Tensor, ...]:
            d_hidden = factors[:, None] * tf.cast(tf.matmul(d_logits, tf.cast(weights, precision)), tf.float32)
            scaled = tf.cast(hidden * factors[:, None], precision)
            d_weights = tf.cast(tf.matmul(d_logits, scaled, transpose_a=True), tf.float32)
            d_bias = tf.matmul(d_logits, tf.cast(factors, precision)[:, None], transpose_a=True)
            return d_hidden, d_weights, tf.cast(d_bias[:, 0], tf.float32)

        return nats, backward

    return run(hidden, tf.convert_to_tensor(weights), tf.convert_to_tensor(bias))
