"""Fits the weights of an earlier model to the vocabulary of the run, which may have grown since."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lstmlm.errors import UserError
from lstmlm.models.parts import TABLE
from lstmlm.publish.manifest import read_manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.tokenizer import tokenizer_file
from lstmlm.tokenizer.growth import growth_from
from lstmlm.tokenizer.identity import check_same_vocabulary, vocabulary_facts
from lstmlm.training.initial.earlier import FIELD, Earlier

if TYPE_CHECKING:
    from lstmlm.training.initial.earlier import Arrays

ROWS = (TABLE, "embedding/bias")
"""The arrays that have a row for each piece."""


def fitted(recipe: Recipe, earlier: Earlier, tokenizer: Path) -> Arrays:
    """Returns the weights of an earlier model for the vocabulary of the run.

    Where that grew from the earlier model's, a new piece gets the mean of the rows of the old pieces that it decomposes
    into: the average that Hewitt (2021) shows to keep a model's predictions close to what they were.

    Raises:
        UserError: It is another vocabulary, or an adaptive softmax would have other clusters.
    """
    vocabulary = read_manifest(tokenizer, "tokenizer")
    growth = None
    if earlier.vocabulary is not None:
        growth = growth_from(tokenizer_file(tokenizer), earlier.vocabulary)
    if growth is None:
        hint = "Use the tokenizer of the earlier model (tokenizer.model), or let it grow (tokenizer.grows)"
        check_same_vocabulary(f"weights in {earlier.folder}", earlier.vocabulary, vocabulary, hint=hint, labels=False)
    if earlier.vocabulary is not None:
        _check_clusters(recipe, earlier, int(earlier.vocabulary["size"]), int(vocabulary_facts(vocabulary)["size"]))
    arrays = earlier.arrays()
    if growth is None:
        return arrays
    return arrays | {name: growth.rows(arrays[name]) for name in ROWS if name in arrays}


def _check_clusters(recipe: Recipe, earlier: Earlier, older: int, size: int) -> None:
    """Checks that an adaptive softmax has its clusters where the earlier model's were, of `older` tokens."""
    before, now = earlier.model.clusters(older), recipe.model.clusters(size)
    if before and now and before != now:
        what = f"the clusters of {earlier.folder} begin at {list(before)}, and those of this recipe at {list(now)}"
        raise UserError(what, where=FIELD, hint=f"Set model.cutoffs={list(before)}")
