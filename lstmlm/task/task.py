"""The task interface: records, examples, model, metrics, export and predictions, a part each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from lstmlm.recipe.sections.section import Section
from lstmlm.task.examples import ExampleSide
from lstmlm.task.export import ExportSide
from lstmlm.task.model import ModelSide
from lstmlm.task.predicting import PredictionSide
from lstmlm.task.records import RecordSide

if TYPE_CHECKING:
    from lstmlm.recipe.recipe import Recipe


class Task(RecordSide, ExampleSide, ModelSide, ExportSide, PredictionSide):
    """One kind of work. Stateless: everything it needs comes as an argument."""

    Options: ClassVar[type[Section] | None] = None
    """The model of the recipe's `task_options`; None: the task has none."""

    def unused_fields(self) -> Mapping[str, str]:
        """Returns the fields of the recipe that have no effect in this task, each with the tasks in which they have."""
        by_token = (
            "decoding.scores",
            "inference.prefix",
            "inference.forced",
            "inference.forbidden",
            "inference.models",
        )
        return {"evaluation.metrics": "tasks of pairs", **dict.fromkeys(by_token, "tasks that write token by token")}

    def check_recipe(self, recipe: Recipe) -> None:
        """Refuses, before any work, a recipe that asks for what the task's models cannot do.

        Raises:
            UserError: It names the field at fault.
        """
