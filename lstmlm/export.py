"""The export stage: publishes a trained model as a SavedModel that takes raw inputs, its vocabulary inside."""

from __future__ import annotations

import json
from pathlib import Path

from lstmlm.inference.model.same_network import check_same_network
from lstmlm.progress import Progress
from lstmlm.publish.cache import local_copy, output_place
from lstmlm.publish.folder import Draft, Manifest, fingerprint, read_manifest
from lstmlm.publish.lineage import inherited
from lstmlm.publish.linked import link_or_copy
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES
from lstmlm.task import load_task
from lstmlm.tokenizer import JSON_FILE, LABELS_FILE, MODEL_FILE, Tokenizer, tokenizer_file
from lstmlm.tokenizer.growth import GROWN_FILE
from lstmlm.tokenizer.identity import check_same_vocabulary

STAGE = STAGES["export"]


def export(recipe: Recipe, model: Path, tokenizer: Path, output: Path, progress: Progress) -> Manifest:
    """Publishes the trained model as a SavedModel.

    What the signature `serving_default` takes and gives is the task's to say: see `Task.serving`, and for text
    `lstmlm.bases.text_graph`.

    Args:
        recipe: The run; its `decoding` section is built into the model.
        model: Folder of the train stage, or the URL of one in a store.
        tokenizer: Folder of the tokenizer stage, or the URL of one.
        output: Where the SavedModel is published, or the URL of it, with `weights.npz`, `model.json`, the files of the
            vocabulary, and what else the task needs, such as the engine's ONNX files (`lstmlm.decoding.onnx.files`).
        progress: Receives the progress of the stage.

    Raises:
        UserError: An input folder is not finished, the weights are of another model, or `decoding` asks for what the
            model cannot be decoded by.
    """
    load_task(recipe.task).check_recipe(recipe)
    model, tokenizer, output = local_copy(model), local_copy(tokenizer), output_place(output)
    trained, vocabulary = read_manifest(model, "model", verify=True), read_manifest(tokenizer, "tokenizer", verify=True)
    # The version is text and the first part, as it was before the table: finished exports stay valid.
    stamp = fingerprint(str(STAGE.version), STAGE.decided(recipe), trained.fingerprint, vocabulary.fingerprint)

    def write(draft: Draft) -> None:
        progress.update(0, 1, unit="models", note="tracing")
        _write(draft, recipe, model, tokenizer, trained, vocabulary)
        progress.update(1, 1, unit="models")

    return STAGE.publish(output, stamp, write)


def _write(draft: Draft, recipe: Recipe, model: Path, tokenizer: Path, trained: Manifest, vocabulary: Manifest) -> None:
    """Writes the SavedModel and the files next to it.

    Raises:
        UserError: As `export`.
    """
    hint = "Name the tokenizer it was trained with"
    check_same_network(recipe, model)
    check_same_vocabulary("weights", trained.facts.get("vocabulary"), vocabulary, hint=hint)
    task, words = load_task(recipe.task), Tokenizer(tokenizer_file(tokenizer))
    task.check_export(words, recipe)
    import tensorflow as tf

    from lstmlm.models.weights import load_arrays

    size = int(vocabulary.facts["vocabulary"])
    network = task.build(recipe, size, words.labels)
    load_arrays(model / "weights.npz", network.named_variables())
    served, signatures = task.serving(network, words, recipe)
    tf.saved_model.save(served, str(draft.path), signatures=dict(signatures))
    link_or_copy(model / "weights.npz", draft.path / "weights.npz")
    for name in (MODEL_FILE, JSON_FILE, LABELS_FILE, GROWN_FILE):
        if (tokenizer / name).is_file():
            link_or_copy(tokenizer / name, draft.path / name)
    facts = json.loads((model / "model.json").read_text(encoding="utf-8"))
    facts["batch"] = recipe.decoding.batch
    facts |= task.export_files(draft.path, network, recipe, size)
    (draft.path / "model.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    draft.facts = {"task": recipe.task, "valid_loss": trained.facts["valid_loss"], **inherited(trained)}
