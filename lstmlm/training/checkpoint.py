"""Checkpoints: weights, optimizer, step and data position; published whole, checked by sha256, the newest k kept."""

from __future__ import annotations

import dataclasses
import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from lstmlm.errors import UserError
from lstmlm.publish import publish, read_manifest

logger = logging.getLogger(__name__)


@dataclasses.dataclass(slots=True)
class Position:
    """Where training stands: all a resumed run needs beside the arrays.

    Attributes:
        step: Optimizer steps done.
        epoch: Pass over the data, from 0.
        batch: Global batches of this epoch already used.
        best: Smallest validation loss so far (nats a token).
        best_step: The step it was reached at.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    best: float = float("inf")
    best_step: int = 0


def save_arrays(path: Path, variables: Mapping[str, tf.Variable]) -> None:
    """Writes variables as an uncompressed .npz without pickles."""
    with path.open("wb") as stream:
        np.savez(stream, **{name.replace("/", "|"): variable.numpy() for name, variable in variables.items()})


def load_arrays(path: Path, variables: Mapping[str, tf.Variable]) -> None:
    """Assigns every variable from an .npz.

    Raises:
        UserError: Names or shapes differ from the model's.
    """
    with np.load(path, allow_pickle=False) as arrays:
        found = {name.replace("|", "/"): arrays[name] for name in arrays.files}
    differing = sorted(
        name
        for name in found.keys() | variables.keys()
        if name not in found or name not in variables or found[name].shape != tuple(variables[name].shape)
    )
    if differing:
        what = f"these weights are of another model: {', '.join(differing[:3])} differ"
        raise UserError(what, where=str(path), cure="Use the recipe they were trained with")
    for name, variable in variables.items():
        variable.assign(found[name])


def save_checkpoint(folder: Path, variables: Mapping[str, tf.Variable], position: Position, keep: int) -> None:
    """Publishes `folder/step-00000123` and removes all but the newest `keep`."""
    target = folder / f"step-{position.step:08d}"
    shutil.rmtree(target, ignore_errors=True)
    with publish(target, "checkpoint") as draft:
        save_arrays(draft.path / "arrays.npz", variables)
        draft.facts = dataclasses.asdict(position)
    for old in sorted(folder.glob("step-*"))[:-keep]:
        shutil.rmtree(old)


def restore_newest(folder: Path, variables: Mapping[str, tf.Variable]) -> Position:
    """Loads the newest whole checkpoint; a damaged one is passed over with a warning.

    Returns:
        Where training stands; the beginning where there is no checkpoint.
    """
    for candidate in sorted(folder.glob("step-*"), reverse=True):
        try:
            facts: dict[str, Any] = read_manifest(candidate, "checkpoint", verify=True).facts
        except UserError as error:
            logger.warning("checkpoint passed over: %s", error)
            continue
        load_arrays(candidate / "arrays.npz", variables)
        return Position(**facts)
    return Position()


def append_json(path: Path, row: Mapping[str, Any]) -> None:
    """Appends one JSON object as a line."""
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(dict(row)) + "\n")
