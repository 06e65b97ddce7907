"""The vocabulary of a corpus, and the lengths of its texts in tokens."""

from __future__ import annotations

from typing import Any

from lstmlm.cli.init.look import Look
from lstmlm.cli.init.plan import Guess

_PIECES = ((4_000_000, 8000), (1_500_000, 4000), (400_000, 2000), (80_000, 1000), (20_000, 500))
"""Characters of a text at least -> pieces of its vocabulary."""
_BYTES = 260
"""Pieces that every vocabulary has."""


def vocabulary(seen: Look, found: Guess) -> dict[str, Any]:
    """Returns the vocabulary of a corpus: as many pieces as there is text to learn of, with room for its letters."""
    columns = [seen.columns[name] for name in (found.source, found.target, found.question) if name is not None]
    texts = [one for one in columns if one.kind in ("text", "texts")]
    if all(one.closed for one in texts):
        return {"algorithm": "word", "vocabulary": 20_000}
    size = next((size for least, size in _PIECES if seen.characters >= least), 300)
    # The rows that were looked at do not have every letter.
    least = _BYTES + 3 * max(one.letters for one in texts) // 2 + 100
    return {"vocabulary": max(size, -(-least // 100) * 100)}


def length(words: int, most: int, least: int = 16) -> int:
    """Returns how many tokens hold a text of so many words, in steps of 16."""
    return int(min(most, max(least, -(-words * 3 // 2 // 16) * 16)))
