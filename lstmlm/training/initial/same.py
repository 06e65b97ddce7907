"""Compares an earlier model of the same task with the recipe: all of its weights are to be taken over."""

from __future__ import annotations

from typing import Any

from lstmlm.errors import UserError
from lstmlm.publish.manifest import Manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.model import REGULARISATION, ModelSection
from lstmlm.tokenizer.identity import vocabulary_facts
from lstmlm.training.checkpoints.identity import differences
from lstmlm.training.initial.earlier import FIELD, Earlier


def check_same_network(recipe: Recipe, earlier: Earlier) -> None:
    """Checks that an earlier model is of the network that is to be trained; what is dropped in training may differ.

    `cutoffs` are compared where the vocabularies are (`lstmlm.training.initial.vocabulary`).

    Raises:
        UserError: It is of another one; both sides are named.
    """
    before, now = ({"model": _network(model)} for model in (earlier.model, recipe.model))
    changed = "; ".join(differences(before, now))
    if changed:
        what = f"another network than that of {earlier.folder}: {changed}"
        raise UserError(what, where=FIELD, hint="Use the `model` section it was trained with")
    own = getattr(recipe.task_options, "direction", "forward") == "backward"
    if own != earlier.backward:
        ways = ["backward" if one else "forward" for one in (earlier.backward, own)]
        what = f"{earlier.folder} reads {ways[0]}, and this recipe reads {ways[1]}"
        hint = "Set task_options.direction, or name in `parts` what is to be taken over"
        raise UserError(what, where=FIELD, hint=hint)


def _network(model: ModelSection) -> dict[str, Any]:
    return model.model_dump(mode="json", exclude={*REGULARISATION, "cutoffs"})


def check_labels(earlier: Earlier, vocabulary: Manifest) -> None:
    """Checks that an earlier model predicts the same labels.

    Raises:
        UserError: It does not.
    """
    before, now = (earlier.vocabulary or {}).get("labels"), vocabulary_facts(vocabulary).get("labels")
    if earlier.vocabulary is not None and before != now:
        what = f"{earlier.folder} was trained with other labels than the train split has"
        hint = "Set training.initial.parts=[embedding, layers], to learn the new labels"
        raise UserError(what, where=FIELD, hint=hint)
