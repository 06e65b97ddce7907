"""Adam against its equations in NumPy."""

import numpy as np
import tensorflow as tf

from lstmlm.training.optimizer import Adam


def numpy_adam(values, gradients, rate, clip):
    m, v = np.zeros_like(values), np.zeros_like(values)
    for step, g in enumerate(gradients, 1):
        g = g * min(1.0, clip / np.linalg.norm(g))
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        values = values - rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    return values


def test_it_is_adam_with_clipping_by_the_global_norm():
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=[5, 10])
    variables = {"a": tf.Variable(np.ones([2, 3], np.float32)), "b": tf.Variable(np.zeros(4, np.float32))}
    adam = Adam(variables, clip=1.5)
    for step, gradient in enumerate(gradients, 1):
        norm = adam.apply(tf.constant(gradient, tf.float32), tf.constant(0.1), tf.constant(float(step)))
        np.testing.assert_allclose(norm, np.linalg.norm(gradient), rtol=1e-5)
    expected = numpy_adam(np.concatenate([np.ones(6), np.zeros(4)]), gradients, 0.1, 1.5)
    ours = np.concatenate([variables["a"].numpy().ravel(), variables["b"].numpy()])
    np.testing.assert_allclose(ours, expected, rtol=2e-4, atol=1e-5)
