"""Resumes the training that made an earlier model, on other data: its last weights, its optimizer and its step."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lstmlm.errors import UserError
from lstmlm.publish.cache import whole_copy
from lstmlm.publish.folder import replacing
from lstmlm.publish.manifest import read_manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.storage import place
from lstmlm.storage.files import as_file
from lstmlm.training.checkpoints.checkpoint import checkpoints
from lstmlm.training.checkpoints.continuing import MADE_FILE, TRAINED
from lstmlm.training.initial.earlier import FIELD

if TYPE_CHECKING:
    import tensorflow as tf

STATE_FILE = "resumed.npz"
"""Name of the state, in a folder of checkpoints, that a training begins with."""
STEP_FILE = "resumed.json"
"""Name of the number of the step that it was left at."""


def bring_state(recipe: Recipe, home: Path, work: Path) -> None:
    """Copies the state that the earlier training ended with to where the workers look for it.

    It is kept in the folder of the run that made the model.

    Args:
        recipe: The run.
        home: See `lstmlm.training.checkpoints.place.home_of`.
        work: Folder of this training.

    Raises:
        UserError: That state is not there, or there are no steps left to do.
    """
    initial = recipe.training.initial
    if initial is None or not initial.resume or (work / STEP_FILE).is_file():
        return
    folder, wanted = home / TRAINED, read_manifest(place(initial.model)).fingerprint
    found = None
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        found = json.loads((folder / MADE_FILE).read_bytes())["model"]
    saved = checkpoints(folder)
    if found != wanted or not saved:
        what = f"the state that the training of {initial.model} ended with is not in {folder}"
        hint = "Use the run folder that it was trained in (name, output), or leave resume out to start from its weights"
        raise UserError(what, where=f"{FIELD}.resume", hint=hint)
    with whole_copy(saved[-1], "checkpoint") as (manifest, last):
        position = manifest.facts["position"]
        if position["step"] >= recipe.training.steps:
            what = f"the earlier training has {position['step']} steps, and training.steps is {recipe.training.steps}"
            raise UserError(what, where="training.steps", hint="Set it to the steps of both together")
        with (last / "arrays.npz").open("rb") as source, replacing(work / STATE_FILE) as copy:
            shutil.copyfileobj(source, copy)
    (work / STEP_FILE).write_text(json.dumps({"step": position["step"]}) + "\n", encoding="utf-8")


def resumed_step(work: Path, variables: Mapping[str, tf.Variable]) -> int:
    """Assigns the state that `bring_state` left; returns the step it is of, 0 without one.

    The state of running streams stays at zero: they are other streams.

    Args:
        work: Folder of this training.
        variables: Everything that a checkpoint holds.

    Raises:
        UserError: It is of another optimizer or network.
    """
    if not (work / STEP_FILE).is_file():
        return 0
    from lstmlm.models.weights import read_arrays

    with as_file(work / STATE_FILE) as file:
        arrays = read_arrays(file)
    for name, variable in variables.items():
        if name.startswith("state/"):
            continue
        if name not in arrays or arrays[name].shape != tuple(variable.shape):
            what = f"the earlier training has no state {name} of this shape"
            hint = "Use its optimizer, ema, network and vocabulary, or leave resume out"
            raise UserError(what, where=f"{FIELD}.resume", hint=hint)
        variable.assign(arrays[name])
    return int(json.loads((work / STEP_FILE).read_bytes())["step"])
