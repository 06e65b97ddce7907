"""Checks the inputs of training before any worker starts."""

from __future__ import annotations

from collections.abc import Mapping

from lstmlm.errors import UserError
from lstmlm.publish.folder import Manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.task import load_task
from lstmlm.tokenizer.identity import check_recipe_vocabulary, check_same_vocabulary
from lstmlm.training.metrics.objective import choose_objective


def check_inputs(recipe: Recipe, data: Manifest, vocabulary: Manifest) -> None:
    """Checks what can be checked of a run's inputs.

    Any number of workers may share any number of shards: each takes rows of its own of every batch.

    Args:
        recipe: The run.
        data: Manifest of the examples.
        vocabulary: Manifest of the tokenizer.

    Raises:
        UserError: There is no such metric, the vocabulary is not that of the examples or the recipe, the data is too
            little, a worker would have no row of a batch, or a task without running text is to have a neural cache.
    """
    choose_objective(recipe)
    if recipe.evaluation.cache.size and "evaluation.cache.size" in load_task(recipe.task).unused_fields():
        what = f"a neural cache needs running text, which task {recipe.task} does not have"
        raise UserError(what, where="evaluation.cache", hint="Leave it out")
    check_recipe_vocabulary(recipe, vocabulary)
    hint = "Run the examples stage again with this tokenizer, or name the tokenizer they were made with"
    check_same_vocabulary("examples", data.facts.get("vocabulary"), vocabulary, hint=hint)
    splits = data.facts.get("splits", {})
    if splits:
        _check_enough(recipe, splits["train"], splits["valid"])
    training, task = recipe.training, load_task(recipe.task)
    rows = task.most_rows(recipe)
    if training.most_workers > rows:
        what = f"{training.most_workers} workers share batches of {rows} rows, so some would have none"
        hint = f"Lower training.workers or raise training.{task.batch_field}"
        raise UserError(what, where="training.workers", hint=hint)


def _check_enough(recipe: Recipe, train: Mapping[str, int], valid: Mapping[str, int]) -> None:
    """Checks that there is at least one batch for training and one for evaluation."""
    task = load_task(recipe.task)
    if not task.full_batches(train, recipe):
        hint = "Lower training.batch, or give more text" if task.batch_field == "batch" else "Give more text"
        what = f"the training split has {train['examples']} examples, fewer than one batch"
        raise UserError(what, where="training.batch", hint=hint)
    if not valid["examples"]:
        hint = "Raise corpus.valid_fraction or name a corpus.valid with text in it"
        raise UserError("the valid split is empty, so nothing can be evaluated", where="examples", hint=hint)
