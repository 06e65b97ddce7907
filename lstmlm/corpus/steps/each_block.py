"""The PTransform that applies a step to a collection of blocks."""

from __future__ import annotations

from collections.abc import Collection

import apache_beam as beam

from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.steps.step import Step


class EachBlock(beam.PTransform):
    """Applies a step to a collection of blocks: `blocks | EachBlock(Quality(...))`."""

    def __init__(self, step: Step, valid_files: Collection[int] = ()) -> None:
        """Makes the transform.

        Args:
            step: The step.
            valid_files: `CorpusFile.index` of the files that the recipe names as valid, see `Step.only_train`.
        """
        super().__init__(type(step).__name__)
        self._step = step
        self._unchanged = frozenset(valid_files if step.only_train else ())

    def expand(self, blocks: beam.PCollection) -> beam.PCollection:
        """Takes blocks, gives blocks."""
        return blocks | beam.ParDo(_Apply(self._step, self._unchanged))


class _Apply(beam.DoFn):
    def __init__(self, step: Step, unchanged: Collection[int]) -> None:
        super().__init__()
        self._step, self._unchanged = step, unchanged

    def setup(self) -> None:
        self._step.setup()

    def process(self, block: Block) -> list[Block]:
        return [block if block.file in self._unchanged else self._step(block)]
