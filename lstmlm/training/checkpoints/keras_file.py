"""The weights of a model folder as a `.keras` file, and a model folder with the weights of such a file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from lstmlm.errors import UserError
from lstmlm.models.weights import read_arrays, write_arrays
from lstmlm.publish.folder import Manifest, fingerprint, is_finished, publish, read_manifest, sha256_file

_VERSION = "1"
_FILES = ("model.json", "metrics.jsonl", "loss.png")


def to_keras_file(model: Path, output: Path) -> str:
    """Writes the weights of a model as a `.keras` file; see `lstmlm.models.keras.networks`.

    Args:
        model: Output of the train stage, or of the export.
        output: The file.

    Returns:
        What the file holds, in words.

    Raises:
        UserError: The folder is not a finished model, or the file cannot be written.
    """
    from lstmlm.models.keras.file import write_keras

    found = read_manifest(model, verify=True)
    if found.kind not in ("model", "export"):
        what = f"expected a `model` folder, found `{found.kind}`"
        raise UserError(what, where=str(model), hint="Name the output of `lstmlm train`")
    weights = read_arrays(model / "weights.npz")
    try:
        computes = write_keras(weights, output, residual=_residual(model))
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", where=str(output), hint="Name another file") from error
    count = sum(array.size for array in weights.values())
    return f"{count:,} parameters, " + ("which predict in Keras" if computes else "each layer by itself")


def from_keras_file(file: Path, model: Path, output: Path) -> Manifest:
    """Publishes a model like another, with the weights of a `.keras` file.

    Args:
        file: What `to_keras_file` wrote of that model, perhaps trained further in Keras.
        model: The model, output of the train stage.
        output: The folder to publish.

    Raises:
        UserError: The file is damaged or of another network.
    """
    from lstmlm.models.keras.file import read_keras

    trained = read_manifest(model, "model", verify=True)
    try:
        content = sha256_file(file)
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=str(file), hint="Name a .keras file") from error
    stamp = fingerprint("keras", _VERSION, trained.fingerprint, content)
    if not is_finished(output, "model", stamp):
        like = read_arrays(model / "weights.npz")
        found = read_keras(file, like, residual=_residual(model))
        with publish(output, "model", stamp) as draft:
            for name in _FILES:
                shutil.copyfile(model / name, draft.path / name)
            write_arrays(draft.path / "weights.npz", found)
            facts = {name: value for name, value in trained.facts.items() if name != "best_steps"}
            draft.facts = facts | {"keras": content}
    return read_manifest(output, "model")


def _residual(model: Path) -> bool:
    content = json.loads((model / "model.json").read_bytes())
    trained = content.get("recipe") or content.get("engine") or {}
    return bool((trained.get("model") or {}).get("residual", False))
