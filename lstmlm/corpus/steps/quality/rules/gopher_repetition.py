"""`gopher_repetition`: Gopher's rules for repeated lines, paragraphs and n-grams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstmlm.corpus.steps.quality.rule_set import TextRules

if TYPE_CHECKING:
    from lstmlm.corpus.steps.quality.texts import Reasons, Texts


class GopherRepetition(TextRules):
    """See `lstmlm.corpus.steps.quality.repetition`."""

    prefix = "gopher"

    def reasons(self, texts: Texts) -> Reasons:
        """See `TextRules`."""
        from lstmlm.corpus.steps.quality.repetition import gopher_repetition

        return gopher_repetition(texts)


RULES = GopherRepetition()
