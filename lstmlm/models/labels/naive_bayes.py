"""How much more often something occurs with a label than without it (Wang and Manning 2012)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.float64]


def log_count_ratios(counts: Counts, smoothing: float = 1.0) -> npt.NDArray[np.float32]:
    """Returns the logarithm of how likely each thing is with a label, over how likely it is with the other labels.

    Args:
        counts: How often each thing occurs in texts of each label, [things, labels].
        smoothing: What is added to each count.

    Returns:
        float32 [things, labels]; 0 for what never occurs, of which nothing is known.
    """
    others = counts.sum(axis=1, keepdims=True) - counts
    ratios = _log_shares(counts + smoothing) - _log_shares(others + smoothing)
    return np.where(counts.any(axis=1, keepdims=True), ratios, 0.0).astype(np.float32)


def _log_shares(counts: Counts) -> Counts:
    shares: Counts = np.log(counts) - np.log(counts.sum(axis=0))
    return shares
