"""Streaming decompression of gzip, bzip2, xz and zstd in bounded memory, with damage reported and growth limited.

All formats may consist of several parts in a row (gzip members, bzip2 and xz streams, zstd frames), as `cat` and
parallel compressors make them.
"""

from __future__ import annotations

import bz2
import dataclasses
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import zstandard

from lstmlm.corpus.reading.openers import CHUNK_BYTES, read_bytes
from lstmlm.errors import UserError

GROWTH_FLOOR = 10**9
"""Bytes a compressed file may always expand to, whatever the factor."""

_PART_BYTES = 1 << 16
_ZSTD_INPUT = 1 << 9
"""A zstd call has no limit on what it returns; one block of 128 kB takes 4 bytes at least, so this bounds it."""
_ZSTD_WINDOW = 1 << 31
"""The largest window of the format's tools (`zstd --long=31`). A file that uses it takes as much memory."""
_XZ_MEMORY = 1 << 30
"""Memory an xz stream may ask for; `xz -9` takes 65 MB."""


class Damaged(Exception):
    """A compressed file that ends early or is broken; the message is the reason."""


class _Broken(Damaged):
    """Damage met by the decompressor itself, which loses what the failing call had expanded."""


class _Member(Protocol):
    """One gzip member, bzip2 or xz stream, or zstd frame."""

    ended: bool
    unused: bytes  # what follows the end in the data given last

    def expand(self, data: bytes) -> Iterator[bytes]:
        """Yields what comes out of the data, in parts of bounded size."""


class _Gzip:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self.ended, self.unused = False, b""

    def expand(self, data: bytes) -> Iterator[bytes]:
        while not self.ended:
            part = self._stream.decompress(data, _PART_BYTES)
            data = self._stream.unconsumed_tail
            self.ended, self.unused = self._stream.eof, self._stream.unused_data
            if part:
                yield part
            if not data and len(part) < _PART_BYTES:
                return


