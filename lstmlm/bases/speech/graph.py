"""The SavedModel of speech recognition: samples in, text out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lstmlm.bases.graph_tokenizer import GraphTokenizer
from lstmlm.recipe.recipe import Recipe
from lstmlm.tokenizer import Tokenizer

if TYPE_CHECKING:
    import tensorflow as tf

    from lstmlm.bases.one_pass import OnePassTask


def served(task: OnePassTask, model: Any, tokenizer: Tokenizer, recipe: Recipe) -> tuple[tf.Module, Mapping[str, Any]]:
    """Returns a module with the signature `serving_default`.

    It takes what `task.inputs` says, and gives `output` (string [rows], decoded greedily), `log_probabilities` (float32
    [rows, steps, vocabulary], token 0 is the blank) and `steps` (int32 [rows], the steps of each row).
    """
    import tensorflow as tf

    words = GraphTokenizer(tokenizer)
    module = tf.Module(name="served")
    module.model, module.words = model, words  # they own what the signature reads

    def serve(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        predicted = model.predict(task.batch_of(inputs, words, recipe))
        return {**predicted, "output": words.text(greedy(predicted["log_probabilities"], predicted["steps"]))}

    specs = {name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in task.inputs(recipe).items()}
    return module, {"serving_default": tf.function(serve).get_concrete_function(**specs)}


def greedy(log_probabilities: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
    """Returns the tokens of the most likely paths, int32 [rows, time], padded with 0; see `decoding.ctc.alignment`."""
    import tensorflow as tf

    path = tf.argmax(log_probabilities, axis=2, output_type=tf.int32)
    before = tf.pad(path, [[0, 0], [1, 0]], constant_values=-1)[:, :-1]
    own = tf.sequence_mask(steps, tf.shape(path)[1])
    kept = tf.ragged.boolean_mask(path, (path != before) & (path > 0) & own)
    return kept.to_tensor(shape=[None, None])
