"""Cross-entropy of a softmax layer, with a backward pass written by hand."""

from __future__ import annotations

import tensorflow as tf

SMALLEST_SHARE = 1e-30
"""A probability below this is near the smallest number of its type, and has few digits or none."""


def token_nats(
    hidden: tf.Tensor,
    weights: tf.Tensor,
    bias: tf.Tensor,
    targets: tf.Tensor,
    precision: tf.DType,
    smoothing: float = 0.0,
) -> tf.Tensor:
    """Returns -log softmax(hidden weights^T + bias) at each row's target, and its mean over the classes mixed in.

    Of the [rows, classes] numbers only the probabilities p are kept for the backward pass, in `precision`. With
    smoothing e the nats are (1 - e) * -log p(y) + e * mean over v of -log p(v), which equals
    -log p(y) + e * (z_y - mean z): no further pass over the logits z is needed. The gradient of a logit is its
    probability, less e / classes, and less 1 - e at the target. The subtractions are not done on [rows, classes]: they
    are products with few terms.

    Args:
        hidden: float32 [rows, width].
        weights: float32 [classes, width].
        bias: float32 [classes].
        targets: int32 [rows], below `classes`.
        precision: Type of the matrix products and of the probabilities: in bfloat16 a row's nats are off by up to
            0.004, up or down alike, compared with the rounding of its logits, which is several times that.
        smoothing: e above (Szegedy et al. 2016).

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
        own = tf.gather(weights, targets)
        if smoothing:
            mean = tf.reduce_mean(weights, axis=0)
            z_own = tf.reduce_sum(hidden * own, axis=1) + tf.gather(bias, targets)
            nats += smoothing * (z_own - tf.linalg.matvec(hidden, mean) - tf.reduce_mean(bias))

        def backward(factors: tf.Tensor) -> tuple[tf.Tensor, ...]:
            scale = factors[:, None]
            scaled = hidden * scale
            d_hidden = scale * (tf.cast(tf.matmul(shares, narrow), tf.float32) - (1.0 - smoothing) * own)
            d_weights = _less(_by_class(shares, scaled), targets, (1.0 - smoothing) * scaled)
            d_bias = _less(_by_class(shares, scale)[:, 0], targets, (1.0 - smoothing) * factors)
            if smoothing:
                share = smoothing / tf.cast(tf.size(bias), tf.float32)
                d_hidden -= smoothing * scale * mean
                d_weights -= share * tf.reduce_sum(scaled, axis=0)
                d_bias -= share * tf.reduce_sum(factors)
            return d_hidden, d_weights, d_bias

        return nats, backward

    return run(hidden, tf.convert_to_tensor(weights), tf.convert_to_tensor(bias))


def _by_class(shares: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Sums float32 [rows, width] over the rows by each class's share of them: float32 [classes, width]."""
    return tf.cast(tf.matmul(shares, tf.cast(values, shares.dtype), transpose_a=True), tf.float32)


def _nats_of_logits(logits: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    """Returns the nats where a probability may be too small for a number of its own."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(targets, tf.cast(logits, tf.float32))


def _less(values: tf.Tensor, rows: tf.Tensor, amounts: tf.Tensor) -> tf.Tensor:
    """Takes amounts off rows of `values`."""
    return tf.tensor_scatter_nd_sub(values, rows[:, None], amounts)
