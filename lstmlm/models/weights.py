"""The files of weights: variables by name in an .npz."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmlm.errors import UserError
from lstmlm.formats.arrays import read_npz

if TYPE_CHECKING:
    import tensorflow as tf


def save_arrays(path: Path, variables: Mapping[str, tf.Variable]) -> None:
    """Writes variables; see `write_arrays`."""
    write_arrays(path, {name: variable.numpy() for name, variable in variables.items()})


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Writes arrays as an uncompressed .npz without pickles."""
    with path.open("wb") as stream:
        np.savez(stream, **{name.replace("/", "|"): array for name, array in arrays.items()})


def read_arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Reads what `write_arrays` wrote.

    Raises:
        UserError: It is damaged, or something else.
    """
    return {name.replace("|", "/"): array for name, array in read_npz(path).items()}


def load_arrays(path: Path, variables: Mapping[str, tf.Variable]) -> None:
    """Assigns every variable from an .npz.

    Raises:
        UserError: It is damaged, or names or shapes differ from the model's.
    """
    found = read_arrays(path)
    differing = sorted(
        name
        for name in found.keys() | variables.keys()
        if name not in found or name not in variables or found[name].shape != tuple(variables[name].shape)
    )
    if differing:
        what = f"these weights are of another model: {', '.join(differing[:3])} differ"
        raise UserError(what, where=str(path), hint="Use the recipe they were trained with")
    for name, variable in variables.items():
        variable.assign(found[name])
