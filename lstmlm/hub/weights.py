"""Weights as safetensors: raw arrays and a header of JSON, which cannot hold code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from lstmlm.errors import UserError
from lstmlm.models.weights import read_arrays

WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".msgpack", ".h5")


def write_weights(weights: Path, folder: Path) -> int:
    """Writes the arrays of a `weights.npz`, under their names, bit by bit as they are.

    Args:
        weights: The file of an export.
        folder: Gets `model.safetensors`.

    Returns:
        How many numbers they have together.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in read_arrays(weights).items()}
    safetensors.numpy.save_file(arrays, folder / WEIGHTS_FILE, metadata={"format": "np"})
    return sum(int(array.size) for array in arrays.values())


def read_weights(folder: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Reads `model.safetensors`: name -> array, in the order of the names.

    Raises:
        UserError: It is missing or damaged; files of pickled objects, which can run code, are never read.
    """
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise _missing(folder)
    try:
        arrays: dict[str, np.ndarray[Any, Any]] = safetensors.numpy.load_file(path)
    except (safetensors.SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"not a safetensors file: {reason}", where=str(path), hint="Fetch the folder again") from error
    odd = next((name for name, array in arrays.items() if array.dtype.kind not in "biuf"), None)
    if odd is not None:
        what = f"{odd} holds no numbers that this project computes with"
        raise UserError(what, where=str(path), hint="Name a folder of `lstmlm hub write`")
    return dict(sorted(arrays.items()))


def _missing(folder: Path) -> UserError:
    names = sorted(os.listdir(folder))
    pickled = next((name for name in names if name.lower().endswith(_PICKLES)), None)
    if pickled is not None:
        what = f"no {WEIGHTS_FILE}; {pickled} is not read, because loading such a file can run code"
        hint = "Ask its owner for safetensors, or convert it yourself in a sandbox if you trust its origin"
        return UserError(what, where=str(folder), hint=hint)
    if INDEX_FILE in names:
        what = "the weights are in several files, which `lstmlm hub write` never makes"
        return UserError(what, where=str(folder / INDEX_FILE), hint="Join them into one model.safetensors")
    return UserError(f"no {WEIGHTS_FILE}", where=str(folder), hint="Name a folder of `lstmlm hub write`")
