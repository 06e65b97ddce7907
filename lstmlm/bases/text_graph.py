"""The SavedModel of a task of text to text: raw strings in, text out, the tokenizer inside.

It loads in TF Serving, in `tf.saved_model.load` and in the TF1 session loader. The graph holds the ops of
tensorflow-text, so a Python program imports `tensorflow_text` before it loads the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstmlm.inference.model.served import SPACES
from lstmlm.recipe.recipe import Recipe
from lstmlm.tokenizer import Tokenizer
from lstmlm.tokenizer.sentencepiece.graph import continuation_of, ids_of, text_of
from lstmlm.tokenizer.special import END

if TYPE_CHECKING:
    import tensorflow as tf

    from lstmlm.models.base import Autoregressive

# Source lengths are padded to a multiple of this: sums over the source then run in the same order whatever else is
# in the batch, so a row's output does not depend on it.
SOURCE_MULTIPLE = 16


def served(network: Autoregressive, words: Tokenizer, recipe: Recipe, *, backward: bool = False) -> tf.Module:
    """Returns a module with the signatures `serve` and `text_only`.

    `serve` takes `text` (string [rows]) and `seed` (int64 [rows], used by sampling only), and gives `output` (string
    [rows]), `tokens` (int32 [rows], tokens decoded) and `cut` (int32 [rows], source tokens of a pair beyond
    `examples.max_source` that were not read). The output of a language model begins with a space where one belongs
    between it and its prompt; that of one that reads backward comes before its prompt, and ends with the space. A
    server that is sent no `seed` takes one from each text; in Python, where a signature has no optional arguments,
    `text_only` does.
    """
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
            """See `served`."""
            own = tf.strings.to_hash_bucket_fast(text, 1 << 62)
            return self.decoded(text, tf.cond(tf.equal(tf.size(seed), tf.size(text)), lambda: seed, lambda: own))

        @tf.function(input_signature=[text_spec])
        def text_only(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
            """See `served`."""
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
            source = tf.reverse_sequence(source, lengths, seq_axis=1) if backward else source
            tokens = network.decode(source, lengths, seed, options)
            if backward:
                return self.preceding(text, tokens)
            output = (text_of if network.closes_source else continuation_of)(tokens, self.tokenizer, words)
            if not network.closes_source:
                bare = tf.strings.regex_full_match(text, f"(?s)|.*[{SPACES}]")
                output = tf.where(bare, tf.strings.regex_replace(output, "^ ", ""), output)
            count = tf.reduce_sum(tf.cast(tokens > 0, tf.int32), axis=1)
            return {"output": output, "tokens": count, "cut": tf.cast(cut, tf.int32)}

        def preceding(self, text: tf.Tensor, tokens: tf.Tensor) -> dict[str, tf.Tensor]:
            """Returns what a model that reads backward decoded, as `decoded` does."""
            count = tf.reduce_sum(tf.cast(tokens > 0, tf.int32), axis=1)
            output = text_of(tf.reverse_sequence(tokens, count, seq_axis=1), self.tokenizer, words)
            bare = tf.strings.regex_full_match(text, f"(?s)|[{SPACES}].*") | tf.equal(output, "")
            output = tf.where(bare, output, tf.strings.join([output, " "]))
            return {"output": output, "tokens": count, "cut": tf.zeros_like(count)}

    return Served()
