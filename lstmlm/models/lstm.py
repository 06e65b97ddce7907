"""The LSTM layer (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).

For every time step t

    f_t = sigmoid(W_f x_t + U_f h_{t-1} + b_f)
    i_t = sigmoid(W_i x_t + U_i h_{t-1} + b_i)
    o_t = sigmoid(W_o x_t + U_o h_{t-1} + b_o)
    g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)
    C_t = f_t * C_{t-1} + i_t * g_t
    h_t = o_t * tanh(C_t)

The four matrices are adjacent in the order i, f, o, g. Two things make it fast on a CPU: the input products of
all steps are one matrix product before the loop, and the backward pass is written by hand, so that the gradient of U
is one product over all steps after the loop instead of one small product a step.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from lstmlm.models.cudnn import over_time


class State(NamedTuple):
    """State of one layer: both float32 [batch, units]."""

    h: tf.Tensor
    c: tf.Tensor


class LSTM(tf.Module):
    """One LSTM layer over time-major sequences.

    Attributes:
        cudnn: Whether cuDNN runs it over time, which needs a GPU; see `lstmlm.models.cudnn`.

    Args:
        width: Size of an input vector.
        units: Size of the state.
        generator: Draws the initial weights (uniform, Glorot; forget bias 1).
        precision: Type the matrix products are computed in; everything else is float32.
    """

    def __init__(self, width: int, units: int, generator: tf.random.Generator, *, precision: tf.DType, name: str):
        super().__init__(name=name)
        self.units, self.precision = units, precision
        self.cudnn = False
        self.kernel = tf.Variable(glorot(generator, width, 4 * units), name=f"{name}/kernel")
        self.recurrent = tf.Variable(glorot(generator, units, 4 * units), name=f"{name}/recurrent")
        bias = tf.concat([tf.zeros(units), tf.ones(units), tf.zeros(2 * units)], axis=0)
        self.bias = tf.Variable(bias, name=f"{name}/bias")

    def zero_state(self, batch: tf.Tensor) -> State:
        """Returns the state before the first step."""
        zeros = tf.zeros([batch, self.units])
        return State(zeros, zeros)

    def __call__(self, inputs: tf.Tensor, state: State, recurrent: tf.Tensor | None = None) -> tuple[tf.Tensor, State]:
        """Runs the layer.

        Args:
            inputs: float32 [time, batch, width].
            state: State before the first step.
            recurrent: Takes the place of the recurrent weights, such as these with some of them dropped.

        Returns:
            The outputs h_1 ... h_time, float32 [time, batch, units], and the state after the last step.
        """
        weights = self.recurrent if recurrent is None else recurrent
        if self.cudnn:
            outputs, h, c = over_time(inputs, self.kernel, weights, self.bias, state.h, state.c, self.precision)
        else:
            shape = tf.shape(inputs)
            flat = tf.reshape(inputs, [-1, self.kernel.shape[0]])
            projected = product(flat, self.kernel, self.precision, bias=self.bias)
            projected = tf.reshape(projected, [shape[0], shape[1], 4 * self.units])
            outputs, h, c = recurrence(projected, weights, state.h, state.c, self.precision)
        outputs.set_shape([inputs.shape[0], inputs.shape[1], self.units])
        return outputs, State(h, c)

    def step(self, inputs: tf.Tensor, state: State) -> State:
        """Runs one time step on float32 [batch, width] inputs: the cell by itself, for decoding."""
        projected = product(inputs, self.kernel, self.precision, bias=self.bias)
        _, h, c = cell(projected + product(state.h, self.recurrent, self.precision), state.c)
        return State(h, c)


def glorot(generator: tf.random.Generator, rows: int, columns: int) -> tf.Tensor:
    """Returns float32 [rows, columns], uniform within +-sqrt(3 / rows): unit variance kept through a product."""
    limit = (3.0 / rows) ** 0.5
    return generator.uniform([rows, columns], -limit, limit)


def product(
    left: tf.Tensor, right: tf.Tensor, precision: tf.DType, transpose: bool = False, bias: tf.Tensor | None = None
) -> tf.Tensor:
    """Returns left @ right (or left @ right.T), plus the bias of each column, as float32, computed in `precision`.

    TensorFlow adds a bias while it multiplies, where it is added in the same type.
    """
    left, right = tf.cast(left, precision), tf.cast(right, precision)
    result = tf.matmul(left, right, transpose_b=transpose)
    if bias is not None:
        result = tf.nn.bias_add(result, tf.cast(bias, precision))
    return tf.cast(result, tf.float32)


def cell(gates: tf.Tensor, c: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Applies the six equations after the matrix products.

    Args:
        gates: W x + U h + b, float32 [batch, 4 * units].
        c: The cell state before, float32 [batch, units].

    Returns:
        The gate values i, f, o, g side by side [batch, 4 * units], and h and C after the step.
    """
    # sigmoid(x) = tanh(x / 2) / 2 + 1 / 2, so one tanh serves all four in place: less is copied, and faster.
    units = c.shape[-1]
    scale = tf.constant([0.5] * (3 * units) + [1.0] * units)
    shift = tf.constant([0.5] * (3 * units) + [0.0] * units)
    gates = tf.tanh(gates * scale) * scale + shift
    i, f, o, g = tf.split(gates, 4, axis=1)
    c = f * c + i * g
    return gates, o * tf.tanh(c), c


