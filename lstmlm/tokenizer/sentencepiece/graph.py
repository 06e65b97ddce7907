"""A SentencePiece vocabulary as operations of tensorflow-text inside a graph; the same ids and texts as outside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lstmlm.tokenizer.sentencepiece.marks import ESCAPE, ESCAPED_ESCAPE, ESCAPED_MARK, SPACE_MARK
from lstmlm.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    import tensorflow as tf
    import tensorflow_text as tf_text


def ids_of(text: tf.Tensor, inside: tf_text.SentencepieceTokenizer, outside: Tokenizer) -> tf.RaggedTensor:
    """Returns the ids of texts, as `Tokenizer.encode` does.

    Args:
        text: string [rows].
        inside: The vocabulary.
        outside: The same.

    Returns:
        int32 [rows, (ids)].
    """
    return inside.tokenize(_replaced(text, _escapes(outside)))


def text_of(tokens: tf.Tensor, inside: tf_text.SentencepieceTokenizer, outside: Tokenizer) -> tf.Tensor:
    """Returns the text of tokens, as `Tokenizer.decode` does.

    Args:
        tokens: int32 [rows, time], padded with 0.
        inside: The vocabulary.
        outside: The same.

    Returns:
        string [rows].
    """
    import tensorflow as tf

    text = inside.detokenize(tf.RaggedTensor.from_tensor(tokens, padding=0))
    if outside.whole_words:
        text = _replaced(text, ((f"^{SPACE_MARK}", ""), (SPACE_MARK, " ")))
    return _unescaped(text, outside)


def continuation_of(tokens: tf.Tensor, inside: tf_text.SentencepieceTokenizer, outside: Tokenizer) -> tf.Tensor:
    """Returns the text of tokens, as `Tokenizer.decode_continuation` does; see `text_of`."""
    import tensorflow as tf

    # Behind another token the space before a word is kept.
    anchor = tf.fill([tf.shape(tokens)[0], 1], outside.anchor)
    text = inside.detokenize(tf.RaggedTensor.from_tensor(tf.concat([anchor, tokens], axis=1), padding=0))
    text = tf.strings.substr(text, len(outside.decode([outside.anchor]).encode("utf-8")), -1)
    if outside.whole_words:
        text = _replaced(text, ((SPACE_MARK, " "),))
    return _unescaped(text, outside)


def _unescaped(text: tf.Tensor, outside: Tokenizer) -> tf.Tensor:
    return _replaced(text, [(by, what) for what, by in reversed(_escapes(outside))])


def _escapes(words: Tokenizer) -> Sequence[tuple[str, str]]:
    """Returns what is written another way while text is cut; see `lstmlm.tokenizer.sentencepiece.marks`."""
    return ((ESCAPE, ESCAPED_ESCAPE), (SPACE_MARK, ESCAPED_MARK)) if words.keeps_marks else ()


def _replaced(text: tf.Tensor, pairs: Iterable[tuple[str, str]]) -> tf.Tensor:
    import tensorflow as tf

    for what, by in pairs:
        text = tf.strings.regex_replace(text, what, by)
    return text
