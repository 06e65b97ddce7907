"""Passages as tokens with their places in the text, and as windows where they are long."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from lstmlm.answering.lexicon import Lexicon
from lstmlm.models.reader.shapes import Shape
from lstmlm.records.columns import Span
from lstmlm.tokenizer import Tokenizer

Numbers = npt.NDArray[np.int32]


@dataclasses.dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a text.

    Attributes:
        ids: int32 [tokens].
        starts: int32 [tokens], the place of the first character of a token that is no white space.
        ends: int32 [tokens], the place behind its last such character; the start, for a token of white space and for
            the first bytes of a character that is written in bytes.
    """

    ids: Numbers
    starts: Numbers
    ends: Numbers

    def shapes(self, lexicon: Lexicon) -> Numbers:
        """Returns the `Shape` of each token, int32 [tokens]."""
        return lexicon.shapes[self.ids] | np.where(self.ends > self.starts, 0, Shape.NOTHING).astype(np.int32)

    def part(self, first: int, behind: int) -> Tokens:
        """Returns the tokens from one on to before another; their places are still those in the whole text."""
        return Tokens(*(numbers[first:behind] for numbers in (self.ids, self.starts, self.ends)))

    def covering(self, span: Span) -> tuple[int, int] | None:
        """Returns the first and last token of the fewest that hold a span of the text; None for one of no token."""
        first = int(np.searchsorted(self.ends, span.start, "right"))
        last = int(np.searchsorted(self.starts, span.end, "left")) - 1
        while first <= last and self.ends[first] <= self.starts[first]:
            first += 1
        while last > first and self.ends[last] <= self.starts[last]:
            last -= 1
        return (first, last) if first <= last else None


def tokens_of(text: str, tokenizer: Tokenizer) -> Tokens:
    """Finds the tokens of a text."""
    ids, places = tokenizer.places(text)
    starts, ends = [], []
    for start, end in places:
        part = text[start:end]
        start = min(end, start + len(part) - len(part.lstrip()))
        starts.append(start)
        ends.append(max(start, start + len(text[start:end].rstrip())))
    return Tokens(*(np.array(numbers, np.int32) for numbers in (ids, starts, ends)))


def windows(tokens: int, longest: int, stride: int) -> Iterator[tuple[int, int]]:
    """Yields the first token and the token behind the last of each window of a passage.

    Args:
        tokens: Tokens of the passage.
        longest: Tokens of a window at most.
        stride: Tokens from one window to the next.
    """
    start = 0
    yield start, min(tokens, longest)
    while start + longest < tokens:
        start += stride
        yield start, min(tokens, start + longest)
