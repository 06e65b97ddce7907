"""Cross-entropy of a softmax layer, with a backward pass written by hand."""

from __future__ import annotations

import tensorflow as tf

SMALLEST_SHARE = 1e-30
"""A probability below this is near the smallest number of its type, and has few digits or none."""


def token_nats(
    hidden: tf.Tensor, weights: tf.Tensor, bias: tf.Tensor, targets: tf.Tensor, precision: tf.DType
) -> tf.Tensor:
    """Returns -log softmax(hidden weights^T + bias) at each row's target.

    Of the [rows, classes] numbers only the probabilities are kept for the backward pass, in `precision`. The gradient
    of a logit is its probability, less 1 at the target. The subtraction is not done on [rows, classes]: it is a
    product with few terms.

    Args:
        hidden: float32 [rows, width].
        weights: float32 [classes, width].
        bias: float32 [classes].
        targets: int32 [rows], below `classes`.
        precision: Type of the matrix products and of the probabilities: in bfloat16 a row's nats are off by up to
            0.004, up or down alike, beside the rounding of its logits, which is several times that.

    Returns:
        Nats, float32 [rows].
    """

    @tf.custom_gradient
    def run(hidden: tf.Tensor, weights: tf.Tensor, bias: tf.Tensor):  # type: ignore[no-untyped-def]
        narrow = tf.cast(weights, precision)
        logits = tf.matmul(tf.cast(hidden, precision), narrow, transpose_b=True)
        logits = tf.nn.bias_add(logits, tf.cast(bias, precision))
        shares = tf.nn.softmax(logits)  # one pass: far faster than its parts
        chosen = tf.cast(tf.gather(shares, targets, batch_dims=1), tf.float32)
        vanishing = tf.reduce_any(chosen < SMALLEST_SHARE)
        nats = tf.cond(vanishing, lambda: _nats_of_logits(logits, targets), lambda: -tf.math.log(chosen))

        def backward(factors: tf.Tensor) -> tuple[tf.Tensor, ...]:
            scale = factors[:, None]
            d_hidden = scale * tf.cast(tf.matmul(shares, narrow), tf.float32)
            d_hidden -= scale * tf.gather(weights, targets)
            scaled = hidden * scale
            d_weights = tf.matmul(shares, tf.cast(scaled, precision), transpose_a=True)
            d_weights = _less(tf.cast(d_weights, tf.float32), targets, scaled)
            d_bias = tf.matmul(shares, tf.cast(scale, precision), transpose_a=True)[:, 0]
            return d_hidden, d_weights, _less(tf.cast(d_bias, tf.float32), targets, factors)

        return nats, backward

    return run(hidden, tf.convert_to_tensor(weights), tf.convert_to_tensor(bias))


def _nats_of_logits(logits: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    """Returns the nats where a probability may be too small for a number of its own."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(targets, tf.cast(logits, tf.float32))


def _less(values: tf.Tensor, rows: tf.Tensor, amounts: tf.Tensor) -> tf.Tensor:
    """Takes amounts off rows of `values`."""
    return tf.tensor_scatter_nd_sub(values, rows[:, None], amounts)
