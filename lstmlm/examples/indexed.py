"""Shards of examples, read by their indexes: numbers of examples, and the bytes of examples that are asked for."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from lstmlm.errors import UserError
from lstmlm.examples.index import (
    BLOCK,
    HEADER_BYTES,
    Column,
    Counts,
    Header,
    index_file,
    misfit,
    read_header,
)
from lstmlm.publish.manifest import ATTEMPT, MANIFEST, parse_manifest
from lstmlm.records.tfrecord import FRAME_BYTES, framed, read_records
from lstmlm.storage import StorePath
from lstmlm.storage.many import each
from lstmlm.storage.ranges import BLOCK_BYTES, HELD_BYTES, Ranges
from lstmlm.task import Feature

_LOG = logging.getLogger(__name__)
_OPEN_FILES = 64
_INDEX_BYTES = 64 << 20
"""Bytes of indexes in a store that are kept in memory."""


class Index(Protocol):
    """The numbers of a shard's examples.

    Attributes:
        examples: Examples of the shard.
    """

    examples: int

    def numbers(self, column: str, start: int, stop: int) -> Counts:
        """Returns the numbers of some consecutive examples, int64 [stop - start]."""

    def before(self, column: str) -> tuple[int, Counts]:
        """Returns the examples of a block, and the sums of the numbers before each block and of all."""


class StoredIndex:
    """An index file; see `Index`. Nothing of it is held but its header, and of one in a store what was read last."""

    def __init__(self, shard: Path, digest: str | None, ranges: Ranges) -> None:
        self._shard, self._path, self._ranges = shard, index_file(shard), ranges
        self._header = _header(shard, digest)
        self.examples = self._header.examples

    def numbers(self, column: str, start: int, stop: int) -> Counts:
        """See `Index`."""
        place = self._header.columns[column]
        return self._read(f"<u{place.width}", stop - start, place.numbers + start * place.width)

    def before(self, column: str) -> tuple[int, Counts]:
        """See `Index`."""
        block = self._header.block
        return block, self._read("<u8", -(-self.examples // block) + 1, self._header.columns[column].before)

    def holds(self, columns: Sequence[str]) -> bool:
        """Says whether it has these columns."""
        return not self.examples or set(columns) <= self._header.columns.keys()

    def _read(self, kind: str, count: int, offset: int) -> Counts:
        size = np.dtype(kind).itemsize
        try:
            if isinstance(self._path, StorePath):
                data = self._ranges.read(self._path, offset, count * size)
                found = np.frombuffer(data[: len(data) // size * size], kind)
            else:
                found = np.fromfile(self._path, kind, count, offset=offset)
        except OSError as error:
            raise _unreadable(self._path, error) from error
        if len(found) < count:
            raise misfit(self._shard, "it ends too early")
        return found.astype(np.int64)


class BuiltIndex:
    """The index of a shard that has none, made in memory by reading the shard; see `Index`."""

    def __init__(self, columns: Mapping[str, npt.ArrayLike]) -> None:
        self._columns = {name: Column.of(numbers) for name, numbers in columns.items()}
        self.examples = len(self._columns[""].numbers)

    def numbers(self, column: str, start: int, stop: int) -> Counts:
        """See `Index`."""
        return self._columns[column].numbers[start:stop].astype(np.int64)

    def before(self, column: str) -> tuple[int, Counts]:
        """See `Index`."""
        return BLOCK, self._columns[column].before


def _header(shard: Path, digest: str | None) -> Header:
    """Reads the header of a shard's index and compares it with the shard."""
    path = index_file(shard)
    try:
        with path.open("rb") as stream:
            header = read_header(stream.read(HEADER_BYTES), path.stat().st_size)
        size = shard.stat().st_size
    except OSError as error:
        raise _unreadable(path if error.filename == str(path) else shard, error) from error
    except ValueError as error:
        raise misfit(shard, str(error)) from error
    if header.shard_bytes != size:
        raise misfit(shard, f"it was made for one of {header.shard_bytes} bytes, and this one has {size}")
    if digest is not None and digest != header.digest:
        raise misfit(shard, "it was made for a shard of the same size with another content")
    return header


class IndexedShards:
    """Shards with their indexes.

    Attributes:
        files: The shards, in corpus order.
        counts: Examples of each shard, int64 [shards].
        columns: Names of the features that have a column.

    Args:
        files: The shards.
        features: What examples hold; those of no fixed length have a column.

    Raises:
        UserError: A shard is missing, or an index does not fit its shard.
    """

    def __init__(self, files: Sequence[Path], features: Mapping[str, Feature]) -> None:
        self.files = list(files)
        self._ranges = Ranges(held=_INDEX_BYTES)
        kinds = tuple(sorted((name, feature.kind) for name, feature in features.items() if feature.ragged))
        self.columns = [name for name, _ in kinds]
        self._indexes = each(lambda file: _index(file, kinds, self._ranges), self.files)
        self.counts = np.array([index.examples for index in self._indexes], np.int64)

    def numbers(self, shard: int, column: str, start: int, stop: int) -> Counts:
        """Returns numbers of some consecutive examples of a shard; see `Index.numbers`."""
        return self._indexes[shard].numbers(column, start, stop)

    def before(self, shard: int, column: str) -> tuple[int, Counts]:
        """Returns the sums before the blocks of a shard; see `Index.before`."""
        return self._indexes[shard].before(column)

    def total(self, shard: int, column: str) -> int:
        """Returns the sum of the numbers of a shard."""
        return int(self.before(shard, column)[1][-1]) if self.counts[shard] else 0

    @property
    def is_stored(self) -> bool:
        """Whether the shards are in a store."""
        return any(isinstance(file, StorePath) for file in self.files)

    def bytes_of(self, examples: int) -> int:
        """Returns how many bytes so many examples take, about."""
        total = sum(self.total(shard, "") + FRAME_BYTES * int(own) for shard, own in enumerate(self.counts))
        return total * min(examples, int(self.counts.sum())) // max(1, int(self.counts.sum()))

    def offset(self, shard: int, example: int) -> int:
        """Returns where an example's record begins in its shard."""
        block, sums = self.before(shard, "")
        first = example // block
        payloads = int(sums[first]) + int(self.numbers(shard, "", first * block, example).sum())
        return payloads + FRAME_BYTES * example


