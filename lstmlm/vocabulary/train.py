"""Trains the vocabulary: unigram (Kudo, 2018), BPE (Sennrich et al., 2016) or words, all with bytes for the rest."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import sentencepiece

from lstmlm.errors import UserError
from lstmlm.recipe.sections.tokenizer import TokenizerSection
from lstmlm.tokenizer.sentencepiece.marks import RESERVED, escaped
from lstmlm.tokenizer.special import BEGIN, END, PAD, UNK

_LINE_CHARACTERS = 1000  # at most 4000 bytes: SentencePiece skips lines over 4192
_UNKNOWN_SURFACE = "\N{REPLACEMENT CHARACTER}"


def training_lines(text: str) -> Iterator[str]:
    """Cuts a text at white space into lines SentencePiece takes whole; longer words are cut too.

    Text is as `escaped` writes it. U+2585 counts as white space: it is spelled in bytes when text is encoded.
    """
    line = ""
    for word in escaped(text).replace(RESERVED, " ").split():
        for start in range(0, len(word), _LINE_CHARACTERS):
            piece = word[start : start + _LINE_CHARACTERS]
            if line and len(line) + 1 + len(piece) > _LINE_CHARACTERS:
                yield line
                line = piece
            else:
                line = f"{line} {piece}" if line else piece
    if line:
        yield line


def train_model(lines: Iterator[str], settings: TokenizerSection) -> bytes:
    """Trains a SentencePiece model with byte fallback, so that no text is out of vocabulary.

    Args:
        lines: The text, from `training_lines`.
        settings: Size and kind of the vocabulary.

    Returns:
        The model file's content.

    Raises:
        UserError: The vocabulary does not fit the text.
    """
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=lines,
            model_writer=model,
            model_type="char" if settings.algorithm == "character" else settings.algorithm,
            vocab_size=settings.vocabulary,
            hard_vocab_limit=not settings.counts_what_is_there,
            user_defined_symbols=list(settings.symbols),
            byte_fallback=settings.algorithm != "character",
            # A word with a rare character would be left out of a vocabulary of words.
            character_coverage=1.0 if settings.counts_what_is_there else 0.9995,
            normalization_rule_name="identity",
            num_threads=1,  # more threads add up floats in another order
            minloglevel=2,
            pad_id=PAD,
            unk_id=UNK,
            bos_id=BEGIN,
            eos_id=END,
            # The usual names, such as <unk>, may occur in the text and be symbols of it.
            pad_piece="<|pad|>",
            unk_piece="<|unknown|>",
            bos_piece="<|begin|>",
            eos_piece="<|end|>",
            unk_surface=_UNKNOWN_SURFACE,
        )
    except (RuntimeError, OSError, ValueError) as error:
        raise _explained(error, settings.vocabulary) from error
    return model.getvalue()


def _explained(error: Exception, vocabulary: int) -> UserError:
    """Returns what the user can do about an error of SentencePiece."""
    where = "tokenizer.vocabulary"
    message = str(error)
    high = re.search(r"value <= (\d+)", message)
    if high:
        hint = f"Set it to {high[1]} or less"
        return UserError(f"{vocabulary} pieces are more than the text yields", where=where, hint=hint)
    low = re.search(r"smaller than required_chars\. \d+ vs (\d+)", message)
    if low:
        hint = f"Set it to {low[1]} or more"
        return UserError(f"{vocabulary} pieces are fewer than the text has characters", where=where, hint=hint)
    if "sentences_.empty()" in message:
        what = "the train split has no text to train a vocabulary on"
        return UserError(
            what, where="corpus.train", hint="Name files with text, or give a vocabulary as tokenizer.model"
        )
    reason = " ".join(message.split())[:300]
    hint = "Change the tokenizer section, or give a vocabulary as tokenizer.model"
    return UserError(f"SentencePiece cannot train on this text: {reason}", where="tokenizer", hint=hint)
