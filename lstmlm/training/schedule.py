"""The learning rate: linear warm-up, then cosine decay (Loshchilov and Hutter 2017)."""

from __future__ import annotations

import math

from lstmlm.recipe import Training


def learning_rate(step: int, training: Training) -> float:
    """Returns the rate of a step.

    Args:
        step: Number of the step, from 1 to `training.steps`.
        training: The recipe's `training` section.
    """
    if step <= training.warmup:
        return training.learning_rate * step / training.warmup
    share = (step - training.warmup) / max(1, training.steps - training.warmup)
    falling = 0.5 * (1.0 + math.cos(math.pi * min(1.0, share)))
    return training.learning_rate * (training.final_rate + (1.0 - training.final_rate) * falling)
