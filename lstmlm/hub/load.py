"""`lstmlm hub load`: makes an export of a folder in the form of `lstmlm hub write`.

Nothing in the folder is run: weights are safetensors, the vocabulary is checked in a child process, and the SavedModel
and the ONNX files are made anew from the weights.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from lstmlm.errors import UserError
from lstmlm.export import export
from lstmlm.hub.config import CONFIG_FILE, read_config
from lstmlm.hub.weights import WEIGHTS_FILE, read_weights
from lstmlm.models.weights import write_arrays
from lstmlm.progress import Progress
from lstmlm.publish.folder import Manifest, fingerprint, publish, read_manifest, sha256_file
from lstmlm.publish.manifest import read_object
from lstmlm.tokenizer import JSON_FILE, LABELS_FILE, MODEL_FILE
from lstmlm.tokenizer.foreign.given import adopt
from lstmlm.tokenizer.identity import vocabulary_facts


def load(folder: Path, output: Path, progress: Progress) -> Manifest:
    """Makes an export: the same weights, bit by bit, the same outputs.

    Args:
        folder: `config.json`, `model.safetensors`, and `tokenizer.model` or `tokenizer.json`.
        output: The export folder to publish.
        progress: Receives the progress of the export.

    Returns:
        The manifest of the export.

    Raises:
        UserError: A file is missing, damaged, of another kind of model, or one that can hold code.
    """
    if not folder.is_dir():
        raise UserError("no such folder", where=str(folder), hint="Name a folder of `lstmlm hub write`")
    recipe, stored, valid_loss = read_config(folder)
    arrays = read_weights(folder)
    with tempfile.TemporaryDirectory(prefix="lstmlm-hub-") as place:
        vocabulary = _vocabulary(folder, Path(place) / "tokenizer")
        facts = vocabulary_facts(vocabulary)
        stamp = fingerprint("hub", sha256_file(folder / WEIGHTS_FILE), stored, facts)
        with publish(Path(place) / "model", "model", stamp) as draft:
            write_arrays(draft.path / "weights.npz", arrays)
            model = {"recipe": stored, "vocabulary": facts["size"]}
            (draft.path / "model.json").write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")
            draft.facts = {"valid_loss": valid_loss, "vocabulary": facts}
        return export(recipe, Path(place) / "model", Path(place) / "tokenizer", output, progress)


def _vocabulary(folder: Path, output: Path) -> Manifest:
    """Publishes the folder's vocabulary as the tokenizer stage would.

    Raises:
        UserError: There is none, or it is damaged.
    """
    names = [name for name in (MODEL_FILE, JSON_FILE) if (folder / name).is_file()]
    labels = _labels(folder)
    if not names and not labels:
        what = f"no {JSON_FILE} and no {MODEL_FILE}"
        raise UserError(what, where=str(folder), hint="Name a folder of `lstmlm hub write`")
    with publish(output, "tokenizer") as draft:
        draft.facts.update(adopt(folder / names[0], draft.path) if names else {"vocabulary": 0})
        if labels:
            text = json.dumps(labels, ensure_ascii=False, indent=0) + "\n"
            (draft.path / LABELS_FILE).write_text(text, encoding="utf-8")
            draft.facts["labels"] = len(labels)
    return read_manifest(output, "tokenizer")


def _labels(folder: Path) -> list[str]:
    """Returns the labels of `config.json`, in the order of their numbers.

    Raises:
        UserError: They are not numbered from 0 on.
    """
    found: dict[str, Any] = read_object(folder / CONFIG_FILE).get("id2label") or {}
    try:
        labels = [found[str(number)] for number in range(len(found))]
        if not all(isinstance(label, str) for label in labels):
            raise TypeError
    except (KeyError, TypeError) as error:
        what = "id2label does not give a name for each number from 0 on"
        raise UserError(what, where=str(folder / CONFIG_FILE), hint="Fetch the folder again") from error
    return labels
