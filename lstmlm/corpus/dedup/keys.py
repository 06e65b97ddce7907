"""Computes the keys that duplicates are found by, and stores those of many blocks in a file.

A file takes `36 + 12 * columns + hashes` bytes per record: 28 with only exact keys, 440 with 12 bands of 8 hashes more.
"""

from __future__ import annotations

import dataclasses
import mmap
import struct
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from lstmlm.corpus.dedup.minhash import CUTS, band_keys, bands_and_rows, signatures, sketches
from lstmlm.corpus.wording.shingles import shingles
from lstmlm.corpus.wording.words import Hashes, Offsets
from lstmlm.publish.folder import replacing
from lstmlm.recipe.sections.corpus import Duplicates
from lstmlm.records.record import Record
from lstmlm.storage.arrays import mapped, seekable

EXACT = 0
"""The key column of equal texts; the columns after it are MinHash bands."""

# Magic, rows, key columns, bytes of a sketch.
_HEADER = struct.Struct("<8sQQQ")
_MAGIC = b"lstmkeys"


@dataclasses.dataclass(frozen=True, slots=True)
class Keys:
    """The keys of the records of a block, in order.

    Attributes:
        exact: `uint64[records, 2]`, a 128-bit hash of source and targets.
        bands: `uint64[records, bands]`, see `lstmlm.corpus.dedup.minhash.band_keys`; no columns without `near`.
        sketches: `uint8[records, hashes]`, likewise.
    """

    exact: Hashes
    bands: Hashes
    sketches: NDArray[np.uint8]

    @staticmethod
    def joined(some: Sequence[Keys]) -> Keys:
        """Returns the keys of consecutive blocks as those of one."""
        return Keys(
            np.concatenate([keys.exact for keys in some]),
            np.concatenate([keys.bands for keys in some]),
            np.concatenate([keys.sketches for keys in some]),
        )


def banding(duplicates: Duplicates) -> tuple[int, int]:
    """Returns the MinHash bands and rows a recipe asks for; (0, 0) without near duplicates."""
    if duplicates.near is None:
        return 0, 0
    bands, rows = bands_and_rows(duplicates.near)
    return duplicates.bands or bands, duplicates.rows or rows


def key_columns(duplicates: Duplicates) -> list[int]:
    """Returns the key columns of the files that must be searched for what a recipe asks for."""
    near = range(EXACT + 1, EXACT + 1 + CUTS * banding(duplicates)[0])
    return [EXACT] * duplicates.exact + list(near)


def block_keys(
    records: Sequence[Record],
    duplicates: Duplicates,
    seed: int,
    further: Callable[[Record], Sequence[str]] = lambda record: (),
) -> Keys:
    """Returns the keys of records.

    Args:
        records: The records of a block; the shingles of one are those of all its texts together.
        duplicates: Which duplicates are looked for.
        seed: Decides the hash functions; the same for all blocks.
        further: Returns the texts of a record next to its source and targets.
    """
    exact = np.array([_exact(record) for record in records], np.uint64).reshape(len(records), 2)
    bands, rows = banding(duplicates)
    if not bands:
        return Keys(exact, np.empty((len(records), 0), np.uint64), np.empty((len(records), 0), np.uint8))
    texts = [(record.source, *record.targets, *further(record)) for record in records]
    hashes, offsets = _shingles(texts, duplicates.ngram)
    signed = signatures(hashes, offsets, bands, rows, seed)
    return Keys(exact, band_keys(signed, bands), sketches(signed))


def _exact(record: Record) -> tuple[int, int]:
    # The lengths keep texts apart that differ only in where one ends and the next starts.
    lengths = [len(text) for text in (record.source, *record.targets)]
    whole = "".join([str(lengths), record.source, *record.targets]).encode("utf-8")
    if record.columns:  # two records with one text and different labels are no copies
        whole += repr(sorted(record.columns.items())).encode("utf-8")
    digest = xxhash.xxh3_128_intdigest(whole)
    return digest >> 64, digest & (2**64 - 1)


def _shingles(texts: Sequence[Sequence[str]], ngram: int) -> tuple[Hashes, Offsets]:
    """Returns the shingles of the texts of each record, end to end, and where those of a record begin."""
    hashes, offsets = shingles([text for some in texts for text in some], ngram)
    first = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(some) for some in texts], out=first[1:])
    return hashes, offsets[first]


def write_keys(path: Path, keys: Keys) -> None:
    """Writes the keys of blocks: each column sorted by key, so that a range of it is read in one piece."""

    def column(number: int) -> tuple[Hashes, NDArray[np.uint32]]:
        found = keys.exact[:, 0] if number == EXACT else keys.bands[:, number - 1]
        order = np.argsort(found, kind="stable")
        return found[order], order.astype(np.uint32)

    shape = len(keys.exact), 1 + keys.bands.shape[1], keys.sketches.shape[1]
    write_sorted(path, shape, column, [keys.exact[:, 1]], [keys.sketches])


