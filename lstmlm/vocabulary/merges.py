"""Finds new pieces for a vocabulary: merges of its pieces that are frequent in new text (Sennrich et al. 2016)."""

from __future__ import annotations

import collections
import dataclasses
import heapq
import itertools
from collections.abc import Iterator, Mapping

from lstmlm.tokenizer.sentencepiece.marks import SPACE_MARK

LEAST_COUNT = 2
"""A piece that occurs once is none."""

Symbol = str
"""What a word is made of: a piece of the vocabulary, or a character that it spells in bytes."""


@dataclasses.dataclass(frozen=True, slots=True)
class NewPiece:
    """A piece that was found.

    Attributes:
        text: As SentencePiece writes it: U+2581 for a space.
        parts: Ids of the old pieces that it decomposes into.
        count: How often it occurred when it was found.
        halves: The two pieces that it is a merge of; none for a character.
    """

    text: Symbol
    parts: tuple[int, ...]
    count: int
    halves: tuple[Symbol, Symbol] | None = None


class Merger:
    """Merges adjacent symbols of words, the most frequent pair first; of equal ones the first in the alphabet.

    A merge stays within letters, within digits or within other characters, as SentencePiece's own do; the mark of a
    space goes with any of them.

    Args:
        words: Symbols of each different word, with the ids of each symbol, and how often the word occurs.
        known: The pieces that there are. A symbol that is none is a character that is spelled in bytes.
    """

    def __init__(self, words: Mapping[tuple[tuple[Symbol, tuple[int, ...]], ...], int], known: set[Symbol]) -> None:
        self._words = [[symbol for symbol, _ in word] for word in words]
        self._counts = list(words.values())
        self._known = set(known)
        self._parts: dict[Symbol, tuple[int, ...]] = {symbol: ids for word in words for symbol, ids in word}
        self._pairs: collections.Counter[tuple[Symbol, Symbol]] = collections.Counter()
        self._places: dict[tuple[Symbol, Symbol], set[int]] = collections.defaultdict(set)
        for place in range(len(self._words)):
            self._add(place, 1)
        self._queue = [(-count, pair) for pair, count in self._pairs.items()]
        heapq.heapify(self._queue)

    def characters(self) -> list[NewPiece]:
        """Returns the characters that are spelled in bytes, the most frequent first."""
        counts: collections.Counter[Symbol] = collections.Counter()
        for word, count in zip(self._words, self._counts, strict=True):
            for symbol in word:
                if symbol not in self._known:
                    counts[symbol] += count
        ordered = sorted(counts.items(), key=lambda found: (-found[1], found[0]))
        return [NewPiece(text, self._parts[text], count) for text, count in ordered if count >= LEAST_COUNT]

    def add(self, characters: list[NewPiece]) -> None:
        """Takes characters into the vocabulary, so that merges may contain them."""
        self._known |= {piece.text for piece in characters}

    def merges(self) -> Iterator[NewPiece]:
        """Yields new pieces, each of which is made of two that were there before it."""
        while self._queue:
            negative, pair = heapq.heappop(self._queue)
            if -negative != self._pairs[pair]:
                continue  # the count has changed since; the pair is in the queue with the present one too
            if -negative < LEAST_COUNT:
                return
            if not self._allowed(pair):
                continue
            text = "".join(pair)
            self._parts.setdefault(text, self._parts[pair[0]] + self._parts[pair[1]])
            new = text not in self._known
            self._known.add(text)
            self._merge(pair, text)
            if new:
                yield NewPiece(text, self._parts[text], -negative, pair)

    def _allowed(self, pair: tuple[Symbol, Symbol]) -> bool:
        if not self._known.issuperset(pair):
            return False
        kinds = {_kind(letter) for letter in "".join(pair).removeprefix(SPACE_MARK)}
        return len(kinds) == 1

    def _merge(self, pair: tuple[Symbol, Symbol], text: Symbol) -> None:
        changed: set[tuple[Symbol, Symbol]] = set()
        for place in sorted(self._places[pair]):
            changed |= self._add(place, -1)
            self._words[place] = _merged(self._words[place], pair, text)
            changed |= self._add(place, 1)
        for one in changed:
            if self._pairs[one] > 0:
                heapq.heappush(self._queue, (-self._pairs[one], one))

    def _add(self, place: int, sign: int) -> set[tuple[Symbol, Symbol]]:
        """Counts the pairs of a word, or takes them off the counts; returns them."""
        word, count = self._words[place], sign * self._counts[place]
        pairs = set()
        for pair in itertools.pairwise(word):
            self._pairs[pair] += count
            pairs.add(pair)
            if sign > 0:
                self._places[pair].add(place)
            else:
                self._places[pair].discard(place)
        return pairs


def _merged(word: list[Symbol], pair: tuple[Symbol, Symbol], text: Symbol) -> list[Symbol]:
    found: list[Symbol] = []
    n = 0
    while n < len(word):
        if n + 1 < len(word) and (word[n], word[n + 1]) == pair:
            found.append(text)
            n += 2
        else:
            found.append(word[n])
            n += 1
    return found


def _kind(letter: str) -> str:
    if letter.isalpha():
        return "letter"
    return "digit" if letter.isdigit() else "other"
