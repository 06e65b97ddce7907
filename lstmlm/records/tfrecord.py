"""The TFRecord format, read and written without TensorFlow.

A record is its length (8 bytes, little-endian), the masked CRC-32C of these 8 bytes, the payload, and the masked
CRC-32C of the payload, as TensorFlow's `record_writer.h` defines it. Files joined end to end are such a file again.
"""

from __future__ import annotations

import functools
import itertools
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, BinaryIO

import google_crc32c
import numpy as np
import numpy.typing as npt

from lstmlm.errors import UserError
from lstmlm.publish.folder import replacing
from lstmlm.storage import StorePath

_HEADER = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")
FRAME_BYTES = _HEADER.size + _CHECKSUM.size
"""Bytes of a record in addition to its payload."""
_MASK_DELTA = 0xA282EAD8
_BUFFER_BYTES = 1 << 20
_BLOCK_RECORDS = 4096


def write_records(path: Path, payloads: Iterable[bytes]) -> int:
    """Writes a TFRecord file with the bytes `tf.io.TFRecordWriter` would write.

    Args:
        path: The file, replaced if it is there.
        payloads: What the records hold; taken about a megabyte at a time.

    Returns:
        The number of records.
    """
    with replacing(path) as stream:
        return append_records(stream, payloads)


def append_records(stream: BinaryIO, payloads: Iterable[bytes]) -> int:
    """Writes payloads to an open TFRecord file, about a megabyte at a time, and returns how many."""
    count = 0
    for block in _blocks(payloads):
        stream.write(frame(block))
        count += len(block)
    return count


def frame(payloads: Sequence[bytes]) -> bytes:
    """Returns the payloads in the format of a TFRecord file, each with its length and checksums."""
    heads = {length: _head(length) for length in set(map(len, payloads))}
    # Masked all at once: in Python the arithmetic would cost more than the checksum.
    sums = _masked(np.fromiter(map(google_crc32c.value, payloads), np.uint32, len(payloads))).tobytes()
    tails = (sums[start : start + 4] for start in range(0, len(sums), 4))
    parts = zip(map(heads.__getitem__, map(len, payloads)), payloads, tails, strict=True)
    return b"".join(itertools.chain.from_iterable(parts))


def read_records(path: Path, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Yields the payloads of a TFRecord file, in order, and checks every byte of them.

    Args:
        path: The file.
        start: The byte at which the first record begins.
        end: The byte at which the last one ends; absent: the end of the file.

    Raises:
        UserError: The file cannot be read, is damaged, or ends within a record.
    """
    try:
        if isinstance(path, StorePath) and end is not None:
            stream: IO[bytes] = path.open_section(start, end)
        else:
            stream = path.open("rb", buffering=_BUFFER_BYTES)
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=str(path), hint="Check the path") from error
    with stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(start)
        left = (size if end is None else end) - start
        for number in itertools.count(1):
            if end is not None and left <= 0:
                return
            header = stream.read(_HEADER.size)
            if not header:
                return
            length = _checked_length(header, size, number, path)
            payload, tail = stream.read(length), stream.read(4)
            if len(tail) < 4:
                raise _truncated(number, path)
            crc = google_crc32c.value(payload)  # masked here and not in a function: this is done for every record
            if ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF != int.from_bytes(tail, "little"):
                raise _damaged(number, path)
            yield payload
            left -= FRAME_BYTES + length


def framed(data: bytes, lengths: Sequence[int]) -> list[bytes]:
    """Returns the payloads of consecutive records, whose lengths are known; the inverse of `frame`.

    Args:
        data: The bytes of the records.
        lengths: Of the payloads.

    Raises:
        ValueError: These are not such records, with the reason.
    """
    found, at = [], 0
    for length in lengths:
        start, end = at + _HEADER.size, at + _HEADER.size + length
        payload, tail = data[start:end], data[end : end + _CHECKSUM.size]
        if len(tail) < _CHECKSUM.size or _length(data[at:start]) != length:
            raise ValueError(f"no example of {length} bytes is where it says")
        if _CHECKSUM.pack(_masked_crc(payload)) != tail:
            raise ValueError("the example there does not match its checksum")
        found.append(payload)
        at = end + _CHECKSUM.size
    return found


def count_records(path: Path) -> int:
    """Counts the records of a TFRecord file by their lengths, without reading the payloads.

    Raises:
        UserError: A length is damaged, or the file ends within a record.
    """
    size, at = path.stat().st_size, 0
    with path.open("rb") as stream:
        for number in itertools.count(1):
            if at == size:
                return number - 1
            stream.seek(at)
            at += _HEADER.size + _checked_length(stream.read(_HEADER.size), size, number, path) + _CHECKSUM.size
            if at > size:
                raise _truncated(number, path)
    raise AssertionError("unreachable")


def _blocks(payloads: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yields runs of payloads of about `_BUFFER_BYTES`."""
    block: list[bytes] = []
    size = 0
    for payload in payloads:
        block.append(payload)
        size += len(payload)
        if size >= _BUFFER_BYTES or len(block) == _BLOCK_RECORDS:
            yield block
            block, size = [], 0
    if block:
        yield block


def _head(length: int) -> bytes:
    length_bytes = struct.pack("<Q", length)
    return length_bytes + _CHECKSUM.pack(_masked_crc(length_bytes))


def _checked_length(header: bytes, size: int, number: int, path: Path) -> int:
    """Returns the length of record `number` of a file of `size` bytes."""
    if len(header) < _HEADER.size:
        raise _truncated(number, path)
    length = _length(header)
    if length is None:
        raise _damaged(number, path)
    if length > size:  # before memory is asked for
        raise _truncated(number, path)
    return length


@functools.lru_cache(maxsize=4096)
def _length(header: bytes) -> int | None:
    """Returns the length in the 12 bytes before a payload; None if it does not match its checksum."""
    length, checksum = _HEADER.unpack(header)
    return int(length) if _masked_crc(header[:8]) == checksum else None


def _masked_crc(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def _masked(crcs: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Does what `_masked_crc` does to checksums, uint32 [n]; the sum wraps around."""
    rotated = crcs >> np.uint32(15) | crcs << np.uint32(17)
    return (rotated + np.uint32(_MASK_DELTA)).astype("<u4")


def _damaged(number: int, path: Path) -> UserError:
    what = f"damaged TFRecord file: record {number} does not match its checksum"
    return UserError(what, where=str(path), hint="Run the stage that made it again")


def _truncated(number: int, path: Path) -> UserError:
    what = f"damaged TFRecord file: it ends within record {number}"
    return UserError(what, where=str(path), hint="Run the stage that made it again")
