"""Steps of the corpus pipeline: pure functions from block to block, and the PTransform that applies one."""

from __future__ import annotations

import abc
from collections.abc import Collection, Sequence
from typing import ClassVar

import apache_beam as beam

from lstmlm.corpus.passes.block import Block
from lstmlm.records.record import Record


class Step(abc.ABC):
    """A transform applied to every block. Pickled to the workers, so heavy state is loaded in `setup`.

    Attributes:
        only_train: Whether files that the recipe names as valid pass unchanged: what a model is evaluated on is the
            user's choice, and rules for training text must not change it.
    """

    only_train: ClassVar[bool] = False

    def setup(self) -> None:  # noqa: B027  (most steps have nothing to load)
        """Loads models and compiles patterns, once a worker; called again it does nothing."""

    @abc.abstractmethod
    def __call__(self, block: Block) -> Block:
        """Returns the block after this step; the one given is left as it was."""


class Filter(Step):
    """A step that drops records, each with a named reason."""

    @abc.abstractmethod
    def reasons(self, records: Sequence[Record]) -> Sequence[str | None]:
        """Returns, for each record, the name of the rule that drops it, or None where it stays."""

    def __call__(self, block: Block) -> Block:
        """See `Step`."""
        return block.without(self.reasons(block.records)) if block.records else block


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
