"""`fineweb`: the rules that FineWeb adds to C4's and Gopher's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lstmlm.corpus.steps.quality.rule_set import TextRules
from lstmlm.corpus.steps.quality.unpunctuated import unpunctuated

if TYPE_CHECKING:
    from lstmlm.corpus.steps.quality.texts import Reasons, Texts
    from lstmlm.recipe.sections.corpus import CorpusSection


class FineWeb(TextRules):
    """See `lstmlm.corpus.steps.quality.fineweb`."""

    prefix = "fineweb"

    def clashes(self, corpus: CorpusSection) -> Iterator[str]:
        """See `RuleSet`."""
        yield from unpunctuated("fineweb", corpus)

    def reasons(self, texts: Texts) -> Reasons:
        """See `TextRules`."""
        from lstmlm.corpus.steps.quality.fineweb import fineweb

        return fineweb(texts)


RULES = FineWeb()
