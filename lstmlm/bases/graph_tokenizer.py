"""A SentencePiece vocabulary inside the graph of a model that reads whole texts."""

from __future__ import annotations

import tensorflow as tf

from lstmlm.tokenizer import Tokenizer
from lstmlm.tokenizer.sentencepiece.graph import ids_of, text_of
from lstmlm.tokenizer.sentencepiece.marks import ESCAPE, SPACE_MARK, UNMARKED
from lstmlm.tokenizer.special import END

# Texts are padded to a multiple of this: sums over time then run in the same order whatever else is in the batch, so a
# row's output does not depend on it.
MULTIPLE = 16
_SPACES = r"[\t-\r\x1c-\x20\x{85}\p{Z}]+"  # what Python strips


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
        ids, rows = self.ids(text), tf.shape(text)[0]
        cut = tf.cast(tf.maximum(ids.row_lengths() - (longest - 1), 0), tf.int32)
        return _closed(ids[:, : longest - 1], rows), cut

    def ids(self, text: tf.Tensor) -> tf.RaggedTensor:
        """Returns the ids of texts, int32 [rows, (ids)], of string [rows]."""
        return ids_of(text, self._inside, self._words)

    def text(self, tokens: tf.Tensor) -> tf.Tensor:
        """Returns the texts of int32 [rows, time] ids, padded with 0: string [rows], as `Tokenizer.decode` does."""
        return text_of(tokens, self._inside, self._words)

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

    def places(self, text: tf.Tensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor, tf.RaggedTensor]:
        """Returns the ids of texts and where each begins and ends, as `lstmlm.answering.passages.tokens_of` does.

        Args:
            text: string [rows].

        Returns:
            int32 [rows, (tokens)] each: the ids, and the byte with which a token begins and the one behind it, without
            white space; a token without text of its own has no length.
        """
        plain = tf.strings.regex_replace(text, f"[{SPACE_MARK}{ESCAPE}]", UNMARKED)
        ids, starts, ends = self._inside.tokenize_with_offsets(plain)
        first, behind = tf.cast(starts.flat_values, tf.int32), tf.cast(ends.flat_values, tf.int32)
        part = tf.strings.substr(tf.gather(plain, ids.value_rowids()), first, behind - first)
        rest = tf.strings.regex_replace(part, f"^{_SPACES}", "")
        bare = tf.strings.regex_replace(rest, f"{_SPACES}$", "")
        first += tf.strings.length(part) - tf.strings.length(rest)
        return ids, ids.with_flat_values(first), ids.with_flat_values(first + tf.strings.length(bare))


class GivenIds(GraphTokenizer):
    """Takes the place of a vocabulary that tensorflow-text has no operation for: `closed` takes ids, not texts.

    They are int32 [rows, time], padded with 0, without *end*.
    """

    def __init__(self) -> None:
        tf.Module.__init__(self, name="words")

    def ids(self, text: tf.Tensor) -> tf.RaggedTensor:
        """Returns the ids without what pads them."""
        return tf.RaggedTensor.from_tensor(text, padding=0)


def _closed(ids: tf.RaggedTensor, rows: tf.Tensor) -> tf.Tensor:
    """Returns int32 [rows, time]: each row's ids and *end*, padded with 0 to a multiple of `MULTIPLE`."""
    kept = tf.concat([ids, tf.RaggedTensor.from_tensor(tf.fill([rows, 1], END))], axis=1)
    widest = tf.cast(tf.reduce_max(tf.concat([kept.row_lengths(), [1]], axis=0)), tf.int32)
    return kept.to_tensor(shape=tf.stack([rows, -(-widest // MULTIPLE) * MULTIPLE]))
