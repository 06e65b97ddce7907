"""Checks `training.initial` before any worker starts."""

from __future__ import annotations

from pathlib import Path

from lstmlm.publish.manifest import Manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.task import load_task
from lstmlm.tokenizer import stored_labels, tokenizer_file
from lstmlm.tokenizer.identity import vocabulary_facts


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
    found = taken(recipe, vocabulary, network, verify=True)
    check_something_learns(network.named_variables().keys() - frozen(initial, network.parts(), found))
