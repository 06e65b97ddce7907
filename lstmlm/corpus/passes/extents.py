"""Extents: where consecutive blocks of the corpus are stored in the files that the first pass writes.

A worker writes the blocks of many ranges to few files, in the order in which they come. An extent is a run of blocks of
one range in one of these files (the term of file systems). Sorted, the extents are in corpus order; there is about one
for each range, however many blocks that has, so their list is small.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lstmlm.corpus.wording.words import Offsets
from lstmlm.publish.folder import replacing
from lstmlm.storage import place
from lstmlm.storage.arrays import load_array

DEAD, EXCLUDED = "dead", "excluded"
"""Kinds of extents next to those of the splits: dead letters and dropped records."""


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Extent:
    """Consecutive blocks in one file. Extents sort by kind, then in corpus order.

    Attributes:
        kind: `train`, `valid`, `dead` or `excluded`.
        file: `CorpusFile.index`.
        block: `Block.index` of the first block.
        path: Where they are stored.
        start: Position of the first block among those of the file.
        blocks: How many there are.
        row: Records of the file before the extent.
        records: Records of the extent.
        at: The byte at which it begins.
        size: Its bytes.
    """

    kind: str
    file: int
    block: int
    path: str
    start: int
    blocks: int
    row: int
    records: int
    at: int
    size: int

    def to_row(self) -> list[Any]:
        """Returns the extent as JSON that sorts as extents do."""
        return list(dataclasses.astuple(self))


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """Blocks of an extent on their way into a shard.

    Attributes:
        extent: The extent.
        first: The first of its blocks that belong to the part.
        end: The block after the last of them.
        number: Number of the extent's first row among those of the whole corpus.
        weight: How often each record is used; see `lstmlm.corpus.sources.mixture`.
    """

    extent: Extent
    first: int
    end: int
    number: int = 0
    weight: float = 1.0

    def section(self) -> Section:
        """Reads from the index of the file where the part is stored."""
        bounds = read_bounds(place(self.extent.path))
        (row, at), (row_end, at_end) = bounds[[self.extent.start + self.first, self.extent.start + self.end]].tolist()
        shift = self.number - self.extent.row
        return Section(place(self.extent.path), at, at_end, row + shift, row_end + shift)


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """Bytes of a file, and the numbers of their rows in the whole corpus; ends are exclusive."""

    path: Path
    at: int
    at_end: int
    row: int
    row_end: int


def numbered(extents: Sequence[Extent], weights: Sequence[float], number: int = 0) -> list[Part]:
    """Returns a part for each extent, given in corpus order, with its rows numbered.

    Args:
        extents: Those of one split.
        weights: The weight of each file, by `CorpusFile.index`.
        number: Number of the first row.
    """
    parts: list[Part] = []
    for extent in extents:
        parts.append(Part(extent, 0, extent.blocks, number, weights[extent.file]))
        number += extent.records
    return parts


def contiguous(parts: Sequence[Part], groups: int) -> Iterator[list[Part]]:
    """Cuts parts into consecutive groups of blocks: block b goes to group floor(b * groups / blocks)."""
    blocks = sum(part.end - part.first for part in parts)
    remaining = iter(parts)
    part, place = next(remaining, None), 0
    for group in range(groups):
        end = -(-blocks * (group + 1) // groups)
        taken: list[Part] = []
        while part is not None and place < end:
            count = min(part.end - part.first, end - place)
            taken.append(dataclasses.replace(part, end=part.first + count))
            place += count
            rest = dataclasses.replace(part, first=part.first + count)
            part = rest if rest.first < rest.end else next(remaining, None)
        yield taken


def bounds_path(path: Path) -> Path:
    """Returns the path of the index of a file of blocks."""
    return path.with_suffix(".blocks")


def write_bounds(path: Path, bounds: Sequence[tuple[int, int]]) -> None:
    """Writes the index of a file: the row and the byte at which each block begins, and where the last one ends."""
    with replacing(bounds_path(path)) as stream:
        stream.write(np.array(bounds, "<i8").tobytes())


def read_bounds(path: Path) -> Offsets:
    """Returns what `write_bounds` wrote, `int64[blocks + 1, 2]`."""
    return load_array(bounds_path(path), "<i8").reshape(-1, 2)
