"""A logistic regression, fitted by Newton's method; its ridge is chosen by cross-validation."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from lstmlm.evaluation.judge.auc import auc

RIDGES = (1.0, 10.0, 100.0, 1000.0)
"""Weights of the squared coefficients, one of which is chosen."""
FOLDS = 4
_STEPS = 30
_LARGEST = 30.0  # logits beyond it are as good as certain

Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """A linear function of standardised features; above 0 is real.

    Attributes:
        weights: float64 [features].
        bias: The value of mean features.
        mean: float64 [features], subtracted.
        scale: float64 [features], divided by.
    """

    weights: Floats
    bias: float
    mean: Floats
    scale: Floats

    def score(self, features: Floats) -> Floats:
        """Returns the log-odds that texts are real, float64 [n], of their features, float64 [n, features]."""
        logits: Floats = (features - self.mean) / self.scale @ self.weights + self.bias
        return logits


def fit(features: Floats, real: npt.NDArray[np.bool_], groups: npt.NDArray[np.int64]) -> Head:
    """Fits a head.

    Args:
        features: float64 [n, features].
        real: bool [n].
        groups: int64 [n]: texts of one group, such as those with one prompt, are never in two folds.

    Returns:
        The head with the ridge whose mean area under the curve over the folds is the largest.
    """
    folds = groups % FOLDS
    found = [(_held_out(features, real, folds, ridge), -ridge) for ridge in RIDGES]
    return _fitted(features, real, -max(found)[1])


def _held_out(features: Floats, real: npt.NDArray[np.bool_], folds: npt.NDArray[np.int64], ridge: float) -> float:
    areas = []
    for fold in range(FOLDS):
        inside, outside = folds != fold, folds == fold
        if len(set(real[inside])) == 2 and len(set(real[outside])) == 2:
            scores = _fitted(features[inside], real[inside], ridge).score(features[outside])
            areas.append(auc(scores[real[outside]], scores[~real[outside]]))
    return float(np.mean(areas)) if areas else 0.5


def _fitted(features: Floats, real: npt.NDArray[np.bool_], ridge: float) -> Head:
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.where(scale > 1e-12, scale, 1.0)
    inputs = np.concatenate([(features - mean) / scale, np.ones([len(features), 1])], axis=1)
    penalty = np.append(np.full(features.shape[1], ridge), 1e-6)
    weights = np.zeros(inputs.shape[1])
    for _ in range(_STEPS):
        shares = 1 / (1 + np.exp(-np.clip(inputs @ weights, -_LARGEST, _LARGEST)))
        slope = inputs.T @ (real - shares) - penalty * weights
        curve = (inputs * (shares * (1 - shares))[:, None]).T @ inputs + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            break
    return Head(weights[:-1], float(weights[-1]), mean, scale)
