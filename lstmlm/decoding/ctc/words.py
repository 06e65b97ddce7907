"""Words of tokens: where one begins, what it is, and when it was said."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True, slots=True)
class Word:
    """A word of a transcript.

    Attributes:
        text: The word.
        first: The first step of its tokens.
        last: The step after the last.
    """

    text: str
    first: int
    last: int


class Pieces:
    """What the tokens of a vocabulary write, as far as words are concerned.

    Args:
        written: For each token its text, the bytes of one, or an empty text; see `Tokenizer.pieces`.
    """

    def __init__(self, written: Sequence[str | bytes]) -> None:
        self._bytes = [piece if isinstance(piece, bytes) else piece.encode("utf-8") for piece in written]

    def begins(self, token: int) -> bool:
        """Says whether a token begins a new word."""
        return self._bytes[token].startswith(b" ")

    def part(self, token: int) -> bytes:
        """Returns what a token writes of a word, as bytes, for it may be a part of a character."""
        return self._bytes[token].removeprefix(b" ")

    def words(self, tokens: Sequence[int], spans: Sequence[tuple[int, int]]) -> list[Word]:
        """Returns the words that tokens write.

        Args:
            tokens: The tokens.
            spans: The first step of each, and the one after its last.
        """
        found: list[Word] = []
        text, first, last = b"", 0, 0
        for token, (start, end) in zip(tokens, spans, strict=True):
            if self.begins(token) and text:
                found.append(Word(text.decode("utf-8", "replace"), first, last))
                text = b""
            if part := self.part(token):
                first = first if text else start
                text, last = text + part, end
        if text:
            found.append(Word(text.decode("utf-8", "replace"), first, last))
        return found
