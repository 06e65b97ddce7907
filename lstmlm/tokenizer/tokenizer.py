"""The tokenizer: text to token ids and back, with fixed special ids."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from lstmlm.errors import UserError
from lstmlm.tokenizer.foreign.hugging_face import HuggingFace
from lstmlm.tokenizer.rows import IdArray, TokenRows
from lstmlm.tokenizer.sentencepiece.processor import SentencePiece
from lstmlm.tokenizer.special import BEGIN, END, PAD, UNK

MODEL_FILE = "tokenizer.model"
JSON_FILE = "tokenizer.json"
LABELS_FILE = "labels.json"
"""The labels of the train split, as a JSON list in the order of their numbers."""


class TokenizerBackend(Protocol):
    """A library that finds tokens; ids are those of this project."""

    size: int

    def encode(self, text: str) -> list[int]:
        """Returns the ids of a text."""

    def encode_closed(self, texts: list[str]) -> Sequence[IdArray]:
        """Returns the ids of each text with *end* behind it, int32 [tokens + 1]."""

    def decode(self, ids: list[int]) -> str:
        """Returns the text of ids that are neither pad, begin nor end."""

    def decode_continuation(self, ids: list[int]) -> str:
        """Returns the text of ids that continue a text, with the space that it begins with."""

    def surfaces(self, text: str) -> list[str]:
        """Returns the text of each token of a text; see `Tokenizer.surfaces`."""

    def decode_unknown(self, ids: list[int], words: Sequence[str]) -> str:
        """Returns the text of ids, with words in the place of unknown ones; see `Tokenizer.decode_unknown`."""


class NoText:
    """The vocabulary of a task without text: it has no token."""

    size = 0

    def encode(self, text: str) -> list[int]:
        """Refuses: see the class."""
        raise ValueError("this task has no vocabulary of texts")

    def encode_closed(self, texts: list[str]) -> Sequence[IdArray]:
        """Refuses: see the class."""
        raise ValueError("this task has no vocabulary of texts")

    def decode(self, ids: list[int]) -> str:
        """Refuses: see the class."""
        raise ValueError("this task has no vocabulary of texts")

    def decode_continuation(self, ids: list[int]) -> str:
        """Refuses: see the class."""
        raise ValueError("this task has no vocabulary of texts")

    def surfaces(self, text: str) -> list[str]:
        """Refuses: see the class."""
        raise ValueError("this task has no vocabulary of texts")

    def decode_unknown(self, ids: list[int], words: Sequence[str]) -> str:
        """Refuses: see the class."""
        raise ValueError("this task has no vocabulary of texts")


class Tokenizer:
    """Turns text into token ids and back.

    With a vocabulary trained here, runs of white space come back as one space, and none at the ends; other text comes
    back as it was. No text gives pad, begin or end.
    """

    PAD = PAD
    UNK = UNK
    BEGIN = BEGIN
    END = END

    backward = False
    """Whether the last token of a text comes first; see `lstmlm.tokenizer.backward`."""

    def __init__(self, path: Path) -> None:
        """Loads a vocabulary.

        Args:
            path: A `tokenizer.model` (SentencePiece) or `tokenizer.json` (Hugging Face) of a tokenizer folder.

        Raises:
            UserError: It is not there or not a vocabulary.
        """
        self._path = Path(path)
        self._backend: TokenizerBackend
        if self._path.name == LABELS_FILE:
            self._backend = NoText()
        else:
            self._backend = HuggingFace(path) if self._path.suffix == ".json" else SentencePiece(path)

    @functools.cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels of the train split, in the order of their numbers; none for a task without labels.

        Raises:
            UserError: Their file is damaged.
        """
        return stored_labels(self._path)

    @property
    def size(self) -> int:
        """Number of pieces: ids are below it."""
        return self._backend.size

    @property
    def in_graph(self) -> bool:
        """Whether tensorflow-text has an operation for it, so that a SavedModel holds it and reads text."""
        return isinstance(self._backend, SentencePiece)

    @property
    def whole_words(self) -> bool:
        """Whether a space is never a piece: what is no word of the vocabulary is spelled in bytes, its space too.

        Raises:
            UserError: The vocabulary is not a SentencePiece model.
        """
        return self._sentence_piece().whole_words

    @property
    def keeps_marks(self) -> bool:
        """Whether U+2581 in a text comes back, and not as a space.

        Raises:
            UserError: The vocabulary is not a SentencePiece model.
        """
        return self._sentence_piece().keeps_marks

    @property
    def model_bytes(self) -> bytes:
        """The SentencePiece model.

        Raises:
            UserError: The vocabulary is of another kind.
        """
        return self._sentence_piece().model_bytes

    def encode(self, text: str) -> list[int]:
        """Returns the token ids of a text, without begin and end."""
        return self._backend.encode(text)

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Returns the token ids of each text."""
        return [self.encode(text) for text in texts]

    def encode_closed(self, texts: Sequence[str]) -> TokenRows:
        """Returns the token ids of each text with *end* behind it: the fast way to encode a block of texts."""
        return TokenRows.joined(self._backend.encode_closed(list(texts)))

    def decode(self, ids: Iterable[int]) -> str:
        """Returns the text of token ids; pad, begin and end count for nothing."""
        silent = (PAD, BEGIN, END)
        return self._backend.decode([int(token) for token in ids if token not in silent])

    def decode_continuation(self, ids: Iterable[int]) -> str:
        """Returns the text of token ids that continue a text: as `decode`, but with the space that it begins with."""
        silent = (PAD, BEGIN, END)
        return self._backend.decode_continuation([int(token) for token in ids if token not in silent])

    @property
    def anchor(self) -> int:
        """A token that writes a letter: what follows it is written as within a text.

        Raises:
            UserError: The vocabulary is not a SentencePiece model.
        """
        return self._sentence_piece().anchor

    def pieces(self) -> list[str | bytes]:
        """Returns what each id writes: text, a byte, or nothing (empty text) for pad, begin and end.

        Raises:
            UserError: The vocabulary is not a SentencePiece model.
        """
        return self._sentence_piece().pieces()

    def surfaces(self, text: str) -> list[str]:
        """Returns the text of each token that `encode` finds, as written there, without spaces around it.

        A token that is not a whole character (a byte, or the space before a word) has the text of the next.
        """
        return self._backend.surfaces(text)

    def places(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Returns the ids of a text, and where each token begins and ends in it, white space before it included.

        The first bytes of a character that is written in bytes have no length; its last has the character. U+2581, with
        which SentencePiece marks spaces, is read as U+25A1.

        Raises:
            UserError: The vocabulary is not a SentencePiece model.
        """
        return self._sentence_piece().places(text)

    def decode_unknown(self, ids: Iterable[int], words: Sequence[str]) -> str:
        """Returns the text of token ids, as `decode` does, with a word in the place of each unknown one.

        Args:
            ids: The ids.
            words: One for every unknown id, in their order; an empty one leaves it as it is.
        """
        silent = (PAD, BEGIN, END)
        return self._backend.decode_unknown([int(token) for token in ids if token not in silent], words)

    def _sentence_piece(self) -> SentencePiece:
        if not isinstance(self._backend, SentencePiece):
            what = "what a token writes is known of SentencePiece vocabularies only, and this is a tokenizer.json"
            hint = "Leave out forbidden and forced words, or give a SentencePiece .model"
            raise UserError(what, where=str(self._path), hint=hint)
        return self._backend


def stored_labels(vocabulary: Path) -> tuple[str, ...]:
    """Returns the labels that are stored next to the file of a vocabulary; none where there is no such file.

    Raises:
        UserError: The file is damaged.
    """
    path = vocabulary.parent / LABELS_FILE
    if not path.is_file():
        return ()
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(label, str) for label in found):
        raise UserError("damaged: not a list of labels", where=str(path), hint="Run the tokenizer stage again")
    return tuple(found)


def tokenizer_file(folder: Path) -> Path:
    """Returns the vocabulary of a tokenizer folder, for `Tokenizer`."""
    names = (JSON_FILE, MODEL_FILE, LABELS_FILE)
    found = (Path(folder) / name for name in names if (Path(folder) / name).is_file())
    return next(found, Path(folder) / MODEL_FILE)
