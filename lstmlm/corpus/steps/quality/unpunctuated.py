"""Languages that do not mark the end of a sentence; rules that need such marks are refused for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lstmlm.recipe.sections.corpus import CorpusSection

UNPUNCTUATED = ("th", "lo")
"""ISO 639-1 codes of Thai and Lao."""


def unpunctuated(rules: str, corpus: CorpusSection) -> Iterator[str]:
    """Yields why rules that ask for marks at the ends of sentences do not fit a corpus."""
    codes = [code for code in corpus.languages if code in UNPUNCTUATED]
    if codes:
        yield (
            f"the quality rules `{rules}` ask for marks at the ends of sentences, and {codes[0]} is written "
            "without: leave them out"
        )
