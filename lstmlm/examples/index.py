"""The index of a shard of examples: where each example is, and how many values each of its features has.

From indexes only, without the examples, the order of training is decided, and a worker knows which bytes of which
shard hold its rows. An index is a file next to its shard, of little-endian numbers:

- magic, version, number of columns, examples of a block, examples, bytes of the shard, SHA-256 of the shard;
- for each column: the bytes of a number, and the name (its length and UTF-8); the first column has no name;
- the CRC-32C of all of that;
- for each column: what precedes each block, summed (uint64 [blocks + 1]); and the number of each example.

The numbers of the first column are the lengths of the payloads, those of the others the values of a feature. A column
takes as many bytes per number as its largest needs: an index has some two hundredths of its shard's bytes.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt

from lstmlm.errors import UserError
from lstmlm.publish.folder import replacing, sha256_file
from lstmlm.tokenizer.rows import TokenRows

Counts = npt.NDArray[np.int64]

MAGIC, VERSION = b"lstmlmIX", 1
BLOCK = 1024
_HEAD = struct.Struct("<8sIIIQQ32s")
_COLUMN = struct.Struct("<BB")
_CHECKSUM = struct.Struct("<I")
_MOST_COLUMNS = 256


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """The numbers of a column, an example each.

    Attributes:
        numbers: Unsigned, [examples].
        before: The sum of the numbers before each block, and of all: int64 [blocks + 1].
    """

    numbers: npt.NDArray[np.unsignedinteger[Any]]
    before: Counts

    @classmethod
    def of(cls, numbers: npt.ArrayLike) -> Column:
        """Returns a column in the narrowest numbers that hold it."""
        wide = np.asarray(numbers, np.uint64)
        narrow = np.min_scalar_type(int(wide.max(initial=0)))
        blocks = np.add.reduceat(wide, range(0, len(wide), BLOCK)) if len(wide) else np.zeros(0, np.uint64)
        before = np.concatenate([np.zeros(1, np.uint64), np.cumsum(blocks, dtype=np.uint64)])
        return cls(wide.astype(narrow), before.astype(np.int64))


def index_file(shard: Path) -> Path:
    """Returns the path of a shard's index."""
    return shard.with_suffix(".index")


class IndexBuilder:
    """Collects what the index of a shard holds while the shard is written.

    Attributes:
        columns: The numbers of each column by name, in parts.
    """

    def __init__(self) -> None:
        self.columns: dict[str, list[Counts]] = {}

    def add(self, payloads: Sequence[bytes], features: Mapping[str, Any]) -> None:
        """Adds consecutive examples.

        Args:
            payloads: The serialized examples.
            features: What they were made of: name -> rows, as `lstmlm.examples.serialise` takes them.
        """
        counts = {name: _values(rows) for name, rows in features.items()}
        lengths = np.fromiter(map(len, payloads), np.int64, len(payloads))
        for name, numbers in {"": lengths, **counts}.items():
            self.columns.setdefault(name, []).append(numbers)

    def write(self, shard: Path) -> None:
        """Writes the index of the shard, which is whole."""
        write_index(shard, {name: np.concatenate(parts) for name, parts in self.columns.items()})


def _values(rows: Any) -> Counts:
    """Returns how many values each row has."""
    if isinstance(rows, TokenRows):
        return rows.ends - rows.starts
    return np.fromiter((np.size(row) for row in rows), np.int64, len(rows))


def write_index(shard: Path, columns: Mapping[str, npt.ArrayLike]) -> None:
    """Writes the index of a finished shard next to it.

    Args:
        shard: The shard.
        columns: Name -> numbers, an example each; without a name: the lengths of the payloads. Empty: no example.
    """
    made = {name: Column.of(columns[name]) for name in sorted(columns)} or {"": Column.of([])}
    examples, size = len(made[""].numbers), shard.stat().st_size
    digest = bytes.fromhex(sha256_file(shard))
    head = _HEAD.pack(MAGIC, VERSION, len(made), BLOCK, examples, size, digest)
    for name, column in made.items():
        encoded = name.encode("utf-8")
        head += _COLUMN.pack(column.numbers.itemsize, len(encoded)) + encoded
    with replacing(index_file(shard)) as stream:
        stream.write(head + _CHECKSUM.pack(google_crc32c.value(head)))
        for column in made.values():
            stream.write(column.before.astype("<u8").tobytes())
            stream.write(column.numbers.astype(column.numbers.dtype.newbyteorder("<")).tobytes())


@dataclasses.dataclass(frozen=True, slots=True)
class StoredColumn:
    """Where an index file has a column.

    Attributes:
        before: The offset of its sums before blocks.
        numbers: The offset of its numbers.
        width: Bytes of a number.
    """

    before: int
    numbers: int
    width: int


@dataclasses.dataclass(frozen=True, slots=True)
class Header:
    """What the beginning of an index file says.

    Attributes:
        examples: Examples of the shard.
        block: Examples of a block.
        shard_bytes: Bytes of the shard.
        digest: SHA-256 of the shard, as hex.
        columns: Where each column is, by name.
    """

    examples: int
    block: int
    shard_bytes: int
    digest: str
    columns: dict[str, StoredColumn]


def read_header(data: bytes, size: int) -> Header:
    """Reads the beginning of an index file.

    Args:
        data: The first bytes of the file: all columns' names are within `HEADER_BYTES`.
        size: Bytes of the file.

    Raises:
        ValueError: It is not the beginning of such a file, with the reason.
    """
    if data[: len(MAGIC)] != MAGIC or len(data) < _HEAD.size:
        raise ValueError("it is no index of examples")
    _, version, count, block, examples, shard_bytes, digest = _HEAD.unpack_from(data)
    if version != VERSION:
        raise ValueError(f"it is of version {version}, and this program reads version {VERSION}")
    at, named = _HEAD.size, []
    for _ in range(min(count, _MOST_COLUMNS)):
        width, length = _COLUMN.unpack(data[at : at + _COLUMN.size].ljust(_COLUMN.size, b"\0"))
        at += _COLUMN.size + length
        named.append((data[at - length : at], width))
    if data[at : at + _CHECKSUM.size] != _CHECKSUM.pack(google_crc32c.value(data[:at])):
        raise ValueError("it is damaged")
    at += _CHECKSUM.size
    columns = {}
    for name, width in named:
        numbers = at + 8 * (-(-examples // block) + 1)
        columns[name.decode("utf-8")] = StoredColumn(at, numbers, width)
        at = numbers + width * examples
    if at != size:
        raise ValueError(f"it has {size} bytes instead of {at}")
    return Header(examples, block, shard_bytes, digest.hex(), columns)


HEADER_BYTES = 1 << 16


def misfit(shard: Path, reason: str) -> UserError:
    """Returns the line on an index that does not fit its shard."""
    what = f"the index {index_file(shard)} does not fit its shard: {reason}"
    return UserError(what, where=str(shard), hint="Remove the examples folder and run the examples stage again")
