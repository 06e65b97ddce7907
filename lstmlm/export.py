"""The export stage: one SavedModel that takes raw strings and gives text, the tokenizer inside.

It loads in TF Serving, in `tf.saved_model.load` and in the TF1 session loader. The graph holds the ops of
tensorflow-text, so a Python program imports `tensorflow_text` before it loads the model.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstmlm.decoding.supported import check_decoding, option_beyond_engine
from lstmlm.inference.model.constraining import constraints_of
from lstmlm.inference.model.loading import DECODING_FACTS, ENGINE_FACTS
from lstmlm.inference.model.same_network import check_same_network
from lstmlm.inference.model.served import SPACES
from lstmlm.progress import Progress
from lstmlm.publish.folder import Draft, Manifest, fingerprint, read_manifest
from lstmlm.recipe.recipe import Recipe
from lstmlm.stages import STAGES
from lstmlm.task import load_task
from lstmlm.tokenizer import Tokenizer, tokenizer_file
from lstmlm.tokenizer.identity import check_same_vocabulary
from lstmlm.tokenizer.sentencepiece.graph import continuation_of, ids_of, text_of
from lstmlm.tokenizer.special import END

if TYPE_CHECKING:
    import tensorflow as tf

    from lstmlm.models.base import SequenceModel

STAGE = STAGES["export"]
# Source lengths are padded to a multiple of this: sums over the source then run in the same order whatever else is
# in the batch, so a row's output does not depend on it.
SOURCE_MULTIPLE = 16


def export(recipe: Recipe, model: Path, tokenizer: Path, output: Path, progress: Progress) -> Manifest:
    """Publishes the trained model as a SavedModel.

    The signature `serving_default` takes `text` (string [rows]) and `seed` (int64 [rows], used by sampling only), and
    gives `output` (string [rows]), `tokens` (int32 [rows], tokens decoded) and `cut` (int32 [rows], source tokens of a
    pair beyond `examples.max_source` that were not read). The output of a language model begins with a space where one
    belongs between it and its prompt. A server that is sent no `seed` takes one from each text; in Python, where a
    signature has no optional arguments, the signature `text_only` does.

    Args:
        recipe: The run; its `decoding` section is built into the model.
        model: Folder of the train stage.
        tokenizer: Folder of the tokenizer stage.
        output: Where the SavedModel is published, with `weights.npz`, `model.json`, `tokenizer.model` and the
            ONNX files of the engine (`lstmlm.decoding.onnx.files`), where it computes such models.
        progress: Receives the progress of the stage.

    Raises:
        UserError: An input folder is not finished, the weights are of another model, or the vocabulary is a
            `tokenizer.json`, which no SavedModel can hold, or `decoding` asks for what the model cannot be decoded by.
    """
    check_decoding(recipe)
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
    words = Tokenizer(tokenizer_file(tokenizer))
    # Both refuse what cannot be: a vocabulary that no graph can hold, phrases that cannot be written.
    _ = words.model_bytes, constraints_of(recipe.decoding, words)
    import tensorflow as tf

    from lstmlm.decoding.onnx import files as onnx_files
    from lstmlm.models.weights import load_arrays

    network = load_task(recipe.task).build(recipe, int(vocabulary.facts["vocabulary"]))
    load_arrays(model / "weights.npz", network.named_variables())
    served = _served(network, words, recipe)
    tf.saved_model.save(
        served, str(draft.path), signatures={"serving_default": served.serve, "text_only": served.text_only}
    )
    shutil.copyfile(model / "weights.npz", draft.path / "weights.npz")
    shutil.copyfile(tokenizer / "tokenizer.model", draft.path / "tokenizer.model")
    facts = json.loads((model / "model.json").read_text(encoding="utf-8"))
    facts["batch"] = recipe.decoding.batch
    if option_beyond_engine(recipe.model):
        facts[DECODING_FACTS] = recipe.decoding.model_dump(mode="json")
    else:
        weights = {name: variable.numpy() for name, variable in network.named_variables().items()}
        onnx_files.write(draft.path, weights, recipe.model.clusters(int(vocabulary.facts["vocabulary"])))
        facts[ENGINE_FACTS] = _engine_facts(recipe, vocabulary)
    (draft.path / "model.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    draft.facts = {"task": recipe.task, "valid_loss": trained.facts["valid_loss"]}


def _engine_facts(recipe: Recipe, tokenizer: Manifest) -> dict[str, Any]:
    """Returns what the batch job needs of the model in addition to its weights."""
    return {
        "task": recipe.task,
        "model": recipe.model.model_dump(mode="json"),
        "decoding": recipe.decoding.model_dump(mode="json"),
        "max_source": recipe.examples.max_source,
        "vocabulary": int(tokenizer.facts["vocabulary"]),
    }


def _served(network: SequenceModel, words: Tokenizer, recipe: Recipe) -> tf.Module:
    import tensorflow as tf
    import tensorflow_text as tf_text

    from lstmlm.models.graph_search import Options

    decoding, longest = recipe.decoding, recipe.examples.max_source
    options = Options(decoding.method == "sample", decoding.temperature, decoding.max_tokens)
    no_seed = tf.zeros([0], tf.int64)
    text_spec, seed_spec = tf.TensorSpec([None], tf.string, name="text"), tf.TensorSpec([None], tf.int64, name="seed")

    class Served(tf.Module):
        """Raw strings in, text out."""

        def __init__(self) -> None:
            super().__init__(name="served")
            self.network = network
            self.tokenizer = tf_text.SentencepieceTokenizer(model=words.model_bytes, out_type=tf.int32)

        @tf.function(input_signature=[text_spec, seed_spec])
        def serve(self, text: tf.Tensor, seed: tf.Tensor = no_seed) -> dict[str, tf.Tensor]:
            """See `export`."""
            own = tf.strings.to_hash_bucket_fast(text, 1 << 62)
            return self.decoded(text, tf.cond(tf.equal(tf.size(seed), tf.size(text)), lambda: seed, lambda: own))

        @tf.function(input_signature=[text_spec])
        def text_only(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
            """See `export`."""
            return self.decoded(text, tf.strings.to_hash_bucket_fast(text, 1 << 62))

        def decoded(self, text: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
            ids, rows = ids_of(text, self.tokenizer, words), tf.shape(text)[0]
            cut = tf.zeros([rows], tf.int64)
            if network.closes_source:
                kept = ids[:, : longest - 1]
                kept = tf.concat([kept, tf.RaggedTensor.from_tensor(tf.fill([rows, 1], END))], axis=1)
                cut = tf.maximum(ids.row_lengths() - (longest - 1), 0)
            else:
                kept = ids
            lengths = tf.cast(kept.row_lengths(), tf.int32)
            time = -(-tf.maximum(1, tf.reduce_max(lengths)) // SOURCE_MULTIPLE) * SOURCE_MULTIPLE
            source = kept.to_tensor(shape=tf.stack([rows, time]))
            tokens = network.decode(source, lengths, seed, options)
            output = (text_of if network.closes_source else continuation_of)(tokens, self.tokenizer, words)
            if not network.closes_source:
                bare = tf.strings.regex_full_match(text, f"(?s)|.*[{SPACES}]")
                output = tf.where(bare, tf.strings.regex_replace(output, "^ ", ""), output)
            count = tf.reduce_sum(tf.cast(tokens > 0, tf.int32), axis=1)
            return {"output": output, "tokens": count, "cut": tf.cast(cut, tf.int32)}

    return Served()
