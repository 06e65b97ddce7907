"""Averages of the weights, and when NT-ASGD begins to make them."""

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.recipe.sections.training import TrainingSection
from lstmlm.training.checkpoints.weight_average import WeightAverage, average_share, averaging_since


def averaged(values, shares):
    variable = tf.Variable(np.float32(values[0]))
    average = WeightAverage({"w": variable})
    for value, share in zip(values[1:], shares, strict=True):
        variable.assign(np.float32(value))
        average.update(tf.constant(share))
    with average.in_place():
        found = variable.numpy().copy()
    assert variable.numpy() == np.float32(values[-1])  # the weights are back
    return found


def test_nt_asgd_follows_the_weights_until_it_begins_and_then_is_their_mean():
    plan = TrainingSection(optimizer="nt_asgd")
    values = np.random.default_rng(0).normal(size=9)
    shares = [average_share(step, 3 if step > 3 else None, plan) for step in range(1, 9)]
    assert averaged(values[:4], shares[:3]) == np.float32(values[3])
    np.testing.assert_allclose(averaged(values, shares), values[4:].mean(), rtol=1e-6)


def test_the_exponential_average_has_its_decay_after_a_while():
    plan = TrainingSection(ema=0.9)
    shares = [average_share(step, None, plan) for step in range(1, 300)]
    assert shares[0] == pytest.approx(1 - 2 / 11)  # early weights are soon forgotten
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == pytest.approx(0.1)
    values = np.random.default_rng(1).normal(size=300)
    expected = values[0]
    for value, share in zip(values[1:], shares, strict=True):
        expected += share * (value - expected)
    np.testing.assert_allclose(averaged(values, shares), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("losses", "since"),
    [
        ([5, 4, 3, 2, 1], None),
        ([5, 3, 2.9, 3.5], None),  # of those more than two back the best is 5
        ([5, 3, 2.9, 2.95, 3.5], 50),
        ([5, 3, 2.9, 5.5, 1.0], 40),  # once begun it continues
        ([], None),
    ],
)
def test_averaging_begins_at_a_loss_above_the_best_of_old(losses, since):
    assert averaging_since(losses, [10, 20, 30, 40, 50][: len(losses)], 2) == since
