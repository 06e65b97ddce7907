"""A SentencePiece vocabulary inside the graph of a model that reads whole texts."""

from __future__ import annotations

import tensorflow as tf

from lstmlm.tokenizer import Tokenizer
from lstmlm.tokenizer.sentencepiece.graph import ids_of, text_of
from lstmlm.tokenizer.special import END

# Texts are padded to a multiple of this: sums over time then run in the same order whatever else is in the batch, so a
# row's output does not depend on it.
MULTIPLE = 16


class GraphTokenizer(tf.Module):
    """Turns texts into what the examples stage makes of them.

    Args:
        words: The vocabulary.
    """

    def __init__(self, words: Tokenizer) -> None:
        import tensorflow_text as tf_text

        super().__init__(name="words")
        self._words = words
        self._inside = tf_text.SentencepieceTokenizer(model=words.model_bytes, out_type=tf.int32)

    def closed(self, text: tf.Tensor, longest: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the ids of texts, each closed by *end*.

        Args:
            text: string [rows].
            longest: Ids kept of a text, *end* included.

        Returns:
            int32 [rows, time], padded with 0, and how many ids of each were too many, int32 [rows].
        """
        ids, rows = ids_of(text, self._inside, self._words), tf.shape(text)[0]
        kept = tf.concat([ids[:, : longest - 1], tf.RaggedTensor.from_tensor(tf.fill([rows, 1], END))], axis=1)
        cut = tf.cast(tf.maximum(ids.row_lengths() - (longest - 1), 0), tf.int32)
        widest = tf.cast(tf.reduce_max(tf.concat([kept.row_lengths(), [1]], axis=0)), tf.int32)
        return kept.to_tensor(shape=tf.stack([rows, -(-widest // MULTIPLE) * MULTIPLE])), cut

    def text(self, tokens: tf.Tensor) -> tf.Tensor:
        """Returns the texts of int32 [rows, time] ids, padded with 0: string [rows], as `Tokenizer.decode` does."""
        return text_of(tokens, self._inside, self._words)
