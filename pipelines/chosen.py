"""The model that `last_blessed` means in a run: chosen when the run begins, and kept for all of its stages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lstmlm.publish.folder import replacing
from lstmlm.publish.manifest import fingerprint, read_object
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.initial import LAST_BLESSED

FOLDER = "last_blessed"
"""Folder of the run's folder with the choice of each run id."""


def with_kept_choice(recipe: Recipe, run_id: str) -> Recipe | None:
    """Returns a recipe that names the model that was chosen for a run id; None: nothing was chosen yet.

    A recipe that does not say `last_blessed` is returned as it is.

    Raises:
        UserError: What was kept is damaged.
    """
    if LAST_BLESSED not in _named(recipe).values():
        return recipe
    path = _kept(recipe, run_id)
    if not path.is_file():
        return None
    model = read_object(path, "run_id", "model")["model"]
    return naming(recipe, None if model is None else recipe.run_folder.resolve() / str(model))


def keep_choice(recipe: Recipe, run_id: str, model: Path | None) -> None:
    """Keeps the choice for a run id: a folder below the run's, which may be moved, or None."""
    path, home = _kept(recipe, run_id), recipe.run_folder.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    place = None if model is None else str(model.relative_to(home))
    with replacing(path, durable=True) as stream:
        stream.write(json.dumps({"run_id": run_id, "model": place}).encode() + b"\n")


def naming(recipe: Recipe, model: Path | None) -> Recipe:
    """Returns a recipe with a model in the place of `last_blessed`; without one, as if it did not say so."""
    changed: dict[str, Any] = {}
    named, initial = _named(recipe), recipe.training.initial
    if initial is not None and named["initial"] == LAST_BLESSED:
        start = None if model is None else initial.model_copy(update={"model": model})
        changed["training"] = recipe.training.model_copy(update={"initial": start})
    if named["against"] == LAST_BLESSED:
        changed["evaluation"] = recipe.evaluation.model_copy(update={"against": model})
    return recipe.model_copy(update=changed)


def run_name(run_id: str) -> str:
    """Returns a run id as the name of a file or folder: it may hold anything, such as slashes."""
    return fingerprint(run_id)[:16]


def _named(recipe: Recipe) -> dict[str, Path | None]:
    initial = recipe.training.initial
    return {"initial": None if initial is None else initial.model, "against": recipe.evaluation.against}


def _kept(recipe: Recipe, run_id: str) -> Path:
    return recipe.run_folder / FOLDER / f"{run_name(run_id)}.json"
