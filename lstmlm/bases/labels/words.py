"""Words of a text, and labels of words as spans and back (`B-` begins a span, `I-` continues it, `O` is none)."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lstmlm.corpus.wording.scripts import FIRST, SPACED, letters_per_word

OUTSIDE = "O"
"""The label of a word in no span."""

BEGIN, INSIDE = "B-", "I-"

SPACES = r"\pZ\t-\r\x1c-\x1f\x{85}"
"""What Python takes for white space, as a class of RE2."""


class LabelledSpan(NamedTuple):
    """A part of a text and its label: from the character `start` to before the character `end`."""

    start: int
    end: int
    label: str


def word_places(text: str) -> list[tuple[int, int]]:
    """Returns the start and end of each word of a text.

    A word is a run of letters, marks and digits; each letter of a script without spaces; or any other sign.
    """
    return list(_places(text))


def _places(text: str) -> Iterator[tuple[int, int]]:
    start = -1  # of the run that is being read
    for place, letter in enumerate(text):
        kind = _kind(letter)
        if kind == "run":
            start = place if start < 0 else start
            continue
        if start >= 0:
            yield start, place
            start = -1
        if kind == "single":
            yield place, place + 1
    if start >= 0:
        yield start, len(text)


def _kind(letter: str) -> str:
    if letter.isspace():
        return "space"
    code = ord(letter)
    if code >= FIRST and letters_per_word()[code] != SPACED:
        return "single"
    return "run" if letter == "_" or unicodedata.category(letter)[0] in "LMN" else "single"


@functools.cache
def word_pattern() -> str:
    """Returns what `word_places` finds as a pattern of RE2, which the exported model splits texts with."""
    spaceless = np.flatnonzero(letters_per_word() != SPACED)
    ends = np.flatnonzero(np.diff(spaceless) != 1)
    first, last = spaceless[np.append(0, ends + 1)], spaceless[np.append(ends, len(spaceless) - 1)]
    single = "".join(f"\\x{{{start:X}}}-\\x{{{end:X}}}" for start, end in zip(first, last, strict=True))
    run = "|".join(rf"[^\P{{{kind}}}{single}]" for kind in "LMN")
    return rf"[{single}]|(?:{run}|_)+|[^{SPACES}]"


def found_places(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Returns where words are in the text that they were split from, in their order."""
    places, at = [], 0
    for word in words:
        start = text.find(word, at)
        if start < 0:
            start = at
        at = start + len(word)
        places.append((start, at))
    return places


def word_labels(places: Sequence[tuple[int, int]], spans: Sequence[LabelledSpan]) -> tuple[list[str], int]:
    """Returns the label of each word, and how many spans have no word: of spans that share a word, the first has it."""
    labels, lost = [OUTSIDE] * len(places), 0
    for span in sorted(spans):
        inside = [n for n, (start, end) in enumerate(places) if start < span.end and end > span.start]
        free = [n for n in inside if labels[n] == OUTSIDE]
        if not free:
            lost += 1
            continue
        for n in free:
            labels[n] = (BEGIN if n == free[0] else INSIDE) + span.label
    return labels, lost


def tagged_spans(places: Sequence[tuple[int, int]], tags: Sequence[str]) -> list[LabelledSpan]:
    """Returns the spans that the labels of words make; a label without `B-` or `I-` is that of its word only.

    An `I-` behind another label begins a span, as in the CoNLL evaluation.
    """
    spans: list[LabelledSpan] = []
    before = ""
    for (start, end), tag in zip(places, tags, strict=True):
        if tag == OUTSIDE:
            before = ""
            continue
        inside, label = tag.startswith(INSIDE), tag[2:] if tag.startswith((BEGIN, INSIDE)) else tag
        if inside and before == label:
            spans[-1] = LabelledSpan(spans[-1].start, end, label)
        else:
            spans.append(LabelledSpan(start, end, label))
        before = label
    return spans


def joined_words(words: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Returns words as a text, with spaces between, and where each is."""
    places, at = [], 0
    for word in words:
        places.append((at, at + len(word)))
        at += len(word) + 1
    return " ".join(words), places
