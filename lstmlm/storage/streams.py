"""Streams from and to an object: blocks read ahead, multipart writes, and no trace of a writer that fails."""

from __future__ import annotations

import hashlib
import io
import threading
from types import TracebackType
from typing import Any, Self

from lstmlm.storage.clients import BLOCK_BYTES
from lstmlm.storage.faults import reported
from lstmlm.storage.ranges import Ranges

READ_BYTES = 1 << 20
"""Bytes that a reader takes from a block at a time."""

_BLOCK, _LEAST_BLOCK, _AHEAD = 4 << 20, 256 << 10, 3
"""Bytes of a block that is read, at most and at least, and blocks that are read ahead where one follows the other."""

_sums: dict[str, tuple[int, str]] = {}
"""URL of an object that this process has written -> its bytes and SHA-256."""
_MOST_SUMS = 100_000
_lock = threading.Lock()


class ObjectReader(io.RawIOBase):
    """Reads an object by blocks, all of the same version of it; in order, the next blocks are on their way meanwhile.

    Where a connection ends in the middle of a block, the block is asked for again.
    """

    def __init__(self, path: Any, section: tuple[int, int] | None = None) -> None:
        """Opens the object.

        Args:
            path: A `StorePath`.
            section: Where what will be read begins and ends; absent: all of it. Little else is asked for then.

        Raises:
            FileNotFoundError: There is no such object.
        """
        super().__init__()
        block = _BLOCK
        if section is not None:
            block = min(_BLOCK, max(_LEAST_BLOCK, 1 << (section[1] - section[0] - 1).bit_length()))
        self._path, self._ranges = path, Ranges(block, (_AHEAD + 2) * block)
        self._size = self._ranges.size(path)
        self._ahead, self._end = _AHEAD * block, self._size if section is None else section[1]
        self._at = self._expected = 0

    def readable(self) -> bool:
        """See `io.RawIOBase`."""
        return True

    def seekable(self) -> bool:
        """See `io.RawIOBase`."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """See `io.RawIOBase`."""
        self._at = max(0, {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset)
        return self._at

    def tell(self) -> int:
        """See `io.RawIOBase`."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """See `io.RawIOBase`.

        Raises:
            UserError: See `lstmlm.storage.faults.reported`.
        """
        if self._at and self._at == self._expected:
            self._ranges.ahead(self._path, self._at, min(self._ahead, self._end - self._at))
        data = self._ranges.read(self._path, self._at, len(buffer))
        buffer[: len(data)] = data
        self._at = self._expected = self._at + len(data)
        return len(data)

    def readall(self) -> bytes:
        """See `io.RawIOBase`."""
        data = self._ranges.read(self._path, self._at, self._size - self._at) if self._at < self._size else b""
        self._at += len(data)
        return data

    def close(self) -> None:
        """See `io.RawIOBase`."""
        if not self.closed:
            self._ranges.close()
        super().close()


class ObjectWriter(io.BufferedIOBase):
    """Writes an object, in parts where it is large; it appears, whole, when the writer is closed without an error."""

    def __init__(self, client: Any, address: str, url: str) -> None:
        """Begins the object.

        Args:
            client: The filesystem of fsspec.
            address: Bucket and key.
            url: Its name in messages.
        """
        super().__init__()
        self._stream = client.open(address, "wb", block_size=BLOCK_BYTES)
        self._url, self._digest, self._size = url, hashlib.sha256(), 0

    def writable(self) -> bool:
        """See `io.BufferedIOBase`."""
        return True

    def tell(self) -> int:
        """See `io.BufferedIOBase`."""
        return int(self._stream.tell())

    def write(self, data: Any) -> int:
        """See `io.BufferedIOBase`.

        Raises:
            UserError: See `lstmlm.storage.faults.reported`.
        """
        with reported(self._url):
            written = int(self._stream.write(data))
        self._digest.update(data)
        self._size += written
        return written

    def discard(self) -> None:
        """Ends the writer without an object; parts that were sent are removed."""
        if not self.closed:
            with reported(self._url):
                self._stream.discard()
            self._stream.closed = True  # or its end would send what is left
            super().close()

    def close(self) -> None:
        """Ends the writer; the object is there afterwards.

        Raises:
            UserError: See `lstmlm.storage.faults.reported`.
        """
        if not self.closed:
            try:
                with reported(self._url):
                    self._stream.close()
                _remember(self._url, self._size, self._digest.hexdigest())
            finally:
                super().close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the writer, or discards what was written where an exception ends the body."""
        if kind is None:
            self.close()
        else:
            self.discard()

    def __enter__(self) -> Self:
        """Returns the writer."""
        return self


def write_object(client: Any, address: str, url: str, data: bytes) -> None:
    """Writes a small object, by one request; the arguments are those of `ObjectWriter`."""
    with reported(url):
        client.pipe_file(address, data)
    _remember(url, len(data), hashlib.sha256(data).hexdigest())


def take_sum(url: str, size: int) -> str | None:
    """Returns the SHA-256 of an object as this process wrote it, once, so that it need not be read for that.

    Args:
        url: The object, which nobody else writes.
        size: Its bytes, as the store says.

    Returns:
        None where another process wrote it.
    """
    with _lock:
        found = _sums.pop(url, None)
    return found[1] if found is not None and found[0] == size else None


def _remember(url: str, size: int, digest: str) -> None:
    with _lock:
        _sums.pop(url, None)
        _sums[url] = size, digest
        while len(_sums) > _MOST_SUMS:
            del _sums[next(iter(_sums))]
