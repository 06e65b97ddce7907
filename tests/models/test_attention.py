"""Both scores against NumPy, one pair of states at a time."""

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.models.attention import attention_layer
from lstmlm.recipe.sections.model import ModelSection

BATCH, TIME, SOURCE, UNITS = 2, 3, 5, 6


def general(layer, state, value):
    return state @ (value @ layer.score.numpy())


def additive(layer, state, value):
    return layer.reduce.numpy() @ np.tanh(state @ layer.query.numpy() + value @ layer.score.numpy())


@pytest.mark.parametrize(("name", "score"), [("luong", general), ("bahdanau", additive)])
def test_the_weights_are_the_softmax_of_the_scores_over_the_source(name, score):
    sizes = ModelSection(units=UNITS, encoder_units=4, attention=name)
    layer = attention_layer(sizes, 7, tf.random.Generator.from_seed(1), precision=tf.float32)
    values = tf.random.stateless_normal([BATCH, SOURCE, 8], [1, 1])
    states = tf.random.stateless_normal([BATCH, TIME, UNITS], [1, 2])
    lengths = [5, 2]
    memory = layer.memory(values, tf.constant(lengths))
    weights = layer.weights(states, memory).numpy()
    for b in range(BATCH):
        for t in range(TIME):
            z = [score(layer, states[b, t].numpy(), values[b, s].numpy()) for s in range(lengths[b])]
            expected = np.exp(z) / np.exp(z).sum()
            np.testing.assert_allclose(weights[b, t, : lengths[b]], expected, rtol=1e-4, atol=1e-6)
    assert np.all(weights[1, :, 2:] == 0.0)
    context = weights @ values.numpy()
    joined = np.concatenate([context, states.numpy()], axis=2)
    vectors = np.tanh(joined @ layer.combine.kernel.numpy() + layer.combine.bias.numpy())
    np.testing.assert_allclose(layer(states, memory), vectors, rtol=1e-4, atol=1e-6)
