"""The neural cache against its definition, position by position in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from lstmlm.evaluation.neural_cache import NeuralCache
from lstmlm.recipe.sections.evaluation import Cache

ROWS, TIME, UNITS, VOCABULARY = 2, 23, 4, 6
PLAN = Cache(size=5, sharpness=0.7, share=0.3)


@pytest.fixture
def stream():
    rng = np.random.default_rng(3)
    outputs = rng.normal(size=[ROWS, TIME, UNITS]).astype(np.float32)
    p = rng.dirichlet(np.ones(VOCABULARY - 1), [ROWS, TIME]).astype(np.float32)
    return outputs, np.concatenate([np.zeros([ROWS, TIME, 1], np.float32), p], axis=2)


def mixture(outputs, targets, p):
    """p of every token at every position of one row."""
    mixed = p.copy()
    for t in range(TIME):
        recent = range(max(0, t - PLAN.size), t)
        if not recent:
            continue
        weights = np.exp([PLAN.sharpness * outputs[t] @ outputs[i] for i in recent])
        cached = np.zeros(VOCABULARY)
        for i, weight in zip(recent, weights / weights.sum(), strict=True):
            cached[targets[i]] += weight
        mixed[t] = (1 - PLAN.share) * p[t] + PLAN.share * cached
    return mixed


@pytest.mark.parametrize("window", [1, 7, 23])
def test_it_mixes_what_the_definition_says(stream, window):
    outputs, p = stream
    targets = np.random.default_rng(4).integers(1, VOCABULARY, [ROWS, TIME]).astype(np.int32)
    cache = NeuralCache(PLAN, ROWS, UNITS)
    nats = -np.log(np.take_along_axis(p, targets[..., None], axis=2)[..., 0])
    found = 0.0
    for start in range(0, TIME, window):
        part = slice(start, start + window)
        found += cache.nats(tf.constant(nats[:, part]), tf.constant(outputs[:, part]), tf.constant(targets[:, part]))
    wanted = 0.0
    for row in range(ROWS):
        mixed = mixture(outputs[row], targets[row], p[row])
        np.testing.assert_allclose(mixed.sum(axis=1), 1.0, rtol=1e-5)
        wanted -= np.log(mixed[np.arange(TIME), targets[row]]).sum()
    assert found == pytest.approx(wanted, rel=1e-5)


def test_padding_is_neither_scored_nor_remembered(stream):
    outputs, p = stream
    targets = np.random.default_rng(4).integers(1, VOCABULARY, [ROWS, TIME]).astype(np.int32)
    nats = -np.log(np.take_along_axis(p, targets[..., None], axis=2)[..., 0])

    def score(length):
        kept = np.where(np.arange(TIME) < length, targets, 0)
        return NeuralCache(PLAN, ROWS, UNITS).nats(tf.constant(nats), tf.constant(outputs), tf.constant(kept))

    whole = NeuralCache(PLAN, ROWS, UNITS)
    assert score(9) == pytest.approx(
        whole.nats(tf.constant(nats[:, :9]), tf.constant(outputs[:, :9]), tf.constant(targets[:, :9])), rel=1e-5
    )
    assert score(0) == 0.0