def recurrence(
    projected: tf.Tensor, recurrent: tf.Tensor, h: tf.Tensor, c: tf.Tensor, precision: tf.DType
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Runs the cell over time, with a backward pass written by hand.

    Args:
        projected: W x_t + b for every step, float32 [time, batch, 4 * units].
        recurrent: U, float32 [units, 4 * units].
        h: State before, float32 [batch, units].
        c: Cell state before, float32 [batch, units].
        precision: Type of the matrix products.

    Returns:
        h of every step [time, batch, units], and the last h and C.
    """

    @tf.custom_gradient
    def run(projected: tf.Tensor, u: tf.Tensor, h0: tf.Tensor, c0: tf.Tensor):  # type: ignore[no-untyped-def]
        hs, cs, gates = _forward(projected, tf.cast(u, precision), h0, c0)

        def backward(d_hs: tf.Tensor, d_h: tf.Tensor, d_c: tf.Tensor) -> tuple[tf.Tensor, ...]:
            previous_c = tf.concat([c0[None], cs[:-1]], axis=0)
            turned = tf.transpose(tf.cast(u, precision))  # once: a product with a transposed matrix is slower
            d_gates, d_h0, d_c0 = _backward(d_hs, d_h, d_c, gates, cs, previous_c, turned)
            previous_h = tf.concat([h0[None], hs[:-1]], axis=0)
            rows, columns = u.shape
            left = tf.cast(tf.reshape(previous_h, [-1, rows]), precision)
            right = tf.cast(tf.reshape(d_gates, [-1, columns]), precision)
            d_u = tf.cast(tf.matmul(left, right, transpose_a=True), tf.float32)
            return d_gates, d_u, d_h0, d_c0

        return (hs, hs[-1], cs[-1]), backward

    return run(projected, tf.convert_to_tensor(recurrent), h, c)


def _forward(projected: tf.Tensor, u: tf.Tensor, h: tf.Tensor, c: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns h, C and the gate values of every step, each stacked over time."""
    time, width = tf.shape(projected)[0], u.shape[1]
    steps = [_array(time, [None, u.shape[0]]), _array(time, [None, u.shape[0]]), _array(time, [None, width])]

    def body(t: tf.Tensor, h: tf.Tensor, c: tf.Tensor, *steps: tf.TensorArray) -> tuple[object, ...]:
        gates, h, c = cell(projected[t] + product(h, u, u.dtype), c)
        return t + 1, h, c, *(array.write(t, value) for array, value in zip(steps, (h, c, gates), strict=True))

    *_, hs, cs, gates = tf.while_loop(
        lambda t, *_: t < time, body, (0, h, c, *steps), maximum_iterations=time, parallel_iterations=1
    )
    return hs.stack(), cs.stack(), gates.stack()


def _backward(
    d_hs: tf.Tensor,
    d_h: tf.Tensor,
    d_c: tf.Tensor,
    gates: tf.Tensor,
    cs: tf.Tensor,
    previous_c: tf.Tensor,
    turned: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns the gradients of W x_t + b for every step [time, batch, 4 * units], of the first h and of the first C.

    `turned` is the transpose of U; `gates`, `cs` and `previous_c` are what `_forward` gave, C shifted by a step.
    """
    time, units = tf.shape(gates)[0], turned.shape[1]
    i, f, o, g = tf.split(gates, 4, axis=2)
    squashed = tf.tanh(cs)
    # What does not depend on the later steps is computed for all of them at once: C by h, and the gates by C or h.
    c_by_h = o * (1.0 - squashed * squashed)
    gates_by = tf.concat(
        [g * i * (1.0 - i), previous_c * f * (1.0 - f), squashed * o * (1.0 - o), i * (1.0 - g * g)], 2
    )

    def body(t: tf.Tensor, d_h: tf.Tensor, d_c: tf.Tensor, written: tf.TensorArray) -> tuple[object, ...]:
        d_h = d_h + d_hs[t]
        d_c = d_c + d_h * c_by_h[t]
        d_gates = tf.concat([d_c, d_c, d_h, d_c], axis=1) * gates_by[t]
        return t - 1, product(d_gates, turned, turned.dtype), d_c * f[t], written.write(t, d_gates)

    start = (time - 1, d_h, d_c, _array(time, [None, 4 * units]))
    _, d_h, d_c, d_gates = tf.while_loop(
        lambda t, *_: t >= 0, body, start, maximum_iterations=time, parallel_iterations=1
    )
    return d_gates.stack(), d_h, d_c


def _array(size: tf.Tensor, shape: list[int | None]) -> tf.TensorArray:
    return tf.TensorArray(tf.float32, size=size, element_shape=shape)
