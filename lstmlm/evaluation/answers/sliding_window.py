"""The sliding window (Richardson et al. 2013), with which SQuAD was first held against: an answer without learning.

An answer is a phrase of the passage around which most of the question's words are found, where a word counts the more
the rarer it is in the passage and the nearer to the phrase. A phrase is a few words, none of the question's, between
function words. In place of a parser, which SQuAD's phrases are from, names and numbers are preferred by their letters.
"""

from __future__ import annotations

import collections
import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

REACH = 10
"""Words to either side of a phrase that are looked at."""
LONGEST = 5
_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_]+(?:[.,'’-][^\W_]+)*|[^\w\s]")
_FUNCTION = frozenset(
    """
    a an the of in on at to for from by with as and or but is are was were be been being has have had do
    does did can could will would may might it its he she they his her their him them this that these
    those which who whom what when where why how not no than then there also such into over under after
    before between during about
    """.split()  # noqa: SIM905 - a list of so many quotes could not be read
)
"""Words at which no phrase of an English answer begins or ends."""


class Word(NamedTuple):
    """A word of a passage, and where it is."""

    text: str
    start: int
    end: int

    @property
    def form(self) -> str:
        """The word without case."""
        return self.text.casefold()

    @property
    def inside(self) -> bool:
        """Whether an answer may have it at an end."""
        return self.text[0].isalnum() and self.form not in _FUNCTION


def sliding_window(question: str, passage: str) -> str:
    """Returns the answer; an empty one for a passage without words."""
    words = [Word(found[0], *found.span()) for found in _WORDS.finditer(passage)]
    asked = {found[0].casefold() for found in _WORDS.finditer(question)} - _FUNCTION
    counts = collections.Counter(word.form for word in words)
    weights = [math.log(1 + 1 / counts[word.form]) if word.form in asked else 0.0 for word in words]
    best, answer = -1.0, ""
    for first, last in _phrases(words, asked):
        score = _around(words, weights, first, last) * _named(words[first : last + 1])
        if score > best:
            best, answer = score, passage[words[first].start : words[last].end]
    return answer


def _phrases(words: Sequence[Word], asked: set[str]) -> Iterator[tuple[int, int]]:
    """Yields the first and last word of what can be an answer: it has none of the question's words."""
    first = 0
    while first < len(words):
        if not words[first].inside or words[first].form in asked:
            first += 1
            continue
        last = first
        while last + 1 < len(words) and words[last + 1].inside and words[last + 1].form not in asked:
            last += 1
        for begin in range(first, last + 1):
            for end in range(begin, min(last, begin + LONGEST - 1) + 1):
                yield begin, end
        first = last + 1


def _around(words: Sequence[Word], weights: Sequence[float], first: int, last: int) -> float:
    """Returns the weight of the question's words around a phrase, each once."""
    found: dict[str, float] = {}
    for place in range(max(0, first - REACH), min(len(words), last + REACH + 1)):
        if weights[place]:
            distance = max(first - place, place - last)
            found[words[place].form] = max(
                found.get(words[place].form, 0.0), weights[place] * (1 - distance / (2 * REACH))
            )
    return sum(found.values())


def _named(phrase: Sequence[Word]) -> float:
    """Returns how much a phrase looks like a name or a number, as most answers are, from 0.5 to 1."""
    names = sum(word.text[0].isupper() for word in phrase) / len(phrase)
    numbers = sum(word.text[0].isdigit() for word in phrase) / len(phrase)
    return 0.5 + 0.5 * max(names, numbers)
