"""SentencePiece as a backend of `Tokenizer` (Kudo and Richardson, 2018)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import sentencepiece

from lstmlm.errors import UserError
from lstmlm.tokenizer.rows import IdArray
from lstmlm.tokenizer.sentencepiece.marks import ESCAPE, SPACE_MARK, escaped, places, unescaped, unmarked
from lstmlm.tokenizer.special import BEGIN, END, PAD, UNK


class SentencePiece:
    """A SentencePiece model whose special ids are those of this project.

    Attributes:
        model_bytes: The model file's content.
        size: Number of pieces.
        whole_words: Whether the mark of a space is no piece of its own. A word that is no piece is spelled in bytes,
            its mark too, and SentencePiece does not take the bytes of a mark for a space.
        keeps_marks: Whether U+2581 in a text comes back: it is spelled in bytes, which a model of others may not have.
    """

    def __init__(self, path: Path) -> None:
        """Loads a model.

        Raises:
            UserError: The file is not there, not a SentencePiece model, or one with other special ids.
        """
        hint = "Name the tokenizer.model of a finished tokenizer stage"
        try:
            self.model_bytes = Path(path).read_bytes()
            self._processor = sentencepiece.SentencePieceProcessor(model_proto=self.model_bytes)
        except (OSError, RuntimeError) as error:
            raise UserError("not a SentencePiece model", where=str(path), hint=hint) from error
        found = special_ids(self._processor)
        if found != (PAD, UNK, BEGIN, END):
            what = "pad, unknown, begin and end have the ids {}, {}, {} and {}, not 0, 1, 2 and 3".format(*found)
            raise UserError(what, where=str(path), hint="Name it in tokenizer.model: the stage renumbers it")
        self.size = int(self._processor.get_piece_size())
        self.whole_words = bool(self._processor.piece_to_id(SPACE_MARK) == UNK)
        self.keeps_marks = UNK not in self._processor.encode(ESCAPE)

    def encode(self, text: str) -> list[int]:
        """See `lstmlm.tokenizer.tokenizer.Backend`."""
        ids: list[int] = self._processor.encode(self._escaped(text))
        return ids

    def encode_closed(self, texts: list[str]) -> list[IdArray]:
        """See `lstmlm.tokenizer.tokenizer.Backend`."""
        # One thread: workers share the machine among themselves.
        rows: list[IdArray] = self._processor.encode(
            [*map(escaped, texts)], num_threads=1, return_type="numpy", add_eos=True
        )
        return rows

    def decode(self, ids: list[int]) -> str:
        """See `lstmlm.tokenizer.tokenizer.Backend`."""
        text: str = self._processor.decode(ids)
        return self._spaced(text)

    def decode_continuation(self, ids: list[int]) -> str:
        """See `lstmlm.tokenizer.tokenizer.Tokenizer`."""
        if not ids:
            return ""
        # Behind another token a space is kept; at the beginning of a text SentencePiece leaves it out.
        text: str = self._processor.decode([self.anchor, *ids])
        text = text.removeprefix(self._processor.decode([self.anchor]))
        text = text.replace(SPACE_MARK, " ") if self.whole_words else text
        return unescaped(text) if self.keeps_marks else text

    @functools.cached_property
    def anchor(self) -> int:
        """See `lstmlm.tokenizer.tokenizer.Tokenizer`."""
        numbers = range(self.size)
        letters = (n for n in numbers if self._processor.id_to_piece(n).isalpha() and not self._silent(n))
        return next(letters, self._processor.piece_to_id("<0x61>"))

    def _silent(self, number: int) -> bool:
        return bool(self._processor.is_control(number) or self._processor.is_unknown(number))

    def pieces(self) -> list[str | bytes]:
        """See `lstmlm.tokenizer.tokenizer.Tokenizer`."""
        return [self._written(number) for number in range(self.size)]

    def _written(self, number: int) -> str | bytes:
        piece: str = self._processor.id_to_piece(number)
        if self._processor.is_byte(number):
            return bytes([int(piece[1:-1], 16)])
        if self._processor.is_control(number):
            return ""
        if self._processor.is_unknown(number):
            return str(self._processor.decode([self.anchor, number])).removeprefix(
                str(self._processor.decode([self.anchor]))
            )
        return piece.replace(SPACE_MARK, " ")

    def surfaces(self, text: str) -> list[str]:
        """See `lstmlm.tokenizer.tokenizer.Tokenizer`."""
        found = self._processor.encode(self._escaped(text), return_type="offset_mapping")["offsets"]
        at = places(text) if self.keeps_marks else range(len(text) + 1)
        surfaces = [text[at[start] : at[end]].strip() for start, end in found]
        for n in range(len(surfaces) - 2, -1, -1):
            surfaces[n] = surfaces[n] or surfaces[n + 1]
        return surfaces

    def places(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """See `lstmlm.tokenizer.tokenizer.Tokenizer`."""
        found = self._processor.encode(unmarked(text), return_type="offset_mapping")
        return found["ids"], found["offsets"]

    def decode_unknown(self, ids: list[int], words: Sequence[str]) -> str:
        """See `lstmlm.tokenizer.tokenizer.Tokenizer`."""
        # Where the mark of a space is no piece, as in a vocabulary of whole words, it is part of what is unknown.
        found = self._processor.decode(ids, return_type="offset_mapping")
        text, parts, done = found["text"], [], 0
        unknown = (place for number, place in zip(found["ids"], found["offsets"], strict=True) if number == UNK)
        for (start, end), word in zip(unknown, words, strict=True):
            space = " " if self.whole_words and start else ""
            parts += [text[done:start], space + self._escaped(word) if word else text[start:end]]
            done = end
        return self._spaced("".join([*parts, text[done:]]))

    def _spaced(self, text: str) -> str:
        text = text.replace(SPACE_MARK, " ").removeprefix(" ") if self.whole_words else text
        return unescaped(text) if self.keeps_marks else text

    def _escaped(self, text: str) -> str:
        return escaped(text) if self.keeps_marks else text


def special_ids(processor: sentencepiece.SentencePieceProcessor) -> tuple[int, int, int, int]:
    """Returns the ids of pad, unknown, begin and end; -1 for what a model does not have."""
    return processor.pad_id(), processor.unk_id(), processor.bos_id(), processor.eos_id()
