"""The part of a task that makes examples of records, and batches of examples."""

from __future__ import annotations

import abc
import collections
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from lstmlm.records.record import Record
from lstmlm.task.share import WHOLE, Share
from lstmlm.task.values import Feature

if TYPE_CHECKING:
    import tensorflow as tf

    from lstmlm.recipe.recipe import Recipe
    from lstmlm.task.values import Values
    from lstmlm.tokenizer import Tokenizer


class ExampleSide(abc.ABC):
    """From records to batches."""

    batch_field: ClassVar[Literal["batch", "batch_tokens"]] = "batch_tokens"
    """The field of `training` that sizes a batch: in rows, which workers share out, or in padded tokens."""

    @abc.abstractmethod
    def features(self, recipe: Recipe) -> Mapping[str, Feature]:
        """Returns what an example holds, by name."""

    @abc.abstractmethod
    def encode(
        self,
        blocks: Iterable[Sequence[Record]],
        tokenizer: Tokenizer,
        recipe: Recipe,
        counts: collections.Counter[str],
    ) -> Iterator[Mapping[str, Values]]:
        """Turns the records of a shard into examples: feature name -> values, a row an example.

        Args:
            blocks: Consecutive records, in corpus order, taken as examples are asked for.
            tokenizer: The vocabulary, and the labels.
            recipe: The run.
            counts: Gets `examples`, `tokens` and what was cut (`truncated_source`, ...) or left out added to.

        Yields:
            Consecutive examples, about those of a block.
        """

    @abc.abstractmethod
    def batches(
        self, files: Sequence[Path], recipe: Recipe, *, epoch: int | None, first: int = 0, share: Share = WHOLE
    ) -> tf.data.Dataset:
        """Returns batches: feature -> int32 or float32 [rows, ...], padded with 0.

        The order is a pure function of the files, recipe.seed and the epoch.

        Args:
            files: Shards of examples.
            recipe: The run.
            epoch: Decides the order; None: evaluation, in file order, nothing shuffled.
            first: Batches that are left out at the beginning.
            share: The rows of each global batch that are returned, as wide as the global batch; rows behind the last
                are of padding.
        """

    def most_rows(self, recipe: Recipe) -> int:
        """Returns the rows of the largest global batch, or more."""
        return int(getattr(recipe.training, self.batch_field))

    def full_batches(self, facts: Mapping[str, int], recipe: Recipe) -> int:
        """Returns how many batches an epoch has, about: 0 if there is none. `facts`: counts of the train split."""
        return facts["examples"]  # a batch that is not full is filled up
