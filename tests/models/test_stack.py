"""Layers on top of each other: residual connections, weight drop, and one step against all at once."""

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.models.lstm import State
from lstmlm.models.noise import Noise
from lstmlm.models.stack import Stack
from lstmlm.recipe.sections.model import ModelSection

INPUTS = tf.random.stateless_normal([5, 2, 4], [1, 1])
NOISE = Noise(tf.constant([1, 2]), tf.constant(0), tf.constant(2))


def stack(**sizes) -> Stack:
    model = ModelSection(units=6, layers=3, **({"dropout": 0.0} | sizes))
    return Stack(4, model, tf.random.Generator.from_seed(1), precision=tf.float32, name="layer")


@pytest.mark.parametrize("residual", [False, True])
def test_steps_one_by_one_equal_all_at_once(residual):
    layers = stack(residual=residual)
    whole, after = layers(INPUTS, layers.zero_state(2), None, 1)
    states = layers.zero_state(2)
    for t in range(5):
        values, states = layers.step(INPUTS[t], states)
        np.testing.assert_allclose(values, whole[t], atol=1e-5)
    np.testing.assert_allclose(states[2].c, after[2].c, atol=1e-5)


def test_a_residual_layer_adds_its_input():
    layers = stack(residual=True)
    first, second, third = layers.layers
    one, _ = first(INPUTS, first.zero_state(2))
    two = second(one, second.zero_state(2))[0] + one
    three = third(two, third.zero_state(2))[0] + two
    np.testing.assert_allclose(layers(INPUTS, layers.zero_state(2), None, 1)[0], three, atol=1e-6)


def test_weight_drop_zeroes_recurrent_weights_only_in_training():
    dropping, plain = stack(weight_drop=0.5), stack()
    for layer in plain.layers:  # the same mask, put into the weights by hand
        kept = dropping._recurrent(layer, NOISE, 1 + plain.layers.index(layer))
        gone = float(tf.reduce_mean(tf.cast(kept == 0.0, tf.float32)))
        assert 0.3 < gone < 0.7
    expected_evaluation = plain(INPUTS, plain.zero_state(2), None, 1)[0]
    np.testing.assert_array_equal(dropping(INPUTS, dropping.zero_state(2), None, 1)[0], expected_evaluation)
    for n, layer in enumerate(plain.layers):
        layer.recurrent.assign(dropping._recurrent(layer, NOISE, 1 + n))
    np.testing.assert_array_equal(
        dropping(INPUTS, dropping.zero_state(2), NOISE, 1)[0], plain(INPUTS, plain.zero_state(2), None, 1)[0]
    )


def test_the_gradient_of_a_dropped_weight_is_zero():
    layers = stack(weight_drop=0.5)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layers(INPUTS, layers.zero_state(2), NOISE, 1)[0])
    for n, layer in enumerate(layers.layers):
        dropped = layers._recurrent(layer, NOISE, 1 + n).numpy() == 0.0
        if n == 0:
            gradient = tape.gradient(total, layer.recurrent).numpy()
            assert np.all(gradient[dropped] == 0.0)
            assert np.any(gradient[~dropped] != 0.0)


def test_the_output_may_have_a_dropout_of_its_own():
    layers = stack(dropout=0.0, output_dropout=0.5)
    raw, dropped, _ = layers.run(INPUTS, layers.zero_state(2), NOISE, 1)
    share = np.mean(dropped.numpy() == 0.0)
    assert 0.1 < share < 0.9
    kept = dropped.numpy() != 0.0
    np.testing.assert_allclose(dropped.numpy()[kept], 2.0 * raw.numpy()[kept], rtol=1e-6)


def test_the_first_state_matters():
    layers = stack()
    ones = [State(tf.ones([2, 6]), tf.ones([2, 6])) for _ in range(3)]
    assert not np.allclose(layers(INPUTS, ones, None, 1)[0], layers(INPUTS, layers.zero_state(2), None, 1)[0])
