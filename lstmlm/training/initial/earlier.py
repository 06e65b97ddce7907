"""Reads the folder of an earlier model as data: what it was trained as, its vocabulary, its weights."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lstmlm.errors import UserError
from lstmlm.publish.cache import local_copy
from lstmlm.publish.folder import Manifest, fingerprint, read_manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.initial import Initial, refuse_last_blessed
from lstmlm.recipe.sections.model import ModelSection
from lstmlm.storage import place
from lstmlm.tokenizer.identity import stored_vocabulary_facts

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Arrays = dict[str, npt.NDArray[np.float32]]
    """Name of a variable -> its values."""

FIELD = "training.initial"
_HINT = "Name the output folder of a finished `lstmlm train` or `lstmlm export`"


@dataclasses.dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier model.

    Attributes:
        folder: Its folder.
        files: The same on this machine.
        task: The task it was trained for.
        model: Its network.
        backward: Whether it is a language model that reads backward.
        vocabulary: Its `vocabulary_facts`; None where an old folder does not say them.
    """

    folder: Path
    files: Path
    task: str
    model: ModelSection
    backward: bool
    vocabulary: Mapping[str, Any] | None

    def arrays(self) -> Arrays:
        """Returns its weights.

        Raises:
            UserError: The file is damaged.
        """
        from lstmlm.models.weights import read_arrays

        return read_arrays(self.files / "weights.npz")


def read_earlier(folder: Path, *, verify: bool = False) -> Earlier:
    """Reads what a model or export folder says of itself. Nothing that it names is imported.

    Args:
        folder: The folder, or the URL of one in a store.
        verify: Compare every file with its hash in the manifest.

    Raises:
        UserError: It is not a finished model, damaged, or does not say how it was trained.
    """
    found = _manifest(folder, verify=verify)
    folder, files = place(folder), local_copy(folder)
    try:
        content = json.loads((files / "model.json").read_bytes())
        recipe = content["recipe"]
        model, task = ModelSection.model_validate(recipe["model"]), str(recipe["task"])
        backward = (recipe.get("task_options") or {}).get("direction") == "backward"
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
        raise UserError(f"{folder} does not say how it was trained", where=FIELD, hint=_HINT) from error
    return Earlier(folder, files, task, model, backward, stored_vocabulary_facts(found, content.get("vocabulary")))


def _manifest(folder: Path, *, verify: bool = False) -> Manifest:
    refuse_last_blessed(folder, FIELD, "the folder of a model")
    folder = place(folder)
    found = read_manifest(folder, verify=verify)
    if found.kind not in ("model", "export") or "weights.npz" not in found.files:
        raise UserError(f"expected a `model` folder, found `{found.kind}`: {folder}", where=FIELD, hint=_HINT)
    return found


def with_absolute_paths(recipe: Recipe) -> Recipe:
    """Returns a recipe whose earlier models are found from every folder, such as that of a worker."""
    initial = recipe.training.initial
    if initial is None:
        return recipe
    backward = None if initial.backward is None else place(initial.backward).resolve()
    changed = initial.model_copy(update={"model": place(initial.model).resolve(), "backward": backward})
    training = recipe.training.model_copy(update={"initial": changed})
    return recipe.model_copy(update={"training": training})


def initial_fingerprint(recipe: Recipe) -> str | None:
    """Returns what identifies the start of a training: the content of the earlier models, and how they are used.

    Where they are does not count. None where training starts from random weights.

    Raises:
        UserError: A folder is not a finished model.
    """
    initial = recipe.training.initial
    if initial is None:
        return None
    content = _manifest(initial.model).fingerprint
    # What is left at its default does not count, as in `Stage.decided`.
    how = initial.model_dump(mode="json", exclude={"model", "backward"}, exclude_defaults=True)
    if initial.backward is not None:
        how["backward"] = _manifest(initial.backward).fingerprint
    return fingerprint(content, how) if how else content


def lineage(recipe: Recipe) -> dict[str, Any]:
    """Returns, for the manifest of a model, `initial`: the fingerprints of the earlier models; nothing without one."""
    initial = recipe.training.initial
    if initial is None:
        return {}
    folders = {"model": initial.model, "backward": initial.backward}
    return {"initial": {name: _manifest(folder).fingerprint for name, folder in folders.items() if folder is not None}}


def whole(initial: Initial, earlier: Earlier, task: str) -> bool:
    """Says whether all of an earlier model is taken over, and not some parts of it."""
    return not initial.parts and earlier.task == task and initial.backward is None
