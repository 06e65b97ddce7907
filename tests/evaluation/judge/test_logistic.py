"""The logistic regression: its slope is 0 where it ends, and it says 0.5 of what cannot be distinguished."""

from __future__ import annotations

import numpy as np

from lstmlm.evaluation.judge.auc import auc
from lstmlm.evaluation.judge.logistic import RIDGES, _fitted, fit


def test_it_ends_where_the_penalised_likelihood_is_largest() -> None:
    draws = np.random.default_rng(1)
    features = draws.normal(size=[200, 5]) * [1, 10, 0.1, 3, 0] + 2  # one feature says nothing at all
    real = features[:, 0] + draws.normal(size=200) > 2
    for ridge in RIDGES:
        head = _fitted(features, real, ridge)
        inputs = (features - head.mean) / head.scale
        shares = 1 / (1 + np.exp(-head.score(features)))
        assert np.allclose(inputs.T @ (real - shares), ridge * head.weights, atol=1e-6)
        assert np.isclose((real - shares).sum(), 0, atol=1e-3)
        assert head.weights[4] == 0


def test_separable_kinds_do_not_break_it() -> None:
    features = np.arange(40.0)[:, None]
    head = fit(features, features[:, 0] > 19, np.arange(40))
    assert np.array_equal(head.score(features) > 0, features[:, 0] > 19)


def test_many_features_of_noise_distinguish_nothing() -> None:
    draws = np.random.default_rng(2)
    features, real = draws.normal(size=[400, 100]), np.arange(400) % 2 == 0
    head = fit(features[:200], real[:200], np.arange(200))
    scores = head.score(features[200:])
    assert 0.4 < auc(scores[real[200:]], scores[~real[200:]]) < 0.6
