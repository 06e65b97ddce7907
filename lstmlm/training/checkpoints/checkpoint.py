"""Checkpoints: weights, optimizer state, weight averages, recurrent state, position and recipe.

They are published whole, checked by sha256, and the newest k are kept. No random state is among them, because all
noise is a pure function of the seed and the step.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from lstmlm.errors import TryAgain, UserError
from lstmlm.models.weights import load_arrays, save_arrays
from lstmlm.publish.cache import whole_copy
from lstmlm.publish.durable import remove_folder
from lstmlm.publish.folder import publish
from lstmlm.storage import StorePath
from lstmlm.training.checkpoints.identity import differences

logger = logging.getLogger(__name__)


@dataclasses.dataclass(slots=True)
class Position:
    """The position in training: all a resumed run needs in addition to the arrays and the recipe.

    Attributes:
        step: Optimizer steps done.
        epoch: Pass over the data, from 0.
        batch: Global batches of this epoch already used.
        evaluated: The steps that were evaluated.
        losses: Their validation losses (nats per token).
        costs: What they are compared by (see `lstmlm.training.metrics.objective`); smaller is better.
        unlogged_nats: Sum of the training loss over the tokens since the last row of the metrics, nats.
        unlogged_tokens: Number of these tokens.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    evaluated: list[int] = dataclasses.field(default_factory=list)
    losses: list[float] = dataclasses.field(default_factory=list)
    costs: list[float] = dataclasses.field(default_factory=list)
    unlogged_nats: float = 0.0
    unlogged_tokens: float = 0.0

    def best_steps(self, count: int) -> list[int]:
        """Returns the steps of the `count` best evaluations, the best first."""
        order = sorted(range(len(self.costs)), key=lambda place: (self.costs[place], place))
        return [self.evaluated[place] for place in order[:count]]


def save_checkpoint(
    folder: Path, variables: Mapping[str, tf.Variable], position: Position, recipe: Mapping[str, Any], keep: int
) -> None:
    """Publishes `folder/step-00000123` and removes all but the newest `keep`.

    Args:
        folder: The folder of a run's checkpoints.
        variables: Everything that changes in training, by name.
        position: The position in training.
        recipe: What decides the weights (see `lstmlm.training.checkpoints.identity.deciding`), and the vocabulary.
        keep: Newest checkpoints that stay.

    Raises:
        UserError: There is no space left; the checkpoints before stay as they are.
    """
    target = folder / checkpoint_name(position.step)
    shutil.rmtree(target, ignore_errors=True)
    with publish(target, "checkpoint") as draft:
        save_arrays(draft.path / "arrays.npz", variables)
        draft.facts = checkpoint_facts(position, recipe)
    remove_others(folder, target, keep)


def checkpoint_facts(position: Position, recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the facts of the manifest of a checkpoint; see `save_checkpoint`."""
    return {"position": dataclasses.asdict(position), "recipe": recipe}


def remove_others(folder: Path, newest: Path, keep: int) -> None:
    """Removes all checkpoints but the newest `keep`.

    Args:
        folder: The folder of a run's checkpoints.
        newest: The one that was just written.
        keep: How many stay.
    """
    found = checkpoints(folder)
    # Those of later steps are damaged: training resumed from an earlier one and makes them again.
    current = [path for path in found if path.name <= newest.name]
    for old in {*found} - {*current[-keep:]}:
        remove_folder(old)


def checkpoint_name(step: int) -> str:
    """Returns the name of the checkpoint of a step."""
    return f"step-{step:08d}"


def checkpoints(folder: Path) -> list[Path]:
    """Returns the checkpoints of a run, whole or damaged, in the order of their steps."""
    return sorted(path for path in folder.glob("step-*") if path.name.removeprefix("step-").isdigit())


def restore_newest(folder: Path, variables: Mapping[str, tf.Variable], recipe: Mapping[str, Any]) -> Position:
    """Loads the newest whole checkpoint; a damaged one is passed over with a warning.

    Args:
        folder: The folder of a run's checkpoints.
        variables: See `save_checkpoint`.
        recipe: See `save_checkpoint`.

    Returns:
        The position in training; the beginning where there is no checkpoint.

    Raises:
        UserError: The checkpoint is of another recipe or vocabulary.
    """
    found = checkpoints(folder)
    for candidate in reversed(found):
        with contextlib.ExitStack() as stack:
            try:
                manifest, here = stack.enter_context(whole_copy(candidate, "checkpoint"))
                position = Position(**manifest.facts["position"])
                saved: dict[str, Any] = manifest.facts["recipe"]
            except TryAgain:  # a store that does not answer
                raise
            except (UserError, KeyError, TypeError) as error:
                logger.warning("%s: skipped a damaged checkpoint: %s", candidate, error)
                continue
            changed = [line for line in differences(saved, recipe) if not line.startswith("training.steps ")]
            if changed:
                what = f"this checkpoint is of another recipe: {'; '.join(changed)}"
                raise UserError(what, where=str(candidate), hint="Use that recipe, or another output folder")
            load_arrays(here / "arrays.npz", variables)
            return position
    if found:
        logger.warning("%s: no intact checkpoint is left, training restarts at step 0", folder)
    return Position()


def check_space(folder: Path, variables: Mapping[str, tf.Variable], copies: int) -> None:
    """Checks that a disk has room for checkpoints; for those in a store, which are written here first, for two.

    Args:
        folder: Where they will be stored.
        variables: What one holds.
        copies: How many there will be at once.

    Raises:
        UserError: It has not.
    """
    if isinstance(folder, StorePath):
        folder, copies = Path(tempfile.gettempdir()), min(copies, 2)
    needed = copies * sum(4 * variable.shape.num_elements() for variable in variables.values())
    free = shutil.disk_usage(folder).free
    if free < needed:
        what = f"checkpoints need {needed / 1e6:,.0f} MB, but only {free / 1e6:,.0f} MB are free"
        raise UserError(what, where=str(folder), hint="Free some space there, or lower training.keep")


def append_json(path: Path, row: Mapping[str, Any]) -> None:
    """Appends one JSON object as a line; a line that a killed process left unfinished is closed first."""
    with path.open("ab+") as stream:
        stream.seek(max(0, stream.tell() - 1))
        torn = stream.read(1) not in (b"", b"\n")
        stream.write((b"\n" if torn else b"") + json.dumps(dict(row)).encode() + b"\n")
