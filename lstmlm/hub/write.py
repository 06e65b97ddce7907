"""`lstmlm hub write`: writes an export in the folder form of the Hugging Face hub."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from lstmlm.errors import UserError
from lstmlm.hub.card import Card, card
from lstmlm.hub.config import CONFIG_FILE, GENERATION_FILE, config, generation_config
from lstmlm.hub.tokenizers.files import write_tokenizer
from lstmlm.hub.weights import write_weights
from lstmlm.inference.model.stored import decoding_of
from lstmlm.publish.folder import Draft, Manifest, fingerprint, is_finished, publish, read_manifest
from lstmlm.publish.manifest import read_object
from lstmlm.tokenizer import JSON_FILE, LABELS_FILE, MODEL_FILE, stored_labels, tokenizer_file

KIND = "hub"
VERSION = 1


def write(
    export: Path, output: Path, *, evaluation: Path | None = None, licence: str | None = None, name: str | None = None
) -> Manifest:
    """Writes a folder that can be uploaded to the hub as it is, and that `lstmlm hub load` reads.

    Args:
        export: The export folder.
        output: Gets `config.json`, `generation_config.json`, `model.safetensors`, the tokenizer files, the ONNX files
            the export has in `onnx/`, and the model card `README.md`.
        evaluation: A folder of the evaluate stage, for the metrics of the card.
        licence: The hub's identifier of the model's licence, such as `cc-by-4.0`; None: unknown.
        name: What the card calls the model; None: the name of the recipe.

    Returns:
        The manifest of the output.

    Raises:
        UserError: A folder is not finished, or the export does not say how its model was trained.
    """
    found = read_manifest(export, "export", verify=True)
    measured = None if evaluation is None else read_manifest(evaluation, "evaluation", verify=True)
    stamp = fingerprint(
        KIND, VERSION, found.fingerprint, None if measured is None else measured.fingerprint, licence, name
    )
    if not is_finished(output, KIND, stamp):
        facts = read_object(export / "model.json")
        if not isinstance(facts.get("recipe"), dict):
            what = "the export does not say how its model was trained"
            raise UserError(what, where=str(export), hint="Train and export it with this version")
        metrics = {} if evaluation is None else read_object(evaluation / "metrics.json", "metrics")["metrics"]
        with publish(output, KIND, stamp) as draft:
            _write(draft, export, facts, found.facts.get("valid_loss"), Card(licence or "unknown", name, metrics))
    return read_manifest(output, KIND)


def _write(draft: Draft, export: Path, facts: dict[str, Any], valid_loss: Any, about: Card) -> None:
    decoding = decoding_of(facts)
    labels = stored_labels(export / LABELS_FILE)
    _json(draft.path / CONFIG_FILE, config(facts, decoding, labels, valid_loss))
    _json(draft.path / GENERATION_FILE, generation_config(decoding))
    parameters = write_weights(export / "weights.npz", draft.path)
    vocabulary = tokenizer_file(export)
    if vocabulary.name in (MODEL_FILE, JSON_FILE):
        write_tokenizer(vocabulary, draft.path, int(facts["recipe"]["examples"]["max_source"]))
    graphs = sorted(export.glob("*.onnx"))
    for graph in graphs:
        (draft.path / "onnx").mkdir(exist_ok=True)
        shutil.copyfile(graph, draft.path / "onnx" / graph.name)
    text = card(facts, decoding, about, parameters, [graph.name for graph in graphs])
    (draft.path / "README.md").write_text(text, encoding="utf-8")
    draft.facts.update(parameters=parameters, files=len(list(draft.path.rglob("*"))))


def _json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
