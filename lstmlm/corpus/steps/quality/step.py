"""The quality step: the rule sets that a recipe lists, one after the other, on blocks of records."""

from __future__ import annotations

from collections.abc import Sequence

from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.steps.quality.characters import flags
from lstmlm.corpus.steps.quality.rule_set import rule_set
from lstmlm.corpus.steps.quality.texts import Reasons, Texts
from lstmlm.corpus.steps.step import Step


class Quality(Step):
    """Drops records that break a rule, each for the first one it breaks; some sets also remove lines."""

    only_train = True

    def __init__(self, names: Sequence[str]) -> None:
        """Finds the rule sets.

        Args:
            names: `recipe.corpus.quality`, applied in this order.

        Raises:
            UserError: A name means no set of rules.
        """
        self._rule_sets = [rule_set(name) for name in names]

    def setup(self) -> None:
        """See `Step`."""
        flags()

    def __call__(self, block: Block) -> Block:
        """See `Step`."""
        reasons: Reasons = [None] * len(block.records)
        texts = Texts([record.source for record in block.records])
        for rules in self._rule_sets:
            before = block
            block, found = rules.apply(block, texts)
            if block is not before:
                texts = Texts([record.source for record in block.records])
            reasons = [old or new for old, new in zip(reasons, found, strict=True)]
        return block.without(reasons)
