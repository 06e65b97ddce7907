"""Reads what the stages publish: records as Python objects, examples as `tf.data`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lstmlm.publish.folder import read_manifest
from lstmlm.records.record import Record
from lstmlm.records.shards import records_in, shard_files

if TYPE_CHECKING:
    import tensorflow as tf

    from lstmlm.api.recipes import RecipeLike

Split = Literal["train", "valid"]


def read_records(folder: str | os.PathLike[str], split: Split = "train") -> Iterator[Record]:
    """Yields the records of a split in the order of the corpus, one at a time.

    Args:
        folder: The output of `lstmlm ingest`.
        split: `train` or `valid`.

    Raises:
        UserError: It is no finished folder of records, or has no such split.
    """
    read_manifest(Path(folder), "records")
    return records_in(Path(folder), split)


def read_examples(
    folder: str | os.PathLike[str], recipe: RecipeLike, split: Split = "train", *, epoch: int | None = None
) -> tf.data.Dataset:
    """Returns the batches that the model of a recipe is trained with.

    Args:
        folder: The output of `lstmlm examples`.
        recipe: Its recipe: it sizes the batches.
        split: `train` or `valid`.
        epoch: Decides the order; None: in the order of the files.

    Returns:
        Batches: feature -> int32 or float32 [rows, ...], padded with 0.

    Raises:
        UserError: It is no finished folder of examples, or has no such split.
    """
    from lstmlm.api.recipes import recipe_of
    from lstmlm.task import load_task

    read_manifest(Path(folder), "examples")
    run = recipe_of(recipe)
    return load_task(run.task).batches(shard_files(Path(folder), split), run, epoch=epoch)
