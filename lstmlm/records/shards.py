"""TFRecord shards of a split: their names, and reading, writing and joining them."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lstmlm.errors import UserError
from lstmlm.publish.folder import replacing
from lstmlm.publish.manifest import content_folder
from lstmlm.records.record import Record, deserialize
from lstmlm.records.tfrecord import read_records

SPLITS = ("train", "valid")

_COPIED = 1 << 20  # bytes copied at a time


def shard_path(folder: Path, split: str, shard: int, shards: int) -> Path:
    """Returns the path of a shard below a records or examples folder."""
    return folder / f"Split-{split}" / f"data-{shard:05d}-of-{shards:05d}.tfrecord"


def shard_files(folder: Path, split: str) -> list[Path]:
    """Returns the shards of a split, in order.

    Raises:
        UserError: There are none.
    """
    files = sorted((content_folder(folder) / f"Split-{split}").glob("data-*-of-*.tfrecord"))
    if not files:
        raise UserError(f"no {split} split here", where=str(folder), hint="Name a records or examples folder")
    return files


def records_in_files(files: Iterable[Path]) -> Iterator[Record]:
    """Yields the records of shards, in order, holding one at a time."""
    for file in files:
        yield from map(deserialize, read_records(file))


def records_in(folder: Path, split: str) -> Iterator[Record]:
    """Yields the records of a split in corpus order, holding one at a time.

    Args:
        folder: A records folder.
        split: `train` or `valid`.

    Raises:
        UserError: There is no such split, or a shard is damaged.
    """
    return records_in_files(shard_files(folder, split))


def concatenate(parts: Sequence[Path], path: Path) -> None:
    """Writes files one after the other: TFRecord files give a TFRecord file, gzip members a gzip file."""
    with replacing(path) as out:
        for part in parts:
            with part.open("rb") as stream:
                shutil.copyfileobj(stream, out, _COPIED)


def concatenate_sections(sections: Iterable[tuple[Path, int, int]], path: Path) -> None:
    """Writes sections of files one after the other.

    Args:
        sections: The file, where the section begins and where it ends, in bytes; opened once where they follow.
        path: The file to write.
    """
    with replacing(path) as out:
        for source, some in itertools.groupby(sections, key=lambda section: section[0]):
            with source.open("rb") as stream:
                for _, start, end in some:
                    stream.seek(start)
                    for at in range(start, end, _COPIED):
                        out.write(stream.read(min(_COPIED, end - at)))
