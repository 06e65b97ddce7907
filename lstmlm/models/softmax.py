"""Cross-entropy of a softmax layer, with a backward pass written by hand."""

from __future__ import annotations

import tensorflow as tf

from lstmlm.models.lstm import product


def token_nats(
    hidden: tf.Tensor, weights: tf.Tensor, bias: tf.Tensor, targets: tf.Tensor, precision: tf.DType
) -> tf.Tensor:
    """Returns -log softmax(hidden weights^T + bias) at each row's target.

    Of the [rows, classes] numbers only e = exp(logit - largest logit) is kept for the backward pass, in `precision`.
    The gradient of a logit is e / sum(e), less 1 at the target. Neither the division nor the subtraction is done on
    [rows, classes]: the one scales rows of the narrow side of the products, the other is a product with few terms.

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
        logits = product(hidden, weights, precision, transpose=True, bias=bias)
        chosen = tf.gather(logits, targets, batch_dims=1)
        largest = tf.reduce_max(logits, axis=1)
        raised = tf.exp(logits - largest[:, None])
        total = tf.reduce_sum(raised, axis=1)
        raised = tf.cast(raised, precision)

        def backward(factors: tf.Tensor) -> tuple[tf.Tensor, ...]:
            shares = (factors / total)[:, None]
            d_hidden = shares * tf.cast(tf.matmul(raised, tf.cast(weights, precision)), tf.float32)
            d_hidden -= factors[:, None] * tf.gather(weights, targets)
            d_weights = tf.matmul(raised, tf.cast(hidden * shares, precision), transpose_a=True)
            d_weights = _less(tf.cast(d_weights, tf.float32), targets, hidden * factors[:, None])
            d_bias = tf.matmul(raised, tf.cast(shares, precision), transpose_a=True)[:, 0]
            return d_hidden, d_weights, _less(tf.cast(d_bias, tf.float32), targets, factors)

        return tf.math.log(total) + largest - chosen, backward

    return run(hidden, tf.convert_to_tensor(weights), tf.convert_to_tensor(bias))


def _less(values: tf.Tensor, rows: tf.Tensor, amounts: tf.Tensor) -> tf.Tensor:
    """Takes amounts off rows of `values`."""
    return tf.tensor_scatter_nd_sub(values, rows[:, None], amounts)
