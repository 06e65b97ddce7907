"""Continues a finished training with more steps, or resumes such a continuation.

The state at the end of a run's last training is kept in `trained` in the run's folder, for a recipe that asks for more
steps. Whatever else differs makes another training, which begins at step 0.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lstmlm.errors import UserError
from lstmlm.publish.durable import remove_folder
from lstmlm.publish.locks import locked
from lstmlm.publish.manifest import MANIFEST, Manifest, content_folder, read_manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.section import FROM_DATA
from lstmlm.storage import StorePath
from lstmlm.storage.files import copy_file
from lstmlm.training.checkpoints.checkpoint import checkpoints
from lstmlm.training.checkpoints.identity import deciding, differences
from lstmlm.training.metrics.log import METRICS_FILE, read_metrics

logger = logging.getLogger(__name__)

TRAINED = "trained"
"""Folder in the run's folder, of the state that its last training ended with."""
RECIPE_FILE = "recipe.json"
"""Name of the recipe in a folder of checkpoints."""
DATA_FILE = "data.json"
"""Name of the fingerprints of what was trained on."""
MADE_FILE = "made.json"
"""Name of the fingerprint of the model that came out of it."""
EARLIER_FILE = "earlier.jsonl"
"""Name of the rows of the trainings before that this one resumes."""
_ROWS = (METRICS_FILE, EARLIER_FILE)


def describe(work: Path, recipe: Recipe, data: Mapping[str, str]) -> None:
    """Writes down what a folder of checkpoints is of.

    Args:
        work: The folder.
        recipe: The run.
        data: The fingerprints of what is trained on.
    """
    (work / RECIPE_FILE).write_text(recipe.model_dump_json(indent=1) + "\n", encoding="utf-8")
    (work / DATA_FILE).write_text(json.dumps(data) + "\n", encoding="utf-8")


def take_over(work: Path, recipe: Recipe, data: Mapping[str, str], others: Iterable[Path]) -> int:
    """Copies the state of a training that differs by its number of steps, and logs what stays unused and why.

    Args:
        work: Folder of this training.
        recipe: The run.
        data: The fingerprints of what is trained on.
        others: Folders with checkpoints of other trainings.

    Returns:
        The step this training resumes from; 0 where nothing was taken over.
    """
    found: list[tuple[int, Path]] = []
    for folder in sorted({path.resolve() for path in others} - {work.resolve()}):
        saved = checkpoints(folder)
        if not saved:
            continue
        changed, step = _changed(folder, recipe, data), int(saved[-1].name.removeprefix("step-"))
        if changed is None and step < recipe.training.steps:
            found.append((step, folder))
        elif folder.name != TRAINED:  # what has ended needs no warning
            changed = changed or f"it has {step} steps, and training.steps is {recipe.training.steps}"
            logger.warning("%s: these checkpoints are of another recipe and are ignored: %s", folder, changed)
    if checkpoints(work):
        return 0
    for step, folder in sorted(found, reverse=True):
        if _copied(folder, work, step):
            text = "training resumes from step %d of another recipe (training.steps is %d now): %s"
            logger.warning(text, step, recipe.training.steps, folder)
            return step
    return 0


def _changed(folder: Path, recipe: Recipe, data: Mapping[str, str]) -> str | None:
    """Returns what keeps a training from being resumed with this recipe; None: nothing does."""
    try:
        before = deciding(Recipe.model_validate_json((folder / RECIPE_FILE).read_bytes(), context=FROM_DATA))
        trained_on = json.loads((folder / DATA_FILE).read_bytes())
    except (OSError, ValueError):
        return "it was written by another version"
    now = deciding(recipe)
    for content in (before, now):
        content["training"].pop("steps")
    changed = "; ".join(differences(before, now))
    return changed or ("the examples or the tokenizer were others" if trained_on != dict(data) else None)


def _copied(folder: Path, work: Path, step: int) -> bool:
    """Copies a state; returns whether it is whole and nobody else is at work on it."""
    try:
        with locked(folder):
            newest = checkpoints(folder)[-1]
            manifest = read_manifest(newest, "checkpoint", verify=True)
            for best in folder.glob("best-*.npz"):
                copy_file(best, work / best.name)
            rows = [
                line
                for name in (EARLIER_FILE, METRICS_FILE)
                if (folder / name).is_file()
                for line in (folder / name).read_text(encoding="utf-8").splitlines(keepends=True)
                if line.endswith("\n") and json.loads(line)["step"] <= step
            ]
            (work / EARLIER_FILE).write_text("".join(rows), encoding="utf-8")
            _copy_checkpoint(newest, manifest, work)  # the last
    except (OSError, UserError, ValueError, KeyError, IndexError) as error:
        logger.warning("%s: these checkpoints are ignored: %s", folder, error)
        return False
    return True


def _copy_checkpoint(checkpoint: Path, manifest: Manifest, work: Path) -> None:
    """Copies a checkpoint into a folder; a copy that is cut off is none."""
    if not isinstance(work, StorePath):
        copy = work / f".{checkpoint.name}.copy"
        shutil.copytree(checkpoint, copy, dirs_exist_ok=True)
        os.replace(copy, work / checkpoint.name)
        return
    source, target = content_folder(checkpoint, manifest), work / checkpoint.name
    for name in manifest.files:
        copy_file(source / name, target / manifest.attempt / name)
    copy_file(checkpoint / MANIFEST, target / MANIFEST)


def keep_last(work: Path, run_folder: Path, stamp: str) -> None:
    """Keeps the state at the end of a training in place of that of the training before.

    Args:
        work: Folder of this training; the caller removes what stays in it.
        run_folder: Folder of the run; in a store if `work` is.
        stamp: The fingerprint of the model that came out of it.
    """
    saved = checkpoints(work)
    if not saved:
        return
    if isinstance(work, StorePath):
        with contextlib.suppress(OSError):
            _keep_stored(work, saved[-1], run_folder / TRAINED, stamp)
        return
    last, making = run_folder / TRAINED, run_folder / f".{TRAINED}.{os.getpid()}"
    with contextlib.suppress(OSError):  # the model is published: this is for later
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        kept = [saved[-1], *work.glob("best-*.npz")]
        kept += [work / name for name in (RECIPE_FILE, DATA_FILE, METRICS_FILE, EARLIER_FILE)]
        for path in kept:
            if path.exists():
                os.replace(path, making / path.name)
        (making / MADE_FILE).write_text(json.dumps({"model": stamp}) + "\n", encoding="utf-8")
        shutil.rmtree(last, ignore_errors=True)
        os.replace(making, last)
    shutil.rmtree(making, ignore_errors=True)


def _keep_stored(work: StorePath, newest: Path, last: Path, stamp: str) -> None:
    remove_folder(last)
    for path in [*work.glob("best-*.npz"), *(work / name for name in (RECIPE_FILE, DATA_FILE, *_ROWS))]:
        if path.is_file():
            copy_file(path, last / path.name)
    (last / MADE_FILE).write_text(json.dumps({"model": stamp}) + "\n", encoding="utf-8")
    _copy_checkpoint(newest, read_manifest(newest, "checkpoint"), last)


def earlier_rows(work: Path) -> list[dict[str, Any]]:
    """Returns the rows of the trainings that this one resumes."""
    return read_metrics(work / EARLIER_FILE)
