"""Checks `training.initial` before any worker starts."""

from __future__ import annotations

from pathlib import Path

from lstmlm.errors import UserError
from lstmlm.publish.manifest import Manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.task import load_task
from lstmlm.tokenizer import stored_labels, tokenizer_file
from lstmlm.tokenizer.identity import vocabulary_facts
from lstmlm.training.initial.earlier import FIELD, Earlier, read_earlier


def check_initial(recipe: Recipe, tokenizer: Path, vocabulary: Manifest) -> None:
    """Checks that the earlier models are whole, and that what is to be taken over fits.

    Args:
        recipe: The run.
        tokenizer: The tokenizer folder.
        vocabulary: Its manifest.

    Raises:
        UserError: There is no such model, or it differs; both sides are named.
    """
    initial = recipe.training.initial
    if initial is None:
        return
    from lstmlm.training.initial.groups import check_something_learns, frozen
    from lstmlm.training.initial.take import taken

    labels = stored_labels(tokenizer_file(tokenizer))
    network = load_task(recipe.task).build(recipe, vocabulary_facts(vocabulary)["size"], labels)
    if initial.resume:
        _check_resumable(recipe, read_earlier(initial.model), vocabulary)
    found = taken(recipe, tokenizer, network, verify=True)
    check_something_learns(network.named_variables().keys() - frozen(initial, network.parts(), found))


def _check_resumable(recipe: Recipe, earlier: Earlier, vocabulary: Manifest) -> None:
    hint = "Use the task and the tokenizer of the earlier model, or leave resume out"
    if earlier.task != recipe.task:
        what = f"{earlier.folder} was trained for task {earlier.task}, and this recipe is for {recipe.task}"
        raise UserError(what, where=f"{FIELD}.resume", hint=hint)
    if earlier.vocabulary != vocabulary_facts(vocabulary):
        what = f"{earlier.folder} was trained with another vocabulary, for which the optimizer has no state"
        raise UserError(what, where=f"{FIELD}.resume", hint=hint)
