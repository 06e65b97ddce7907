"""Sets of quality rules, and how one is found by the name that a recipe gives it.

Light to import: a recipe is checked with it. What computes is imported where it is used.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from lstmlm.plugins import Registry

if TYPE_CHECKING:
    from lstmlm.corpus.passes.block import Block
    from lstmlm.corpus.steps.quality.texts import Reasons, Texts
    from lstmlm.recipe.sections.corpus import CorpusSection


class RuleSet(abc.ABC):
    """Rules that drop records, or lines of them.

    Attributes:
        prefix: What the names of its reasons begin with.
        version: Part of the fingerprint of what was cleaned, for sets of other packages.
        compares_targets: Whether it needs records with targets.
    """

    prefix: ClassVar[str]
    version: ClassVar[str] = "1"
    compares_targets: ClassVar[bool] = False

    def clashes(self, corpus: CorpusSection) -> Iterator[str]:
        """Yields why the rules do not fit a recipe's corpus, as `what: what to do`."""
        yield from ()

    def warnings(self, corpus: CorpusSection) -> Iterator[str]:
        """Yields what a user should know of the rules on a recipe's corpus."""
        yield from ()

    @abc.abstractmethod
    def apply(self, block: Block, texts: Texts) -> tuple[Block, Reasons]:
        """Applies the rules.

        Args:
            block: The records.
            texts: Their sources; the words of each are found once for all sets.

        Returns:
            The block, where the set changes texts another one with as many records; and for each record the rule that
            drops it, or None.
        """


class TextRules(RuleSet):
    """Rules that drop whole records by their source."""

    @abc.abstractmethod
    def reasons(self, texts: Texts) -> Reasons:
        """Returns, for each text, the name of the rule that drops it, or None."""

    def apply(self, block: Block, texts: Texts) -> tuple[Block, Reasons]:
        """See `RuleSet`."""
        return block, self.reasons(texts)


RULE_SETS = Registry(
    "lstmlm.quality_rule_sets",
    RuleSet,  # type: ignore[type-abstract]
    "RULES",
    "lstmlm.corpus.steps.quality.rules",
)


def rule_set(name: str) -> RuleSet:
    """Returns the set of rules that a recipe names in `corpus.quality`; see `Registry.load`."""
    return RULE_SETS.load(name)
