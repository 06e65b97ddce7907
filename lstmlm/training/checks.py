"""What is refused before any worker starts."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from lstmlm.errors import UserError
from lstmlm.publish import Manifest
from lstmlm.recipe import Recipe
from lstmlm.task import load_task
from lstmlm.tokenizer.identity import check_recipe_vocabulary, check_same_vocabulary
from lstmlm.training.identity import deciding, differences
from lstmlm.training.objective import choose_objective

logger = logging.getLogger(__name__)

RECIPE_FILE = "recipe.json"
"""Name of the recipe beside its checkpoints."""


def check_inputs(recipe: Recipe, data: Manifest, pieces: Manifest) -> None:
    """Checks what can be checked of a run's inputs.

    Any number of workers may share any number of shards: each reads all and takes rows of its own of every batch.

    Args:
        recipe: The run.
        data: Manifest of the examples.
        pieces: Manifest of the tokenizer.

    Raises:
        UserError: There is no such metric, the vocabulary is not that of the examples or the recipe, the data is too
            little, a worker would have no row of a batch, or a task without running text is to have a neural cache.
    """
    choose_objective(recipe)
    if recipe.evaluation.cache.size and load_task(recipe.task).has_targets:
        what = f"a neural cache remembers running text, which task {recipe.task} has none of"
        raise UserError(what, where="evaluation.cache", cure="Leave it out")
    check_recipe_vocabulary(recipe, pieces)
    cure = "Run the examples stage again with this tokenizer, or name the tokenizer they were made with"
    check_same_vocabulary("examples", data.facts.get("vocabulary"), pieces, cure=cure)
    splits = data.facts.get("splits", {})
    if splits:
        _check_enough(recipe, splits["train"], splits["valid"])
    training = recipe.training
    if not load_task(recipe.task).has_targets and training.most_workers > training.batch:
        what = f"{training.most_workers} workers share batches of {training.batch} rows, so some would have none"
        raise UserError(what, where="training.workers", cure="Lower training.workers or raise training.batch")


def _check_enough(recipe: Recipe, train: Mapping[str, int], valid: Mapping[str, int]) -> None:
    """Checks that there is a batch to train on and one to judge by."""
    plan = recipe.training
    cure = "Lower training.batch, or give more text"
    if load_task(recipe.task).has_targets:
        batches, cure = train["examples"], "Give more text"  # a batch that is not full is filled up
    elif plan.carry_state:
        batches = train["tokens"] // (plan.batch * recipe.examples.window)
    else:
        batches = train["examples"] // plan.batch
    if not batches:
        what = f"the batch is larger than the data: {train['examples']} examples make not one training batch"
        raise UserError(what, where="training.batch", cure=cure)
    if not valid["examples"]:
        cure = "Raise corpus.valid_fraction or name a corpus.valid with text in it"
        raise UserError("the valid split is empty, so there is nothing to judge by", where="examples", cure=cure)


def tell_other_recipes(recipe: Recipe, folder: Path, own: str) -> None:
    """Logs which checkpoints of earlier, unfinished runs are not gone on with, and why.

    Args:
        recipe: The run.
        folder: Where the folders of checkpoints lie, one for each thing that was trained.
        own: Name of this run's folder there.
    """
    for path in sorted(folder.glob(f"*/{RECIPE_FILE}")):
        if path.parent.name == own or not any(path.parent.glob("step-*")):
            continue
        try:
            before = deciding(Recipe.model_validate_json(path.read_text(encoding="utf-8")))
        except ValueError:
            changed = "it has fields that are not known here"
        else:
            changed = "; ".join(differences(before, deciding(recipe))) or "the examples or the tokenizer were others"
        logger.warning("%s: these checkpoints are of another recipe and stay unused: %s", path.parent, changed)
