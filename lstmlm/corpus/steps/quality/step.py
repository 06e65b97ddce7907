"""The quality step: the rule sets that a recipe lists, one after the other, on blocks of records."""

from __future__ import annotations

from collections.abc import Sequence

from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.steps.further import FurtherTexts, no_further_texts, replaced, with_owners
from lstmlm.corpus.steps.quality.characters import flags
from lstmlm.corpus.steps.quality.rule_set import RuleSet, rule_set
from lstmlm.corpus.steps.quality.texts import Reasons, Texts
from lstmlm.corpus.steps.step import Step
from lstmlm.records.record import Record

LOST_SPAN = "span_lost_in_quality"


class Quality(Step):
    """Drops records that break a rule, each for the first one it breaks; some sets also remove lines."""

    only_train = True

    def __init__(self, names: Sequence[str], further: FurtherTexts = no_further_texts) -> None:
        """Finds the rule sets.

        Args:
            names: `recipe.corpus.quality`, applied in this order.
            further: Says which further texts a record has: the rules for sources are applied to each.

        Raises:
            UserError: A name means no set of rules.
        """
        self._rule_sets = [rule_set(name) for name in names]
        self._further = further

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
            reasons = _first(reasons, found)
            if block is not before:
                block, lost = _with_spans(before, block)
                reasons = _first(reasons, lost)
                texts = Texts([record.source for record in block.records])
            block, found = self._of_further_texts(rules, block)
            reasons = _first(reasons, found)
        return block.without(reasons)

    def _of_further_texts(self, rules: RuleSet, block: Block) -> tuple[Block, Reasons]:
        """Applies a set to the further texts of records, as if each were the source of a record of its own."""
        reasons: Reasons = [None] * len(block.records)
        texts, owners = with_owners(block.records, self._further)
        if rules.compares_targets or not texts:
            return block, reasons
        single = Block(block.file, block.index, len(texts), [Record("", text) for text in texts])
        after, found = rules.apply(single, Texts(texts))
        changes: dict[int, dict[str, str]] = {}
        for owner, text, record, reason in zip(owners, texts, after.records, found, strict=True):
            reasons[owner] = reasons[owner] or reason
            if record.source != text:
                changes.setdefault(owner, {})[text] = record.source
        records = list(block.records)
        for owner, changed in changes.items():
            other = replaced(records[owner], changed)
            if other is None:
                reasons[owner] = reasons[owner] or LOST_SPAN
            else:
                records[owner] = other
        if changes:
            block = block.with_records(records)
        for name, counts in after.tallies.items():
            block = block.tallied(name, counts)
        return block, reasons


def _first(reasons: Reasons, others: Reasons) -> Reasons:
    return [old or new for old, new in zip(reasons, others, strict=True)]


def _with_spans(before: Block, after: Block) -> tuple[Block, Reasons]:
    """Returns the block with the spans of changed sources where they are now, and a reason where one is lost."""
    reasons: Reasons = [None] * len(before.records)
    records = list(after.records)
    for place, (old, new) in enumerate(zip(before.records, after.records, strict=True)):
        if old.columns and old.source != new.source:
            moved = replaced(old, {old.source: new.source})
            records[place], reasons[place] = (new, LOST_SPAN) if moved is None else (moved, None)
    return after.with_records(records), reasons
