"""Confidence intervals by the bootstrap: how far a mean over records would move with other records (Koehn 2004)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SAMPLES = 1000
_BLOCK = 1 << 22  # draws made at once: bounds the memory


def mean_interval(values: Sequence[float], seed: int, share: float = 0.95) -> tuple[float, float]:
    """Returns the interval that holds a share of the means of resampled records.

    Args:
        values: One value a record, at least one.
        seed: Decides the draws.
        share: Share of the means inside; as many are below as above.

    Returns:
        Lower and upper end (percentiles of `SAMPLES` means).
    """
    found, draws = np.asarray(values, np.float64), np.random.default_rng(seed)
    block = max(1, _BLOCK // len(found))
    means = [
        found[draws.integers(0, len(found), [min(block, SAMPLES - done), len(found)])].mean(axis=1)
        for done in range(0, SAMPLES, block)
    ]
    low, high = np.quantile(np.concatenate(means), [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)
