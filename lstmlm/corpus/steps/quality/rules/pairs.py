"""`pairs`: rules that compare source and targets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lstmlm.corpus.steps.quality.rule_set import RuleSet

if TYPE_CHECKING:
    from lstmlm.corpus.passes.block import Block
    from lstmlm.corpus.steps.quality.texts import Reasons, Texts
    from lstmlm.recipe.sections.corpus import CorpusSection


class Pairs(RuleSet):
    """See `lstmlm.corpus.steps.quality.pairs`."""

    prefix = "pairs"
    compares_targets = True

    def clashes(self, corpus: CorpusSection) -> Iterator[str]:
        """See `RuleSet`."""
        if corpus.target is None:
            yield "the quality rules `pairs` compare source and target: name the column in `target`"

    def apply(self, block: Block, texts: Texts) -> tuple[Block, Reasons]:
        """See `RuleSet`."""
        from lstmlm.corpus.steps.quality.pairs import pairs

        return block, pairs(block.records)


RULES = Pairs()
