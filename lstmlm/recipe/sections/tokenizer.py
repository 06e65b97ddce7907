"""`tokenizer`: the vocabulary."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from lstmlm.recipe.sections.section import Positive, Section

# SentencePiece's own marks and those of lstmlm.tokenizer.sentencepiece.marks; the names of lstmlm.vocabulary.train.
_MARKS = "\0\u2581\u2585\ue281"
_OWN_PIECES = ("<|pad|>", "<|unknown|>", "<|begin|>", "<|end|>")


class TokenizerSection(Section):
    """The vocabulary: trained by SentencePiece, with bytes for what is rare (not with `character`); or given."""

    model: Path | None = Field(
        None,
        description="An existing SentencePiece `.model` or Hugging Face `tokenizer.json`; nothing is trained then.",
    )
    grows: Path | None = Field(
        None,
        description="An older vocabulary (a SentencePiece `.model`, or the folder of a tokenizer or export with one), "
        "which grows to `vocabulary` pieces by new ones of this text; the ids of its own stay.",
    )
    vocabulary: Annotated[int, Field(ge=261, le=250_000)] = Field(
        8000, description="Number of pieces; of words and characters, at most: a text may have fewer."
    )
    algorithm: Literal["unigram", "bpe", "word", "character"] = Field(
        "unigram",
        description="How SentencePiece builds the pieces; `word` takes whole words, the most frequent first, and "
        "spells the others in bytes; `character` takes the characters of the text, without bytes for others.",
    )
    sample: Positive = Field(200_000, description="Records the vocabulary is trained on at most, drawn by hash.")
    symbols: tuple[str, ...] = Field((), description="Strings that are always one piece, such as `<unk>`.")

    @property
    def counts_what_is_there(self) -> bool:
        """Whether the vocabulary is what the text has of a kind, so that `vocabulary` only bounds its size."""
        return self.algorithm in ("word", "character")

    @field_validator("symbols")
    @classmethod
    def _symbols_can_be_pieces(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        for place, symbol in enumerate(symbols):
            if symbol in symbols[:place]:
                raise ValueError(f"duplicate symbol {symbol!r}")
            if not symbol or any(letter.isspace() or letter in _MARKS for letter in symbol):
                raise ValueError(f"{symbol!r}: a symbol is text without spaces, NUL, U+2581, U+2585 and U+E281")
            if symbol in _OWN_PIECES or re.fullmatch(r"<0x[0-9A-F]{2}>", symbol):
                raise ValueError(f"{symbol!r} is a piece of every vocabulary: choose another name")
        return symbols

    @model_validator(mode="after")
    def _grows_by_itself(self) -> Self:
        if self.grows is not None and self.model is not None:
            raise ValueError("model is a vocabulary as it is, and grows one to add to. Leave one of them out")
        if self.grows is not None and self.symbols:
            raise ValueError("symbols are those of the older vocabulary where it grows. Leave symbols out")
        return self

    @model_validator(mode="after")
    def _words_are_whole(self) -> Self:
        # A symbol is cut out of its word, and what is left of the word then is no piece.
        if self.algorithm == "word" and self.symbols:
            raise ValueError("symbols go with unigram and bpe: in a vocabulary of words each word is one piece")
        return self
