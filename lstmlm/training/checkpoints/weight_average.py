"""Running averages of the weights (EMA, NT-ASGD), evaluated and saved in place of the raw weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

import tensorflow as tf

from lstmlm.recipe.sections.training import TrainingSection


class WeightAverage(tf.Module):
    """A running average of variables.

    Args:
        variables: The model's variables by name.
    """

    def __init__(self, variables: Mapping[str, tf.Variable]) -> None:
        super().__init__(name="average")
        self._variables = dict(variables)
        self._averages = {name: tf.Variable(v, trainable=False) for name, v in self._variables.items()}

    def state(self) -> dict[str, tf.Variable]:
        """Returns what a checkpoint must hold."""
        return {f"average/{name}": average for name, average in self._averages.items()}

    def update(self, share: tf.Tensor) -> None:
        """Moves the average towards the present weights by a share of the difference, float32 scalar; 1 copies."""
        for name, variable in self._variables.items():
            average = self._averages[name]
            average.assign(share * variable + (1.0 - share) * average)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Puts the averages into the model for as long as the context lasts."""
        kept = {name: variable.numpy() for name, variable in self._variables.items()}
        for name, variable in self._variables.items():
            variable.assign(self._averages[name])
        try:
            yield
        finally:
            for name, variable in self._variables.items():
                variable.assign(kept[name])


def averages(training: TrainingSection) -> bool:
    """Says whether the recipe wants an average of the weights."""
    return training.ema > 0.0 or training.optimizer == "nt_asgd"


def average_share(step: int, since: int | None, training: TrainingSection) -> float:
    """Returns by how much the average moves towards the weights after a step.

    With `training.ema` it is an exponential average whose decay rises to its value, so that the first weights are
    soon forgotten. With NT-ASGD it is the weights themselves until the averaging begins, then their plain mean.

    Args:
        step: Number of the step, from 1.
        since: Step the averaging of NT-ASGD began after; None: it has not.
        training: The recipe's `training` section.
    """
    if training.ema:
        return 1.0 - min(training.ema, (1.0 + step) / (10.0 + step))
    return 1.0 if since is None else 1.0 / (step - since)


def averaging_since(losses: Sequence[float], steps: Sequence[int], non_monotone: int) -> int | None:
    """Returns the step of the evaluation that starts the averaging of NT-ASGD, or None.

    It is the first whose loss is above the best one of those that are more than `non_monotone` evaluations older
    (algorithm 1 of Merity et al. 2018).
    """
    for place in range(non_monotone + 1, len(losses)):
        if losses[place] > min(losses[: place - non_monotone]):
            return steps[place]
    return None
