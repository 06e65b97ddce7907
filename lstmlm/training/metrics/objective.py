"""The objective: the metric that selects the best weights, early stopping and averages."""

from __future__ import annotations

import dataclasses
import difflib

from lstmlm.errors import UserError
from lstmlm.recipe.recipe import Recipe
from lstmlm.task import Better, load_task

SCORED: dict[str, Better] = {"loss": "lower", "perplexity": "lower"}
"""Metrics that scoring the valid split gives, whatever the task."""


@dataclasses.dataclass(frozen=True, slots=True)
class Objective:
    """A metric, and which of its values is better.

    Attributes:
        name: Its name in the recipe.
        better: The direction.
        decoded: Whether outputs must be decoded for it.
    """

    name: str
    better: Better
    decoded: bool

    @property
    def key(self) -> str:
        """Its name in `metrics.jsonl`."""
        return f"valid_{self.name}"

    def cost(self, value: float) -> float:
        """Returns a number that is smaller for a better value."""
        return value if self.better == "lower" else -value


def choose_objective(recipe: Recipe) -> Objective:
    """Returns what `training.metric` names.

    Raises:
        UserError: The task has no such metric.
    """
    name, outputs = recipe.training.metric, load_task(recipe.task).training_metrics(recipe)
    known = SCORED | dict(outputs)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean `{close[0]}`?" if close else f"There are: {', '.join(known)}"
        raise UserError(f"task `{recipe.task}` has no training metric {name!r}", where="training.metric", hint=hint)
    return Objective(name, known[name], name in outputs)
