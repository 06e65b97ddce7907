"""The SavedModel of a task of text to text: raw strings in, text out, the tokenizer inside.

With a vocabulary that tensorflow-text has no operation for, tokens in and tokens out: `served_tokens`.

It loads in TF Serving, in `tf.saved_model.load` and in the TF1 session loader. The graph holds the ops of
tensorflow-text, so a Python program imports `tensorflow_text` before it loads the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstmlm.inference.model.served import CONTINUATION_IDS, OUTPUT_IDS, PRECEDING_IDS, SPACES
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
            tokens, cut = decoded(network, ids_of(text, self.tokenizer, words), seed, recipe, backward=backward)
            if backward:
                return self.preceding(text, tokens)
            output = (text_of if network.closes_source else continuation_of)(tokens, self.tokenizer, words)
            if not network.closes_source:
                bare = tf.strings.regex_full_match(text, f"(?s)|.*[{SPACES}]")
                output = tf.where(bare, tf.strings.regex_replace(output, "^ ", ""), output)
            return {"output": output, "tokens": _count(tokens), "cut": cut}

        def preceding(self, text: tf.Tensor, tokens: tf.Tensor) -> dict[str, tf.Tensor]:
            """Returns what a model that reads backward decoded, as `decoded` does."""
            count = _count(tokens)
            output = text_of(tf.reverse_sequence(tokens, count, seq_axis=1), self.tokenizer, words)
            bare = tf.strings.regex_full_match(text, f"(?s)|[{SPACES}].*") | tf.equal(output, "")
            output = tf.where(bare, output, tf.strings.join([output, " "]))
            return {"output": output, "tokens": count, "cut": tf.zeros_like(count)}

    return Served()


def served_tokens(network: Autoregressive, recipe: Recipe, *, backward: bool = False) -> tf.Module:
    """Returns a module with the signatures `serve` and `tokens_only`, for a vocabulary that no graph can hold.

    `serve` takes `ids` (int32 [rows, time], padded with 0 at the end, as the export's `tokenizer.json` cuts a text,
    without begin and end) and `seed` (see `served`), and gives `output_ids`, or of a language model `continuation_ids`,
    and of one that reads backward `preceding_ids` (int32 [rows, max_tokens], in the order of the text, padded with 0),
    `tokens` and `cut`, as `served` does. `tokens_only` takes the seed of each row from its ids.
    """
    import tensorflow as tf

    no_seed = tf.zeros([0], tf.int64)
    ids_spec = tf.TensorSpec([None, None], tf.int32, name="ids")
    seed_spec = tf.TensorSpec([None], tf.int64, name="seed")

    class Served(tf.Module):
        """Token ids in, token ids out."""

        def __init__(self) -> None:
            super().__init__(name="served")
            self.network = network

        @tf.function(input_signature=[ids_spec, seed_spec])
        def serve(self, ids: tf.Tensor, seed: tf.Tensor = no_seed) -> dict[str, tf.Tensor]:
            """See `served_tokens`."""
            rows = tf.shape(ids)[0]
            return self.decoded(ids, tf.cond(tf.equal(tf.size(seed), rows), lambda: seed, lambda: self.own_seed(ids)))

        @tf.function(input_signature=[ids_spec])
        def tokens_only(self, ids: tf.Tensor) -> dict[str, tf.Tensor]:
            """See `served_tokens`."""
            return self.decoded(ids, self.own_seed(ids))

        def own_seed(self, ids: tf.Tensor) -> tf.Tensor:
            written = tf.ragged.map_flat_values(tf.strings.as_string, tf.RaggedTensor.from_tensor(ids, padding=0))
            return tf.strings.to_hash_bucket_fast(tf.strings.reduce_join(written, axis=1, separator=" "), 1 << 62)

        def decoded(self, ids: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
            rows = tf.RaggedTensor.from_tensor(ids, padding=0)
            tokens, cut = decoded(network, rows, seed, recipe, backward=backward)
            count = _count(tokens)
            if backward:
                return {PRECEDING_IDS: tf.reverse_sequence(tokens, count, seq_axis=1), "tokens": count, "cut": cut}
            return {OUTPUT_IDS if network.closes_source else CONTINUATION_IDS: tokens, "tokens": count, "cut": cut}

    return Served()


def decoded(
    network: Autoregressive, ids: tf.RaggedTensor, seed: tf.Tensor, recipe: Recipe, *, backward: bool
) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes inside a graph as the recipe's `decoding` says.

    Args:
        network: The model.
        ids: int32 [rows, (ids)], without begin and end.
        seed: int64 [rows].
        recipe: The run.
        backward: Whether the model reads the last token first; its tokens are in its own order.

    Returns:
        Tokens, int32 [rows, max_tokens], padded with 0; and how many ids of each source were not read, int32 [rows].
    """
    import tensorflow as tf

    from lstmlm.models.graph_search import Options

    decoding, longest, rows = recipe.decoding, recipe.examples.max_source, ids.nrows(tf.int32)
    options = Options(decoding.method == "sample", decoding.temperature, decoding.max_tokens)
    cut = tf.zeros([rows], tf.int64)
    kept = ids
    if network.closes_source:
        kept = tf.concat([ids[:, : longest - 1], tf.RaggedTensor.from_tensor(tf.fill([rows, 1], END))], axis=1)
        cut = tf.maximum(ids.row_lengths() - (longest - 1), 0)
    lengths = tf.cast(kept.row_lengths(), tf.int32)
    time = -(-tf.maximum(1, tf.reduce_max(lengths)) // SOURCE_MULTIPLE) * SOURCE_MULTIPLE
    source = kept.to_tensor(shape=tf.stack([rows, time]))
    source = tf.reverse_sequence(source, lengths, seq_axis=1) if backward else source
    return network.decode(source, lengths, seed, options), tf.cast(cut, tf.int32)


def _count(tokens: tf.Tensor) -> tf.Tensor:
    import tensorflow as tf

    return tf.reduce_sum(tf.cast(tokens > 0, tf.int32), axis=1)
