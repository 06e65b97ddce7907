"""The layer against a NumPy version of the six equations, and its hand-written gradient against finite differences."""

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.models.lstm import LSTM, State


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def numpy_lstm(x, w, u, b, h, c):
    """The equations, one by one, in float64. x is [time, batch, width]."""
    wi, wf, wo, wg = np.split(w, 4, axis=1)
    ui, uf, uo, ug = np.split(u, 4, axis=1)
    bi, bf, bo, bg = np.split(b, 4)
    outputs = []
    for x_t in x:
        f = sigmoid(x_t @ wf + h @ uf + bf)
        i = sigmoid(x_t @ wi + h @ ui + bi)
        o = sigmoid(x_t @ wo + h @ uo + bo)
        g = np.tanh(x_t @ wg + h @ ug + bg)
        c = f * c + i * g
        h = o * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs), h, c


def layer_and_input(time=7, batch=3, width=5, units=6, seed=1):
    layer = LSTM(width, units, tf.random.Generator.from_seed(seed), precision=tf.float32, name="layer")
    rng = np.random.default_rng(seed)
    arrays = [
        rng.normal(size=shape).astype(np.float32) for shape in ([time, batch, width], [batch, units], [batch, units])
    ]
    return layer, arrays


def as_float64(layer):
    return [v.numpy().astype(np.float64) for v in (layer.kernel, layer.recurrent, layer.bias)]


@pytest.mark.parametrize("time", [1, 2, 13])
def test_the_layer_computes_the_six_equations(time):
    layer, (x, h, c) = layer_and_input(time=time)
    outputs, state = layer(tf.constant(x), State(tf.constant(h), tf.constant(c)))
    expected, last_h, last_c = numpy_lstm(x, *as_float64(layer), h, c)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    np.testing.assert_allclose(state.h, last_h, atol=1e-5)
    np.testing.assert_allclose(state.c, last_c, atol=1e-5)


def test_a_single_step_equals_the_layer_over_time():
    layer, (x, h, c) = layer_and_input(time=4)
    state = State(tf.constant(h), tf.constant(c))
    outputs, _ = layer(tf.constant(x), state)
    for t in range(4):
        state = layer.step(tf.constant(x[t]), state)
        np.testing.assert_allclose(state.h, outputs[t], atol=1e-6)


def test_the_gradient_equals_automatic_differentiation_of_the_steps():
    layer, (x, h, c) = layer_and_input()
    x, h, c = map(tf.constant, (x, h, c))
    weights = tf.random.stateless_normal([7, 3, 6], [1, 2])

    def through_layer():
        outputs, state = layer(x, State(h, c))
        return tf.reduce_sum(outputs * weights) + tf.reduce_sum(state.h * 2.0) + tf.reduce_sum(state.c * 3.0)

    def through_steps():
        state, total = State(h, c), 0.0
        for t in range(7):
            state = layer.step(x[t], state)
            total += tf.reduce_sum(state.h * weights[t])
        return total + tf.reduce_sum(state.h * 2.0) + tf.reduce_sum(state.c * 3.0)

    gradients = []
    for function in (through_layer, through_steps):
        with tf.GradientTape() as tape:
            tape.watch([x, h, c])
            value = function()
        gradients.append(tape.gradient(value, [x, h, c, layer.kernel, layer.recurrent, layer.bias]))
    for ours, reference in zip(*gradients, strict=True):
        np.testing.assert_allclose(ours, reference, atol=1e-4)


def test_the_gradient_is_the_same_inside_a_graph():
    layer, (x, h, c) = layer_and_input()

    def gradient(x):
        with tf.GradientTape() as tape:
            outputs, _ = layer(x, State(tf.constant(h), tf.constant(c)))
            value = tf.reduce_sum(outputs**2)
        return tape.gradient(value, layer.recurrent)

    graph = tf.function(gradient, input_signature=[tf.TensorSpec([None, None, 5])])
    np.testing.assert_allclose(graph(tf.constant(x)), gradient(tf.constant(x)), atol=1e-5)


def test_bfloat16_stays_near_float32():
    layer, (x, h, c) = layer_and_input(units=32, width=32)
    coarse = LSTM(32, 32, tf.random.Generator.from_seed(1), precision=tf.bfloat16, name="layer")
    state = State(tf.constant(h), tf.constant(c))
    fine_outputs, _ = layer(tf.constant(x), state)
    coarse_outputs, _ = coarse(tf.constant(x), state)
    assert coarse_outputs.dtype == tf.float32
    np.testing.assert_allclose(coarse_outputs, fine_outputs, atol=0.05)
