"""Assigns records to the train or valid split by hash, where the recipe names no valid file."""

from __future__ import annotations

from lstmlm.corpus.sources.found import Split
from lstmlm.records.record import stable_hash

_RANGE = 2**63


def split_of(record_id: str, seed: int, valid_fraction: float) -> Split:
    """Returns the split of a record: a function of only its id and the seed, so other records never move it.

    Args:
        record_id: See `Record.id`.
        seed: `recipe.seed`.
        valid_fraction: Share of records that are valid, 0 to 1.
    """
    return "valid" if stable_hash("split", seed, record_id) < valid_fraction * _RANGE else "train"
