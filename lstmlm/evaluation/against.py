"""Compares a model with an earlier one on the same records: no worse than that by more than a bound."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from lstmlm.errors import UserError
from lstmlm.inference.model.same_network import trained_network
from lstmlm.publish.cache import local_copy
from lstmlm.publish.manifest import read_manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.evaluation import Threshold
from lstmlm.recipe.sections.initial import refuse_last_blessed
from lstmlm.storage import place
from lstmlm.training.metrics.objective import SCORED

if TYPE_CHECKING:
    from lstmlm.records.record import Record
    from lstmlm.task import Better, Task

FIELD = "evaluation.against"


def against_fingerprint(recipe: Recipe) -> str | None:
    """Returns what identifies the model that a run's model is compared with; None: it is compared with none.

    Raises:
        UserError: It is not there.
    """
    folder = recipe.evaluation.against
    if folder is None:
        return None
    refuse_last_blessed(folder, FIELD, "an export folder")
    return read_manifest(place(folder), "export").fingerprint


def measure_earlier(
    recipe: Recipe, task: Task, records: Sequence[Record], training: Path | None
) -> Mapping[str, Any] | None:
    """Measures the earlier model as the recipe's own is measured; None: there is none.

    Args:
        recipe: The run. The earlier model's network may be another one, and so may its vocabulary.
        task: The task of both.
        records: The valid split.
        training: See `Task.evaluate`.

    Raises:
        UserError: The earlier model is damaged, or of another task.
    """
    folder = recipe.evaluation.against
    if folder is None:
        return None
    folder = local_copy(folder)
    read_manifest(folder, "export", verify=True)
    trained, model = trained_network(folder)
    if trained != recipe.task:
        what = f"{recipe.evaluation.against} is a model for task {trained}, and this recipe is for {recipe.task}"
        raise UserError(what, where=FIELD, hint="Name a model of this task")
    earlier = recipe.model_copy(update={"model": model})
    return task.evaluate(folder, records, training, earlier)


def worsened(
    metrics: Mapping[str, Any],
    earlier: Mapping[str, Any],
    thresholds: Mapping[str, Threshold],
    task: Task,
    added: Mapping[str, Better] | None = None,
) -> Iterator[str]:
    """Yields a sentence for every metric that is worse than the earlier model's by more than its bound.

    Args:
        metrics: The model's.
        earlier: The earlier model's.
        thresholds: Metric name -> bounds.
        task: Says which value of a metric is better; one that it does not know is better the higher it is.
        added: The same for metrics that the recipe adds.
    """
    better = {**SCORED, **(added or {}), **task.output_metrics}
    for name, bounds in sorted(thresholds.items()):
        if bounds.worse is None:
            continue
        own, before = metrics.get(name), earlier.get(name)
        if not _is_number(own) or not _is_number(before):
            yield f"{name} cannot be compared with that of the earlier model: {own} and {before}"
            continue
        loss = own - before if better.get(name, "higher") == "lower" else before - own
        if loss > bounds.worse:
            text = f"{name} is {own:.6g}, worse than the earlier model's {before:.6g} by {loss:.6g}"
            yield f"{text}, more than {bounds.worse:.6g}"


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
