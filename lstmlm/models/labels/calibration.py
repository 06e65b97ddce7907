"""Temperature scaling: the one number that logits are divided by so that probabilities are shares of what is right.

After Guo et al. (2017): it minimises the cross-entropy on held-out examples, and does not change which label is first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

LEAST, MOST = 0.05, 20.0
"""Bounds: where every held-out example is right, no temperature is small enough."""
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
    wide, right = logits.astype(np.float64), goals.astype(np.float64)

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
