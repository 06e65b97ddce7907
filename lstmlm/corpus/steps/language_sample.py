"""Counts languages of a sample, for the report of a corpus whose recipe does not ask for languages."""

from __future__ import annotations

import collections

from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.steps.language import detector
from lstmlm.corpus.steps.step import Step

EVERY = 20
"""One source of that many is looked at: the one at the beginning of each run of them in a block."""


class SampleLanguages(Step):
    """Drops nothing; the histogram is `language_sample`."""

    def setup(self) -> None:
        """See `Step`."""
        detector()

    def __call__(self, block: Block) -> Block:
        """See `Step`."""
        texts = [record.source for record in block.records[::EVERY]]
        return block.tallied("language_sample", collections.Counter(detector().detect(texts)))
