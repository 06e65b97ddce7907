"""Streams from and to an object: large blocks, multipart writes, and no trace of a writer that fails."""

from __future__ import annotations

import io
import logging
import time
from types import TracebackType
from typing import Any, Self

from lstmlm.errors import TryAgain
from lstmlm.storage.clients import BLOCK_BYTES
from lstmlm.storage.faults import fault_of, reported

READ_BYTES = 1 << 20
"""Bytes that a reader takes from a block at a time."""

_TRIES, _PAUSE = 5, 0.5
"""Times that a block is asked for, each with the client's own tries, and the seconds after the first; they double."""

_LOG = logging.getLogger(__name__)


class ObjectReader(io.RawIOBase):
    """Reads an object by blocks, all of the same version of it.

    Where a connection ends in the middle of a block, the block is asked for again.
    """

    def __init__(self, client: Any, address: str, url: str) -> None:
        """Opens the object.

        Args:
            client: The filesystem of fsspec.
            address: Bucket and key.
            url: Its name in messages.
        """
        super().__init__()
        self._stream = client.open(address, "rb", block_size=BLOCK_BYTES, cache_type="readahead")
        self._url = url

    def readable(self) -> bool:
        """See `io.RawIOBase`."""
        return True

    def seekable(self) -> bool:
        """See `io.RawIOBase`."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """See `io.RawIOBase`."""
        return int(self._stream.seek(offset, whence))

    def tell(self) -> int:
        """See `io.RawIOBase`."""
        return int(self._stream.tell())

    def readinto(self, buffer: Any) -> int:
        """See `io.RawIOBase`.

        Raises:
            UserError: See `lstmlm.storage.faults.reported`.
        """
        at = self.tell()
        for tried in range(_TRIES):
            try:
                data = self._stream.read(len(buffer))
                buffer[: len(data)] = data
                return len(data)
            except Exception as error:
                fault = fault_of(error, self._url)
                if fault is None:
                    raise
                if not isinstance(fault, TryAgain) or tried == _TRIES - 1:
                    raise fault from error
                _LOG.info("%s; asked again", fault)
            time.sleep(_PAUSE * 2**tried)
            self._stream.seek(at)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """See `io.RawIOBase`."""
        if not self.closed:
            self._stream.close()
        super().close()


class ObjectWriter(io.BufferedIOBase):
    """Writes an object, in parts where it is large; it appears, whole, when the writer is closed without an error."""

    def __init__(self, client: Any, address: str, url: str) -> None:
        """Begins the object; the arguments are those of `ObjectReader`."""
        super().__init__()
        self._stream = client.open(address, "wb", block_size=BLOCK_BYTES)
        self._url = url

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
            return int(self._stream.write(data))

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