class ShardReader:
    """Reads ranges of bytes of shards, and keeps some shards open.

    Attributes:
        is_ahead: Whether what will be read should be said before: shards in a store, whose answers take their time.

    Args:
        files: The shards.
        near: Bytes within which what is read next is, in whatever order. Where so much fits into memory, shards in a
            store are read by blocks, each once; otherwise exactly what is asked for is.
    """

    def __init__(self, files: Sequence[Path], near: int = 0) -> None:
        self._files = files
        self._open: dict[int, int] = {}
        self.is_ahead = any(isinstance(file, StorePath) for file in files)
        self._ranges = Ranges(BLOCK_BYTES if near <= HELD_BYTES // 2 else 0)

    def ahead(self, shard: int, offset: int, size: int) -> None:
        """Begins to read bytes of a shard in a store that will be asked for."""
        try:
            self._ranges.ahead(self._files[shard], offset, size)
        except OSError as error:
            raise _unreadable(self._files[shard], error) from error

    def payloads(self, shard: int, offset: int, lengths: Sequence[int]) -> list[bytes]:
        """Reads consecutive examples of a shard, and nothing else of it.

        Args:
            shard: The shard.
            offset: Where the record of the first begins.
            lengths: The lengths of their payloads, as the index has them.

        Raises:
            UserError: The shard is missing, is damaged, or differs from what its index says.
        """
        path, size = self._files[shard], sum(lengths) + FRAME_BYTES * len(lengths)
        try:
            if isinstance(path, StorePath):
                data = self._ranges.read(path, offset, size)
            else:
                data = os.pread(self._descriptor(shard), size, offset)
        except OSError as error:
            raise _unreadable(path, error) from error
        try:
            return framed(data, lengths)
        except ValueError as error:
            raise misfit(path, f"from byte {offset} on, {error}") from error

    def close(self) -> None:
        """Closes the files."""
        self._ranges.close()
        while self._open:
            os.close(self._open.popitem()[1])

    def _descriptor(self, shard: int) -> int:
        """Returns the open file of a shard; the one not used for longest is closed where there are many."""
        found = self._open.pop(shard, None)
        if found is None:
            if len(self._open) >= _OPEN_FILES:
                os.close(self._open.pop(next(iter(self._open))))
            found = os.open(self._files[shard], os.O_RDONLY)
        self._open[shard] = found
        return found


def _index(shard: Path, kinds: tuple[tuple[str, str], ...], ranges: Ranges) -> Index:
    """Returns the index of a shard; `kinds` are the names and kinds of the features that have a column."""
    if not index_file(shard).is_file():
        return _built(shard, kinds, _stamp(shard))
    stored = StoredIndex(shard, _digests(shard.parent.parent).get(f"{shard.parent.name}/{shard.name}"), ranges)
    names = [name for name, _ in kinds]
    if not stored.holds(["", *names]):
        raise misfit(shard, f"it does not have the features {', '.join(names)}")
    return stored


def _digests(folder: Path) -> Mapping[str, str]:
    """Returns the SHA-256 of each file of a published folder; of another one nothing."""
    attempt = isinstance(folder, StorePath) and folder.name.startswith(ATTEMPT)
    path = (folder.parent if attempt else folder) / MANIFEST
    return _digests_in(path, path.stat().st_mtime_ns) if path.is_file() else {}


@functools.lru_cache(maxsize=4)
def _digests_in(path: Path, changed: int) -> Mapping[str, str]:
    return {name: facts["sha256"] for name, facts in parse_manifest(path).files.items()}


def _stamp(shard: Path) -> tuple[int, int]:
    try:
        found = shard.stat()
    except OSError as error:
        raise _unreadable(shard, error) from error
    return found.st_size, found.st_mtime_ns


@functools.lru_cache(maxsize=4096)
def _built(shard: Path, kinds: tuple[tuple[str, str], ...], stamp: tuple[int, int]) -> BuiltIndex:
    """Makes the index of a shard that has none, once per process; `stamp` says which content of it."""
    import tensorflow as tf

    if stamp[0]:
        _LOG.warning("%s has no index and is read whole; the examples stage would write one", shard)
    parsers = {name: tf.io.RaggedFeature(tf.float32 if kind == "float" else tf.int64) for name, kind in kinds}
    columns: dict[str, list[Any]] = {"": [], **{name: [] for name, _ in kinds}}
    payloads: list[bytes] = []

    def count() -> None:
        columns[""].append(np.fromiter(map(len, payloads), np.int64, len(payloads)))
        if parsers:
            for name, values in tf.io.parse_example(payloads, parsers).items():
                columns[name].append(values.row_lengths().numpy())
        payloads.clear()

    for payload in read_records(shard):
        payloads.append(payload)
        if len(payloads) == BLOCK:
            count()
    if payloads:
        count()
    return BuiltIndex({name: np.concatenate(parts) if parts else [] for name, parts in columns.items()})


def _unreadable(path: Path, error: OSError) -> UserError:
    what = f"a file of the examples cannot be read: {error.strerror}"
    return UserError(what, where=str(path), hint="Restore it, or remove the folder and run the examples stage again")
