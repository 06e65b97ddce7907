"""The quality step: the rule sets that a recipe lists, one after the other, on blocks of records."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Sequence
from typing import Literal

from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.steps.quality.c4 import c4
from lstmlm.corpus.steps.quality.characters import flags
from lstmlm.corpus.steps.quality.fineweb import fineweb
from lstmlm.corpus.steps.quality.gopher import gopher
from lstmlm.corpus.steps.quality.pairs import pairs
from lstmlm.corpus.steps.quality.repetition import gopher_repetition
from lstmlm.corpus.steps.quality.texts import Reasons, Texts
from lstmlm.corpus.steps.step import Step
from lstmlm.records.record import Record

RuleSet = Literal["gopher", "gopher_repetition", "c4", "fineweb", "pairs"]

_OF_TEXTS: dict[str, Callable[[Texts], Reasons]] = {
    "gopher": gopher,
    "gopher_repetition": gopher_repetition,
    "fineweb": fineweb,
}


class Quality(Step):
    """Drops records that break a rule, each for the first one it breaks; `c4` also removes lines.

    The rules of documents check the source; `pairs` compares source and targets. The lines that `c4` removes are in
    the histogram `c4_lines`.
    """

    only_train = True

    def __init__(self, rule_sets: Sequence[RuleSet]) -> None:
        """Keeps the names of the rule sets.

        Args:
            rule_sets: `recipe.corpus.quality`, applied in this order.
        """
        self._rule_sets = tuple(rule_sets)

    def setup(self) -> None:
        """See `Step`."""
        flags()

    def __call__(self, block: Block) -> Block:
        """See `Step`."""
        reasons: Reasons = [None] * len(block.records)
        texts = Texts([record.source for record in block.records])
        for name in self._rule_sets:
            if name == "c4":
                block, found = _cleaned(block)
                texts = Texts([record.source for record in block.records])
            else:
                found = pairs(block.records) if name == "pairs" else _OF_TEXTS[name](texts)
            reasons = [old or new for old, new in zip(reasons, found, strict=True)]
        return block.without(reasons)


def _cleaned(block: Block) -> tuple[Block, Reasons]:
    """Returns the block with the lines that C4 keeps, and why some records do not stay."""
    results = [c4(record.source) for record in block.records]
    removed: collections.Counter[str] = collections.Counter()
    for result in results:
        removed.update(result.lines)
    records = [_with_source(record, result.text) for record, result in zip(block.records, results, strict=True)]
    return block.with_records(records).tallied("c4_lines", removed), [result.reason for result in results]


def _with_source(record: Record, source: str) -> Record:
    return record if record.source == source else dataclasses.replace(record, source=source)
