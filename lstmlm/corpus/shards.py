"""TFRecord shards of a split: their names, and reading, checking and joining them."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lstmlm.errors import UserError
from lstmlm.records import Record, from_example

if TYPE_CHECKING:
    import tensorflow as tf

SPLITS = ("train", "valid")

_READ_BATCH = 256


def shard_path(folder: Path, split: str, shard: int, shards: int) -> Path:
    """Returns where a shard lies below a records or examples folder."""
    return folder / f"Split-{split}" / f"data-{shard:05d}-of-{shards:05d}.tfrecord"


def shard_files(folder: Path, split: str) -> list[Path]:
    """Returns the shards of a split, in order.

    Raises:
        UserError: There are none.
    """
    files = sorted((Path(folder) / f"Split-{split}").glob("data-*-of-*.tfrecord"))
    if not files:
        raise UserError(f"no {split} split here", where=str(folder), cure="Name a records or examples folder")
    return files


def serialized_in(file: Path) -> Iterator[bytes]:
    """Yields the serialized examples of one shard.

    Raises:
        UserError: The shard is damaged.
    """
    import tensorflow as tf

    # In batches: the step from TensorFlow to Python costs more than reading a record.
    dataset = tf.data.TFRecordDataset(str(file), buffer_size=1 << 20).batch(_READ_BATCH)
    try:
        for batch in dataset.as_numpy_iterator():
            yield from batch
    except tf.errors.DataLossError as error:
        raise UserError("damaged TFRecord file", where=str(file), cure="Run the stage that made it again") from error


def records_in_files(files: Iterable[Path]) -> Iterator[Record]:
    """Yields the records of shards, in order, holding one at a time."""
    for file in files:
        yield from map(from_example, serialized_in(file))


def records_in(folder: Path, split: str) -> Iterator[Record]:
    """Yields the records of a split in corpus order, holding one at a time.

    Args:
        folder: A records folder.
        split: `train` or `valid`.

    Raises:
        UserError: There is no such split, or a shard is damaged.
    """
    return records_in_files(shard_files(folder, split))


def write_examples(path: Path, examples: Iterable[tf.train.Example]) -> int:
    """Writes examples as a TFRecord file with the same bytes every time; returns how many."""
    import tensorflow as tf

    count = 0
    with tf.io.TFRecordWriter(str(path)) as writer:
        for example in examples:
            # Map fields have no order of their own.
            writer.write(example.SerializeToString(deterministic=True))
            count += 1
    return count


def concatenate(parts: Sequence[Path], path: Path) -> None:
    """Writes files one after the other: TFRecord files give a TFRecord file, gzip members a gzip file."""
    with path.open("wb") as out:
        for part in parts:
            with part.open("rb") as stream:
                shutil.copyfileobj(stream, out, 1 << 20)


def count_records(path: Path) -> int:
    """Counts the records of a TFRecord file by its length fields, without reading the records."""
    count = 0
    size = path.stat().st_size
    with path.open("rb") as stream:
        while stream.tell() < size:
            (length,) = struct.unpack("<Q4x", stream.read(12))
            stream.seek(length + 4, 1)
            count += 1
    return count
