"""Rules for pairs: sides that cannot be translations of each other.

The kinds of rule are those of Moses' `clean-corpus-n` and of OpusFilter (Aulamo et al. 2020).
"""

from __future__ import annotations

from collections.abc import Sequence

from lstmlm.corpus.steps.quality.texts import Reasons
from lstmlm.corpus.wording.scripts import columns
from lstmlm.records.record import Record

MAX_LENGTH_RATIO = 3.0  # of the longer side to the shorter, OpusFilter's default; in columns, for pairs of scripts
RATIO_FROM = 20  # columns of the longer side from which on the ratio counts: `Hi.` and `Bonjour !` are a pair


def pairs(records: Sequence[Record]) -> Reasons:
    """Returns, for each pair, the first rule that it breaks with one of its targets, or None."""
    return [_first_broken(record) for record in records]


def _first_broken(record: Record) -> str | None:
    source, targets = record.source.strip(), [target.strip() for target in record.targets]
    if not source or not targets or not all(targets):
        return "pairs_empty_side"
    if any(source.casefold() == target.casefold() for target in targets):
        return "pairs_copy"
    if any(_differ_in_length(columns(source), columns(target)) for target in targets):
        return "pairs_length_ratio"
    return None


def _differ_in_length(first: int, second: int) -> bool:
    shorter, longer = sorted((first, second))
    return longer >= RATIO_FROM and longer > MAX_LENGTH_RATIO * shorter
