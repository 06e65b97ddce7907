"""An LSTM layer over time by cuDNN, which computes all steps of a sequence in one call on a GPU.

cuDNN's equations are those of `lstmlm.models.lstm`, but for a second bias, which is 0 here. It wants all weights of a
layer in one vector: the input weights of each gate, the recurrent ones, the biases and the second biases, every matrix
transposed, and the gates in the order i, f, g, o. The vector is put together from the layer's own weights in every
step, so weights of which some are dropped serve as well, and gradients find their way back by themselves.
"""

from __future__ import annotations

import tensorflow as tf

GATES = 4
THEIR_ORDER = (0, 1, 3, 2)
"""Places of cuDNN's gates i, f, g, o among ours, i, f, o, g."""


def over_time(
    inputs: tf.Tensor,
    kernel: tf.Tensor,
    recurrent: tf.Tensor,
    bias: tf.Tensor,
    h: tf.Tensor,
    c: tf.Tensor,
    precision: tf.DType,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Runs a layer over time.

    Args:
        inputs: float32 [time, batch, width].
        kernel: W, float32 [width, 4 * units].
        recurrent: U, float32 [units, 4 * units].
        bias: b, float32 [4 * units].
        h: State before, float32 [batch, units].
        c: Cell state before, float32 [batch, units].
        precision: Type of everything that cuDNN is given and gives.

    Returns:
        h of every step, float32 [time, batch, units], and the last h and C.
    """
    packed = pack(kernel, recurrent, bias)
    outputs, last_h, last_c, _ = tf.raw_ops.CudnnRNN(
        input=tf.cast(inputs, precision),
        input_h=tf.cast(h[None], precision),
        input_c=tf.cast(c[None], precision),
        params=tf.cast(packed, precision),
        rnn_mode="lstm",
    )
    outputs, last_h, last_c = (tf.cast(part, tf.float32) for part in (outputs, last_h[0], last_c[0]))
    return outputs, last_h, last_c


def pack(kernel: tf.Tensor, recurrent: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """Returns the weights of a layer as cuDNN wants them: float32 [4 * units * (width + units + 2)]."""
    matrices = [tf.transpose(gate) for weights in (kernel, recurrent) for gate in _their_gates(weights)]
    biases = _their_gates(bias)
    parts = [*matrices, *biases, *map(tf.zeros_like, biases)]
    return tf.concat([tf.reshape(part, [-1]) for part in parts], axis=0)


def _their_gates(weights: tf.Tensor) -> list[tf.Tensor]:
    ours = tf.split(weights, GATES, axis=-1)
    return [ours[place] for place in THEIR_ORDER]
