"""The optimizers against their equations in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.recipe.sections.training import TrainingSection
from lstmlm.training.optimizer import make_optimizer
from lstmlm.training.pace import Pace


def clipped(gradient, clip):
    return gradient * min(1.0, clip / np.linalg.norm(gradient))


def numpy_adamw(values, gradients, rate, clip, decay):
    m, v = np.zeros_like(values), np.zeros_like(values)
    for step, g in enumerate(gradients, 1):
        g = clipped(g, clip)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        values = values - rate * ((m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8) + decay * values)
    return values


def run(gradients, rate, **training):
    """A matrix of ones and a vector of zeros after these steps."""
    variables = {"a": tf.Variable(np.ones([2, 3], np.float32)), "b": tf.Variable(np.zeros(4, np.float32))}
    optimizer = make_optimizer(variables, TrainingSection(**training))
    for step, gradient in enumerate(gradients, 1):
        parts = [tf.constant(part, tf.float32) for part in (gradient[:6].reshape(2, 3), gradient[6:])]
        norm = optimizer.apply(parts, tf.constant(rate), tf.constant(float(step)))
        np.testing.assert_allclose(norm, np.linalg.norm(gradient), rtol=1e-5)
    return np.concatenate([variables["a"].numpy().ravel(), variables["b"].numpy()])


GRADIENTS = np.random.default_rng(0).normal(size=[5, 10])
START = np.concatenate([np.ones(6), np.zeros(4)])
MATRIX = np.array([1.0] * 6 + [0.0] * 4)  # vectors do not decay


def test_it_is_adam_with_clipping_by_the_global_norm():
    expected = numpy_adamw(START, GRADIENTS, 0.1, 1.5, 0.0)
    np.testing.assert_allclose(run(GRADIENTS, 0.1, clip=1.5), expected, rtol=2e-4, atol=1e-5)


def test_weight_decay_is_decoupled_and_skips_vectors():
    expected = numpy_adamw(START, GRADIENTS, 0.1, 1.5, 0.2 * MATRIX)
    np.testing.assert_allclose(run(GRADIENTS, 0.1, clip=1.5, weight_decay=0.2), expected, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("clip", [1.5, 3.0, 100.0])  # of each step, of some, of none
def test_sgd_goes_down_the_clipped_gradient(clip):
    expected = START - 0.1 * sum(clipped(g, clip) for g in GRADIENTS)
    np.testing.assert_allclose(run(GRADIENTS, 0.1, clip=clip, optimizer="sgd"), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_variable_learns_at_its_own_pace_from_its_own_start(optimizer):
    """As a training of its own that begins later: its gradients before count for nothing, in the norm neither."""
    variables = {"a": tf.Variable(np.ones([2, 3], np.float32)), "b": tf.Variable(np.zeros(4, np.float32))}
    made = make_optimizer(
        variables, TrainingSection(clip=1e9, weight_decay=0.1, optimizer=optimizer), {"a": Pace(0.25, after=2)}
    )
    norms = []
    for step, gradient in enumerate(GRADIENTS, 1):
        parts = [tf.constant(part, tf.float32) for part in (gradient[:6].reshape(2, 3), gradient[6:])]
        norms.append(float(made.apply(parts, tf.constant(0.1), tf.constant(float(step)))))
    single = {"a": tf.Variable(np.ones([2, 3], np.float32))}
    late = make_optimizer(single, TrainingSection(clip=1e9, weight_decay=0.1, optimizer=optimizer))
    for step, gradient in enumerate(GRADIENTS[2:], 1):
        late.apply([tf.constant(gradient[:6].reshape(2, 3), tf.float32)], tf.constant(0.025), tf.constant(float(step)))
    np.testing.assert_allclose(variables["a"], single["a"], rtol=1e-5)
    np.testing.assert_allclose(norms[:2], np.linalg.norm(GRADIENTS[:2, 6:], axis=1), rtol=1e-5)
    np.testing.assert_allclose(norms[2:], np.linalg.norm(GRADIENTS[2:], axis=1), rtol=1e-5)
