"""The learning-rate schedule (linear warm-up, then one of three decays) and early stopping."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lstmlm.recipe.sections.training import TrainingSection


def learning_rate(step: int, training: TrainingSection, losses: Sequence[float] = ()) -> float:
    """Returns the rate of a step; after the warm-up it is never below `final_rate` times the peak.

    Args:
        step: Number of the step, from 1 to `training.steps`.
        training: The recipe's `training` section.
        losses: Validation losses so far, which `plateau` goes by.
    """
    if step <= training.warmup:
        return training.learning_rate * step / training.warmup
    return training.learning_rate * max(training.final_rate, _fallen(step, training, losses))


def _fallen(step: int, training: TrainingSection, losses: Sequence[float]) -> float:
    """Returns the rate as a share of the peak."""
    if training.schedule == "plateau":
        return training.decay ** plateaus(losses, training.patience)
    if training.schedule == "inverse_sqrt":  # Vaswani et al. 2017
        return math.sqrt(max(1, training.warmup) / step)
    share = (step - training.warmup) / max(1, training.steps - training.warmup)
    falling = 0.5 * (1.0 + math.cos(math.pi * min(1.0, share)))  # Loshchilov and Hutter 2017
    return training.final_rate + (1.0 - training.final_rate) * falling


def plateaus(losses: Sequence[float], patience: int) -> int:
    """Counts how often `patience` evaluations in a row brought no loss below the best before."""
    best, stale, count = math.inf, 0, 0
    for loss in losses:
        stale = 0 if loss < best else stale + 1
        best = min(best, loss)
        if stale == patience:
            count, stale = count + 1, 0
    return count


def should_stop(costs: Sequence[float], early_stop: int | None) -> bool:
    """Says whether the last `early_stop` evaluations brought no cost below the best before."""
    if early_stop is None or len(costs) <= early_stop:
        return False
    return min(costs[-early_stop:]) >= min(costs[:-early_stop])