class _Buffered:
    """A decompressor of the standard library that keeps input and hands out as much as it is asked for."""

    def __init__(self, stream: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._stream = stream
        self.ended, self.unused = False, b""

    def expand(self, data: bytes) -> Iterator[bytes]:
        while not self.ended:
            part = self._stream.decompress(data, _PART_BYTES)
            data = b""
            self.ended, self.unused = self._stream.eof, self._stream.unused_data
            if part:
                yield part
            if self._stream.needs_input:
                return


def _bzip2() -> _Buffered:
    return _Buffered(bz2.BZ2Decompressor())


def _xz() -> _Buffered:
    return _Buffered(lzma.LZMADecompressor(memlimit=_XZ_MEMORY))


class _Zstd:
    def __init__(self) -> None:
        self._stream = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        self.ended, self.unused = False, b""

    def expand(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _ZSTD_INPUT):
            output = self._stream.decompress(data[start : start + _ZSTD_INPUT])
            yield from (output[place : place + _PART_BYTES] for place in range(0, len(output), _PART_BYTES))
            if self._stream.eof:
                self.ended, self.unused = True, self._stream.unused_data + data[start + _ZSTD_INPUT :]
                return


@dataclasses.dataclass(frozen=True, slots=True)
class _Codec:
    name: str
    magic: tuple[bytes, ...]
    member: Callable[[], _Member]
    errors: tuple[type[Exception], ...]


_SKIPPABLE = tuple(bytes([byte]) + b"\x2a\x4d\x18" for byte in range(0x50, 0x60))
_CODECS = {
    "gz": _Codec("gzip", (b"\x1f\x8b",), _Gzip, (zlib.error,)),
    "bz2": _Codec("bzip2", (b"BZh",), _bzip2, (OSError, ValueError)),
    "xz": _Codec("xz", (b"\xfd7zXZ\0",), _xz, (lzma.LZMAError,)),
    "zst": _Codec("zstd", (b"\x28\xb5\x2f\xfd", *_SKIPPABLE), _Zstd, (zstandard.ZstdError,)),
}
COMPRESSIONS = tuple(_CODECS)
"""Endings of compressed files, without the dot."""
NAMES = {ending: codec.name for ending, codec in _CODECS.items()}
"""What each compression is called, by its ending."""
MAGIC = {ending: codec.magic for ending, codec in _CODECS.items()}
"""What a file of each compression begins with, by its ending."""


def _expand(chunks: Iterator[bytes], codec: _Codec) -> Iterator[bytes]:
    """Yields the parts that come out of all members."""
    member: _Member | None = None
    begun = False
    for chunk in chunks:
        # Tapes and block devices pad with zeros.
        data = chunk.lstrip(b"\0") if begun and member is None else chunk
        while data:
            if member is None:
                member, begun = codec.member(), True
            try:
                yield from member.expand(data)
            except codec.errors as error:
                raise _Broken(f"{codec.name} is damaged: {error}") from error
            data = b""
            if member.ended:
                data, member = member.unused.lstrip(b"\0"), None
    if member is not None:
        raise Damaged(f"{codec.name} ends early")


@dataclasses.dataclass(slots=True)
class _Meter:
    """Chunks of a file, with how far they have been read."""

    path: str
    size: int
    position: int = 0
    last: int = 0  # where the latest chunk begins

    def __iter__(self) -> Iterator[bytes]:
        for chunk in read_bytes(self.path, 0, self.size):
            self.last, self.position = self.position, self.position + len(chunk)
            yield chunk


def decompressed(
    path: str, size: int, compression: str, max_expansion: int, *, floor: int = GROWTH_FLOOR
) -> Iterator[bytes]:
    """Yields the expanded bytes of a file in parts of bounded size; everything before a damage is yielded.

    Args:
        path: The file, local or a URL.
        size: Its size in bytes.
        compression: `gz`, `bz2`, `xz` or `zst`.
        max_expansion: `corpus.max_expansion`.
        floor: Bytes it may expand to whatever the factor is.

    Raises:
        Damaged: The file ends early or is broken.
        UserError: It cannot be read, is not of this format at all, or grows by more than `max_expansion`.
    """
    codec = _CODECS[compression]
    _check_magic(path, size, codec)
    meter = _Meter(path, size)
    given = 0
    try:
        for part in _expand(iter(meter), codec):
            given += len(part)
            if given > floor and given > max_expansion * meter.position:
                what = f"expands to more than {max_expansion} times its size, as a decompression bomb does"
                raise UserError(what, where=path, hint="Remove the file, or raise corpus.max_expansion if it is good")
            yield part
    except _Broken:
        # From the failing chunk on byte by byte, so that nothing is lost but the byte at fault.
        yield from _without(_expand(_in_bytes(path, size, meter.last), codec), given)


def _check_magic(path: str, size: int, codec: _Codec) -> None:
    head = b"".join(read_bytes(path, 0, min(size, 6)))
    if not head.startswith(codec.magic):
        hint = f"Compress it with {codec.name}, or give it the ending of what it is"
        raise UserError(f"not a {codec.name} file", where=path, hint=hint)


def _in_bytes(path: str, size: int, start: int) -> Iterator[bytes]:
    yield from read_bytes(path, 0, start)
    for chunk in read_bytes(path, start, min(size, start + CHUNK_BYTES)):
        yield from (chunk[place : place + 1] for place in range(len(chunk)))


def _without(parts: Iterator[bytes], count: int) -> Iterator[bytes]:
    """Yields parts without the first `count` bytes."""
    for part in parts:
        if count < len(part):
            yield part[count:]
        count = max(0, count - len(part))


def first_damage(path: str, size: int, compression: str, max_expansion: int) -> str:
    """Reads a compressed file once and returns what is damaged about it, or nothing where it is whole.

    For `corpus.damaged: dead`, which makes such a file one dead letter before any of it is used.

    Raises:
        UserError: As `decompressed`.
    """
    try:
        for _ in decompressed(path, size, compression, max_expansion):
            pass
    except Damaged as damage:
        return str(damage)
    return ""
