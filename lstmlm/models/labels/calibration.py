"""Temperature scaling: the one number that logits are divided by so that probabilities are shares of what is right.

After Guo et al. (2017): it minimises the cross-entropy on held-out examples, and does not change which label is first.
With targets as those of Platt (1999), a little below 1 for few examples: where all are right, none is certain.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

LEAST, MOST = 0.02, 50.0
"""Bounds of the factor."""
_HALVINGS = 60


def fitted_sharpness(logits: Floats, goals: Floats, *, several: bool) -> float:
    """Returns the factor on logits, 1 / temperature, with the least cross-entropy.

    The cross-entropy is convex in it, so the root of its derivative is found by bisection.

    Args:
        logits: [examples, labels].
        goals: The probabilities that should be predicted, [examples, labels].
        several: Whether labels are independent (sigmoids), and not exclusive (softmax).
    """
    if not len(logits):
        return 1.0
    wide, right = logits.astype(np.float64), smoothed(goals, several=several)

    def slope(sharpness: float) -> float:
        scaled = sharpness * wide
        if several:
            predicted = 0.5 * (1.0 + np.tanh(0.5 * scaled))
        else:
            shares = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
            predicted = shares / shares.sum(axis=-1, keepdims=True)
        return float(((predicted - right) * wide).sum())

    low, high = np.log(LEAST), np.log(MOST)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if slope(float(np.exp(middle))) < 0 else (low, middle)
    return float(np.exp(0.5 * (low + high)))


def smoothed(goals: Floats, *, several: bool) -> Floats:
    """Returns the targets, [examples, labels]: a share of 1 / (examples + 2) is spread over all labels.

    Args:
        goals: The probabilities that should be predicted.
        several: Whether labels are independent, so that the share is spread over yes and no.
    """
    share = 1.0 / (len(goals) + 2.0)
    return goals.astype(np.float64) * (1.0 - share) + share / (2.0 if several else goals.shape[-1])
