"""Splits many texts into words at once: computed once per block and shared by all rule sets."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lstmlm.corpus.steps.quality import characters as ch
from lstmlm.corpus.steps.quality.characters import Codes, Flags
from lstmlm.corpus.steps.quality.tokens import MARGIN, Bools, Ints, token_spans
from lstmlm.corpus.wording.scripts import FIRST, SPACED, letters_per_word

_SHORT = 4  # letters of the longest word that `count_distinct` can look for
_LAST_ASCII = 0x7F
_BASE = 0x5851F42D4C957F2D


@dataclasses.dataclass(frozen=True)
class Words:
    """The tokens of a list of texts, in order.

    Attributes:
        codes: Code points of all texts, padded and separated by white space, shape (characters,).
        starts: Where each token begins in `codes`, shape (tokens,).
        lengths: Characters of each token, shape (tokens,).
        token_flags: The flags (`characters`) of a token's characters, or-ed together, shape (tokens,).
        bounds: `bounds[i]` to `bounds[i + 1]` are the tokens of text i, shape (texts + 1,).
    """

    codes: Codes
    starts: Ints
    lengths: Ints
    token_flags: Flags
    bounds: Ints

    def total(self, values: npt.NDArray[np.generic]) -> Ints:
        """Returns the sum of a number (or truth value) of each token over each text, shape (texts,)."""
        sums = np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
        return sums[self.bounds[1:]] - sums[self.bounds[:-1]]

    @functools.cached_property
    def tokens(self) -> Ints:
        """Tokens of each text, punctuation too, shape (texts,)."""
        return np.diff(self.bounds)

    @functools.cached_property
    def is_word(self) -> Bools:
        """Whether a token holds more than punctuation, shape (tokens,)."""
        return self.token_flags & ch.CONTENT != 0

    @functools.cached_property
    def is_alphabetic(self) -> Bools:
        """Whether a token holds a letter, shape (tokens,)."""
        return self.token_flags & ch.ALPHA != 0

    @functools.cached_property
    def is_unspaced(self) -> Bools:
        """Whether a token is a piece of text in a script without spaces between words, shape (tokens,)."""
        return letters_per_word()[self.codes[self.starts]] != SPACED

    @functools.cached_property
    def hashes(self) -> npt.NDArray[np.uint64]:
        """A hash of each token's characters, the same wherever the token occurs, shape (tokens,)."""
        # Prefix sums of code * base^place, and a division by base^start: base is odd, so it has an inverse mod 2^64.
        sums = np.zeros(len(self.codes) + 1, np.uint64)
        np.cumsum((self.codes + np.uint64(1)) * _powers(_BASE, len(self.codes)), out=sums[1:])
        shifted = sums[self.starts + self.lengths] - sums[self.starts]
        return shifted * _powers(pow(_BASE, -1, 2**64), len(self.codes))[self.starts]

    def count_distinct(self, words: Sequence[str]) -> Ints:
        """Returns how many of some words of at most 4 ASCII letters each text has as tokens, shape (texts,)."""
        short = np.flatnonzero((self.lengths <= _SHORT) & self.is_alphabetic)
        starts, lengths = self.starts[short], self.lengths[short]
        keys, largest = self.codes[starts], self.codes[starts]
        for place in range(1, _SHORT):
            code = np.where(place < lengths, self.codes[starts + place], 0)
            largest = np.maximum(largest, code)
            keys = keys | (code << 8 * place)
        keys[largest > _LAST_ASCII] = 0
        found = np.zeros(len(self.bounds) - 1, np.int64)
        for word in words:
            matches = short[keys == int.from_bytes(word.encode("ascii"), "little")]
            found[np.unique(np.searchsorted(self.bounds, matches, side="right") - 1)] += 1
        return found

    def strings(self, index: int) -> list[str]:
        """Returns the tokens of one text."""
        span = slice(self.bounds[index], self.bounds[index + 1])
        starts, lengths = self.starts[span], self.lengths[span]
        if not len(starts):
            return []
        first = int(starts[0])
        text = self.codes[first : int(starts[-1] + lengths[-1])].tobytes().decode("utf-32-le", "surrogatepass")
        begins = (starts - first).tolist()
        return [text[begin : begin + length] for begin, length in zip(begins, lengths.tolist(), strict=True)]


def _powers(base: int, count: int) -> npt.NDArray[np.uint64]:
    factors = np.full(count, base, np.uint64)
    factors[:1] = 1
    return np.cumprod(factors, dtype=np.uint64)


def _split_unspaced(codes: Codes, starts: Ints, lengths: Ints) -> tuple[Ints, Ints]:
    """Cuts tokens of scripts without spaces into pieces of about a word, and from letters of other scripts."""
    places = np.flatnonzero(codes >= FIRST)
    places = places[letters_per_word()[codes[places]] != SPACED]
    if not len(places):
        return starts, lengths
    tokens = np.unique(np.searchsorted(starts, places, side="right") - 1)
    sizes = lengths[tokens]
    ends = np.cumsum(sizes)
    owners = np.repeat(np.arange(len(tokens)), sizes)
    places = np.arange(ends[-1]) + (starts[tokens] - (ends - sizes))[owners]
    letters = letters_per_word()[codes[places]].astype(np.int64)
    begins = np.ones(len(places), np.bool_)  # where a run of letters of one kind begins
    begins[1:] = (letters[1:] != letters[:-1]) | (owners[1:] != owners[:-1])
    firsts = np.flatnonzero(begins)
    offsets = np.arange(len(places)) - firsts[np.cumsum(begins) - 1]
    cuts = np.flatnonzero(begins | ((letters != SPACED) & (offsets % np.maximum(letters, 1) == 0)))
    starts, lengths = np.delete(starts, tokens), np.delete(lengths, tokens)
    among = np.searchsorted(starts, places[cuts])
    sizes = np.diff(cuts, append=len(places))
    return np.insert(starts, among, places[cuts]), np.insert(lengths, among, sizes)


def segment(texts: Sequence[str]) -> Words:
    """Returns the tokens of texts."""
    padding = "\n" * MARGIN
    joined = padding + "\n".join(texts) + padding
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))
    flags = np.take(ch.flags(), codes)
    starts, lengths = token_spans(codes, flags)
    starts, lengths = _split_unspaced(codes, starts, lengths)
    ends_of_texts = MARGIN + np.cumsum([len(text) + 1 for text in texts], dtype=np.int64)
    bounds = np.concatenate([[0], np.searchsorted(starts, ends_of_texts)])
    token_flags = np.bitwise_or.reduceat(flags, starts) if len(starts) else np.zeros(0, np.uint16)
    return Words(codes, starts, lengths, token_flags, bounds)
