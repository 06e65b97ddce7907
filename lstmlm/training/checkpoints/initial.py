"""Initial weights: starts training from an earlier model (`training.initial`) in place of random weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lstmlm.errors import UserError
from lstmlm.publish.folder import read_manifest
from lstmlm.publish.manifest import Manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.model import REGULARISATION
from lstmlm.task import load_task
from lstmlm.tokenizer.identity import check_same_vocabulary, vocabulary_facts
from lstmlm.training.checkpoints.identity import differences

FIELD = "training.initial"


def check_initial(recipe: Recipe, vocabulary: Manifest) -> str | None:
    """Checks that the earlier model is of the network and the vocabulary that are to be trained.

    Args:
        recipe: The run.
        vocabulary: Manifest of the tokenizer.

    Returns:
        The fingerprint of the initial weights; None where the recipe names none.

    Raises:
        UserError: There is no such model, or it differs; both sides are named.
    """
    folder = recipe.training.initial
    if folder is None:
        return None
    found = read_manifest(folder)
    if found.kind not in ("model", "export"):
        raise UserError(f"expected a `model` folder, found `{found.kind}`: {folder}", where=FIELD)
    before = _recipe(folder)
    now: dict[str, Any] = {"task": recipe.task, "model": recipe.model.model_dump(mode="json")}
    for content in (before, now):
        content["model"] = {name: value for name, value in content["model"].items() if name not in REGULARISATION}
    changed = "; ".join(differences({name: before[name] for name in now if name in before}, now))
    if changed:
        what = f"another network than that of {folder}: {changed}"
        raise UserError(what, where=FIELD, hint="Use the `model` section it was trained with")
    hint = "Use the tokenizer of the earlier model, and make the examples with it"
    check_same_vocabulary(f"weights in {folder}", found.facts.get("vocabulary"), vocabulary, hint=hint)
    _check_shapes(recipe, folder / "weights.npz", vocabulary_facts(vocabulary)["size"], _labels(vocabulary))
    return found.files["weights.npz"]["sha256"]


def _recipe(folder: Path) -> dict[str, Any]:
    """Returns the recipe that a model was trained with; without a section of the network where it is not known."""
    try:
        content: dict[str, Any] = json.loads((folder / "model.json").read_bytes())["recipe"]
        return content | {"model": dict(content["model"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "Name the output folder of a finished `lstmlm train`"
        raise UserError("the earlier model does not say how it was trained", where=FIELD, hint=hint) from error


def _labels(vocabulary: Manifest) -> list[str]:
    """Returns as many labels as the vocabulary has: the shapes depend on their number only."""
    return [str(number) for number in range(int(vocabulary.facts.get("labels", 0)))]


def _check_shapes(recipe: Recipe, weights: Path, vocabulary: int, labels: Sequence[str]) -> None:
    from lstmlm.models.weights import read_arrays

    wanted = load_task(recipe.task).build(recipe, vocabulary, labels).named_variables()
    found = read_arrays(weights)
    for name in sorted(found.keys() | wanted.keys()):
        there = list(found[name].shape) if name in found else "missing"
        here = list(wanted[name].shape) if name in wanted else "missing"
        if there != here:
            what = f"the weights in {weights} do not fit: {name} is {there} there and {here} in this recipe"
            raise UserError(what, where=FIELD, hint="Use the `model` section it was trained with")
