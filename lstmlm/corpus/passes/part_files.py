"""The files that a worker writes in the first pass: records and keys of many blocks, and the letters of the dead."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

import numpy as np

from lstmlm.corpus.dedup.keys import Keys, write_keys
from lstmlm.corpus.passes.block import Block
from lstmlm.corpus.passes.extents import Extent, write_bounds
from lstmlm.publish.folder import replacing
from lstmlm.records.tfrecord import append_records

PART_ROWS = 1 << 16
"""Records of a file at most, but for the last block."""
PART_BYTES = 64_000_000
"""Bytes of a file at most, but for the last block."""
KEY_BYTES = 32_000_000
"""Bytes of keys that a writer holds at most, but for the last block: they are sorted before they are written."""


class BlockFile:
    """Blocks in one file, in the order in which they are added; made of extents.

    The name has a random part: where a runner gives the work of a lost worker to another, both may write.
    """

    def __init__(self, folder: Path, kind: str, suffix: str) -> None:
        """Makes the file with the first block.

        Args:
            folder: Where to.
            kind: See `Extent.kind`.
            suffix: Of the file's name.
        """
        self._folder, self._kind, self._suffix = folder, kind, suffix
        self._extents: list[Extent] = []
        self._origin: tuple[int, int] | None = None
        self._files = contextlib.ExitStack()
        self.bounds = [(0, 0)]

    def _open(self, block: Block) -> None:
        name = f"{block.file:05d}-{block.index:012d}-{secrets.token_hex(4)}.{self._kind}{self._suffix}"
        self.path = self._folder / name
        self.stream = self._files.enter_context(replacing(self.path))

    def add(self, block: Block, records: int, payloads: list[bytes], *, framed: bool) -> int:
        """Adds what there is of a block; returns the bytes it takes."""
        if len(self.bounds) == 1:
            self._open(block)
        if framed:
            append_records(self.stream, payloads)
        else:
            self.stream.writelines(payloads)
        row, at = self.bounds[-1]
        end = self.stream.tell()
        self._extend(block, records, row, at, end - at)
        self.bounds.append((row + records, end))
        return end - at

    def _extend(self, block: Block, records: int, row: int, at: int, size: int) -> None:
        origin = block.file, block.origin
        if origin != self._origin:
            self._origin = origin
            start = len(self.bounds) - 1
            self._extents.append(Extent(self._kind, block.file, block.index, str(self.path), start, 0, row, 0, at, 0))
        last = self._extents[-1]
        self._extents[-1] = Extent(
            last.kind, last.file, last.block, last.path, last.start, last.blocks + 1, last.row,
            last.records + records, last.at, last.size + size,
        )  # fmt: skip

    @property
    def full(self) -> bool:
        """Whether the file has as much as it may have."""
        row, at = self.bounds[-1]
        return row >= PART_ROWS or at >= PART_BYTES

    def close(self) -> list[Extent]:
        """Gives the file its name and returns its extents."""
        self._files.close()
        return self._extents


class PartFile:
    """The records of a split, with their keys and the hashes of their ids in files next to it."""

    def __init__(self, folder: Path, split: str) -> None:
        self._records = BlockFile(folder, split, ".tfrecord")
        self._keys: list[Keys] = []
        self._ids: list[bytes] = []
        self._key_bytes = 0

    def add(self, block: Block, payloads: list[bytes], keys: Keys | None, ids: list[bytes]) -> int:
        """Adds the records of a block.

        Args:
            block: The block.
            payloads: Its records of this split, serialized.
            keys: Their keys, if copies are looked for.
            ids: Hashes of 16 bytes of their ids, if the recipe names a column for them.

        Returns:
            The bytes that the records take.
        """
        if keys is not None:
            self._keys.append(keys)
            self._key_bytes += keys.exact.nbytes + keys.bands.nbytes + keys.sketches.nbytes
        self._ids += ids
        return self._records.add(block, len(payloads), payloads, framed=True)

    @property
    def full(self) -> bool:
        """Whether it is time to close the file."""
        return self._records.full or self._key_bytes >= KEY_BYTES

    def close(self) -> list[Extent]:
        """Writes what is held and returns the extents; the records get their name at last."""
        path = self._records.path
        write_bounds(path, self._records.bounds)
        if self._keys:
            write_keys(keys_path(path), Keys.joined(self._keys))
        if self._ids:
            write_keys(ids_path(path), id_keys(self._ids))
        return self._records.close()


def id_keys(hashes: list[bytes]) -> Keys:
    """Returns hashes of ids as keys of equal texts, so that repeated ids are found as copies are."""
    exact = np.frombuffer(b"".join(hashes), "<u8").reshape(-1, 2)
    return Keys(exact, np.empty((len(exact), 0), np.uint64), np.empty((len(exact), 0), np.uint8))


def keys_path(part: Path) -> Path:
    """Returns the path of the keys by which copies of the records of a file are found."""
    return part.with_suffix(".keys")


def ids_path(part: Path) -> Path:
    """Returns the path of the hashes of the ids of the records of a file."""
    return part.with_suffix(".ids")
