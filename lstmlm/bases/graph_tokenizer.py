"""A SentencePiece vocabulary inside the graph of a model that reads whole texts."""

from __future__ import annotations

import tensorflow as tf

from lstmlm.tokenizer import Tokenizer
from lstmlm.tokenizer.sentencepiece.graph import ids_of
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
        cut = tf.cast(tf.maximum(ids.row_lengths() - (longest - 1), 0), tf.int32)
        return _closed(ids[:, : longest - 1], rows), cut

    def words(
        self, text: tf.Tensor, word: str, spaces: str, longest: int
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns the ids of texts word by word, *end* behind the last word's.

        Args:
            text: string [rows].
            word: What a word is, in the syntax of RE2.
            spaces: Characters that are in no word, as a class of RE2.
            longest: Ids kept of a text, *end* included.

        Returns:
            int32 [rows, time], padded with 0; the words whose first id is kept, string [rows, words], padded with empty
            ones; the place of that id, int32 [rows, words]; and how many ids of each text were too many, int32 [rows].
        """
        plain = tf.strings.regex_replace(text, f"[{spaces}]", " ")
        words = tf.strings.split(tf.strings.regex_replace(plain, f"({word})", r" \1 "), " ")
        words = tf.ragged.boolean_mask(words, words != "")
        pieces = ids_of(words.flat_values, self._inside, self._words)
        ids = words.with_flat_values(pieces).merge_dims(1, 2)
        first = tf.cast(pieces.row_starts() - tf.gather(ids.row_starts(), words.value_rowids()), tf.int32)
        kept = words.with_flat_values(first < longest - 1)
        spoken, places = (tf.ragged.boolean_mask(part, kept) for part in (words, words.with_flat_values(first)))
        cut = tf.cast(tf.maximum(ids.row_lengths() - (longest - 1), 0), tf.int32)
        return _closed(ids[:, : longest - 1], tf.shape(text)[0]), spoken.to_tensor(), places.to_tensor(), cut


def _closed(ids: tf.RaggedTensor, rows: tf.Tensor) -> tf.Tensor:
    """Returns int32 [rows, time]: each row's ids and *end*, padded with 0 to a multiple of `MULTIPLE`."""
    kept = tf.concat([ids, tf.RaggedTensor.from_tensor(tf.fill([rows, 1], END))], axis=1)
    widest = tf.cast(tf.reduce_max(tf.concat([kept.row_lengths(), [1]], axis=0)), tf.int32)
    return kept.to_tensor(shape=tf.stack([rows, -(-widest // MULTIPLE) * MULTIPLE]))