def write_sorted(
    path: Path,
    shape: tuple[int, int, int],
    column: Callable[[int], tuple[Hashes, NDArray[np.uint32]]],
    halves: Iterable[Hashes],
    sketches: Iterable[NDArray[np.uint8]],
) -> None:
    """Writes a key file, a column at a time.

    Args:
        path: The file.
        shape: Its rows, its columns and the bytes of a sketch.
        column: Returns the sorted keys of a column, and the row of each; rows of equal keys ascend.
        halves: The second halves of the exact hashes, row after row.
        sketches: The sketches, row after row.
    """
    rows, columns, hashes = shape
    with replacing(path) as whole, seekable(whole, path) as stream:
        stream.write(_HEADER.pack(_MAGIC, rows, columns, hashes))
        for number in range(columns):
            keys, order = column(number)
            stream.seek(_HEADER.size + 8 * number * rows)
            stream.write(keys.astype("<u8").tobytes())
            stream.seek(_order_at(shape, number))
            stream.write(order.astype("<u4").tobytes())
        stream.seek(_HEADER.size + 8 * columns * rows)
        stream.writelines(half.astype("<u8").tobytes() for half in halves)
        stream.writelines(sketch.tobytes() for sketch in sketches)


def _order_at(shape: tuple[int, int, int], column: int) -> int:
    rows, columns, hashes = shape
    return _HEADER.size + (8 * (columns + 1) + hashes + 4 * column) * rows


@dataclasses.dataclass(frozen=True, slots=True)
class KeyFile:
    """The keys of blocks in their file, mapped into memory. Rows are numbered in the file.

    Attributes:
        path: Its path.
        rows: Records of the blocks.
        columns: Key columns: the exact one, then the bands.
        hashes: Bytes of a sketch.
        mapped: The file.
    """

    path: Path
    rows: int
    columns: int
    hashes: int
    mapped: mmap.mmap = dataclasses.field(repr=False)

    @staticmethod
    def open(path: Path) -> KeyFile:
        """Maps a file that `write_keys` wrote.

        Raises:
            ValueError: It is another kind of file, or not whole.
        """
        with path.open("rb") as stream:
            header = stream.read(_HEADER.size)
        if len(header) != _HEADER.size or not header.startswith(_MAGIC):
            raise ValueError(f"{path} holds no keys")
        content = mapped(path)
        _, rows, columns, hashes = _HEADER.unpack(header)
        found = KeyFile(path, rows, columns, hashes, content)
        if len(content) != found._order(found.columns):
            raise ValueError(f"{path} is not whole")
        return found

    def bounds(self, column: int, low: int, high: int) -> tuple[int, int]:
        """Returns where the keys of a column from `low` to below `high` (up to 2 ** 64) begin and end."""
        keys = self._array("<u8", _HEADER.size + 8 * column * self.rows, self.rows)
        first = int(np.searchsorted(keys, np.uint64(low)))
        last = self.rows if high > np.iinfo(np.uint64).max else int(np.searchsorted(keys, np.uint64(high)))
        return first, max(first, last)

    def column(self, column: int, low: int, high: int) -> tuple[Hashes, NDArray[np.uint32]]:
        """Returns the sorted keys of a column from `low` to below `high` (up to 2 ** 64), and the row of each."""
        first, last = self.bounds(column, low, high)
        keys = self._array("<u8", _HEADER.size + 8 * (column * self.rows + first), last - first)
        order = self._array("<u4", self._order(column) + 4 * first, last - first)
        return self._copies(keys, order)

    def second_halves(self, rows: Offsets) -> Hashes:
        """Returns the second half of the exact hash of some rows."""
        found = self._array("<u8", _HEADER.size + 8 * self.columns * self.rows, self.rows)[rows]
        self._release()
        return found

    def read_sketches(self, rows: Offsets) -> NDArray[np.uint8]:
        """Returns the sketches of some rows, `uint8[rows, hashes]`."""
        start = _HEADER.size + 8 * (self.columns + 1) * self.rows
        found = self._array("u1", start, self.rows * self.hashes).reshape(self.rows, self.hashes)[rows]
        self._release()
        return found

    def _order(self, column: int) -> int:
        return _order_at((self.rows, self.columns, self.hashes), column)

    def _array(self, kind: str, start: int, count: int) -> NDArray[Any]:
        # Not np.memmap: it cannot map nothing, and its slices are a subclass that costs more to use.
        return np.frombuffer(self.mapped, kind, count, start)

    def _copies(self, *arrays: NDArray[Any]) -> tuple[Any, ...]:
        found = tuple(array.copy() for array in arrays)
        self._release()
        return found

    def _release(self) -> None:
        """Lets the system take the memory of what was read: a search reads a little of very many files."""
        self.mapped.madvise(mmap.MADV_DONTNEED)
