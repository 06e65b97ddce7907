"""`c4`: C4's rules, which also remove lines."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lstmlm.corpus.steps.quality.rule_set import RuleSet
from lstmlm.corpus.steps.quality.unpunctuated import unpunctuated

if TYPE_CHECKING:
    from lstmlm.corpus.passes.block import Block
    from lstmlm.corpus.steps.quality.texts import Reasons, Texts
    from lstmlm.recipe.sections.corpus import CorpusSection
    from lstmlm.records.record import Record


class C4(RuleSet):
    """See `lstmlm.corpus.steps.quality.c4`. The lines that it removes are in the histogram `c4_lines`."""

    prefix = "c4"

    def clashes(self, corpus: CorpusSection) -> Iterator[str]:
        """See `RuleSet`."""
        yield from unpunctuated("c4", corpus)
        if corpus.target is not None:
            yield (
                "the quality rules `c4` remove lines of the source and leave `target` as it is, so the sides of a pair "
                "would no longer match: leave them out; `pairs` is for pairs"
            )

    def apply(self, block: Block, texts: Texts) -> tuple[Block, Reasons]:
        """See `RuleSet`."""
        from lstmlm.corpus.steps.quality.c4 import c4

        results = [c4(record.source) for record in block.records]
        removed: collections.Counter[str] = collections.Counter()
        for result in results:
            removed.update(result.lines)
        records = [_with_source(record, result.text) for record, result in zip(block.records, results, strict=True)]
        return block.with_records(records).tallied("c4_lines", removed), [result.reason for result in results]


def _with_source(record: Record, source: str) -> Record:
    return record if record.source == source else dataclasses.replace(record, source=source)


RULES = C4()
