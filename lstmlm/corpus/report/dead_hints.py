"""Hints on dead letters: advice for the most frequent reason."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lstmlm.corpus.reading.readers import READERS, read_file
from lstmlm.corpus.sources.found import CorpusFile
from lstmlm.corpus.sources.kinds import file_kinds
from lstmlm.recipe.recipe import Recipe
from lstmlm.recipe.sections.corpus import CorpusSection

TOO_LONG = "longer than"
_LONGEST = 64 << 20
"""Bytes of a row that are looked for, and that are held in memory at most."""
_MOST_BYTES = 2_000_000_000
"""Bytes of files that are read again to find the longest row."""


def dead_hint(
    reason: str, first: Mapping[str, Any], counts: Mapping[str, Any], files: Sequence[CorpusFile], recipe: Recipe
) -> str:
    """Returns the advice.

    Args:
        reason: The most frequent reason, without its details.
        first: The first dead letter.
        counts: See `lstmlm.corpus.report.summary.totals`.
        files: The corpus.
        recipe: The run.
    """
    if reason.startswith(TOO_LONG):
        return _longer_lines(files, recipe.corpus)
    file = next((file for file in files if file.name == first["file"]), None)
    if reason.startswith("no column") and file is not None and not READERS.load(file.reader).has_columns:
        kind, others = READERS.load(file.reader).endings[0], file_kinds(recipe.corpus).usual(columns=True)
        return (
            f"A {kind} file has lines and no columns: give the pairs as {others} with the "
            f"columns corpus.source ({recipe.corpus.source!r}) and corpus.target ({recipe.corpus.target!r})"
        )
    if counts["dead"] == counts["in"]:
        named = "corpus.source, corpus.target and corpus.id" if "column" in reason else "corpus.train"
        return f"No line can be used: check {named}"
    return f"Correct the corpus, or set corpus.max_dead_fraction to {enough(counts['dead'], counts['in'])}"


def enough(part: int, whole: int) -> float:
    """Returns a share of two digits or more that a part of a whole is within."""
    digits = 2
    while (share := math.ceil(part / whole * 10**digits) / 10**digits) * whole < part:
        digits += 1
    return min(1.0, share)


def _longer_lines(files: Sequence[CorpusFile], corpus: CorpusSection) -> str:
    longest = _longest_row(files, corpus)
    if longest is None:
        return f"Split the longer texts, or raise corpus.max_line_bytes above {corpus.max_line_bytes}"
    return f"Set corpus.max_line_bytes to {longest} or more, or split the longer texts"


def _longest_row(files: Sequence[CorpusFile], corpus: CorpusSection) -> int | None:
    """Returns the bytes of the longest row; None where it is too long to be held, or the corpus too large to look."""
    if sum(file.size for file in files) > _MOST_BYTES:
        return None
    longer = corpus.model_copy(update={"max_line_bytes": _LONGEST})
    longest = 0
    columns = [corpus.source, *([] if corpus.target is None else [corpus.target])]
    for file in files:
        for row in read_file(file, longer, columns):
            if row.dead.startswith(TOO_LONG):
                return None
            longest = max(longest, row.size)
    return longest if longest > corpus.max_line_bytes else None
