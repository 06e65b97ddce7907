"""The interface of corpus steps: pure functions from block to block. `lstmlm.corpus.steps.each_block` applies one."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel

if TYPE_CHECKING:
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
        """Loads models and compiles patterns, once per worker; called again it does nothing."""

    @abc.abstractmethod
    def __call__(self, block: Block) -> Block:
        """Returns the block after this step; the one given is left as it was."""


class Filter(Step):
    """A step that drops records, each with a named reason.

    A filter of another package is listed in the recipe's `corpus.filters`. It is made with its options, an instance of
    `Options`, or without arguments where that is None.

    Attributes:
        Options: The pydantic model of the filter's options in the recipe.
        version: Part of the fingerprint of what was filtered; to be raised when the filter decides otherwise.
    """

    only_train = True
    Options: ClassVar[type[BaseModel] | None] = None
    version: ClassVar[str] = "1"

    @abc.abstractmethod
    def reasons(self, records: Sequence[Record]) -> Sequence[str | None]:
        """Returns, for each record, the name of the rule that drops it, or None where it stays."""

    def __call__(self, block: Block) -> Block:
        """See `Step`."""
        return block.without(self.reasons(block.records)) if block.records else block
