"""The sentence that an answer is in."""

from __future__ import annotations

import re
from collections.abc import Iterator

# An end of a sentence, with what closes it; a Latin one is followed by space and no small letter.
_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s+[^\sa-z])|[。！？｡]+[”’」』）]*|\n+")
_SHORT = re.compile(r"(?:\b[^\W\d_]|\b(?:Mr|Mrs|Ms|Dr|St|Prof|Sr|Jr|vs|etc|No|c|ca))$")
"""What is before a full stop that ends no sentence: an initial, or a usual abbreviation."""


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yields where each sentence of a text begins and ends, without the white space around it."""
    start = 0
    for found in _END.finditer(text):
        if found[0] == "." and _SHORT.search(text, max(start, found.start() - 5), found.start()):
            continue
        yield from _trimmed(text, start, found.end())
        start = found.end()
    yield from _trimmed(text, start, len(text))


def evidence(text: str, start: int, end: int) -> str:
    """Returns the sentence that holds a span of a text; several where it goes over their ends; empty for no span."""
    if start >= end:
        return ""
    touched = [(first, behind) for first, behind in sentences(text) if first < end and behind > start]
    return text[touched[0][0] : touched[-1][1]] if touched else text[start:end]


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    part = text[start:end]
    first = start + len(part) - len(part.lstrip())
    if part.strip():
        yield first, first + len(part.strip())
