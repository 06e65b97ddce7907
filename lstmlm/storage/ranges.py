"""Ranges of bytes of objects, several at once and ahead of time, with what was read last kept in memory."""

from __future__ import annotations

import collections
import concurrent.futures
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

from lstmlm.errors import TryAgain
from lstmlm.storage.faults import fault_of, reported

STREAMS = 16
"""Ranges that are read at once."""
BLOCK_BYTES = 256 << 10
"""Bytes of a block, where neighbours of what is asked for are wanted soon."""
HELD_BYTES = 128 << 20
"""Bytes that are kept in memory."""

_TRIES, _PAUSE = 5, 0.5
"""Times that a range is asked for, each with the client's own tries, and the seconds after the first; they double."""
_LOG = logging.getLogger(__name__)

_Piece = tuple[str, int, int]
"""URL of an object, where a range of it begins, and its bytes."""


class Ranges:
    """Reads ranges of objects, each object in the version that it had when it was first asked for.

    Args:
        block: Bytes of a block: whole blocks are read and kept. 0: exactly the ranges that are asked for, once each.
        held: Bytes that are kept; what was not used for longest goes first.
    """

    def __init__(self, block: int = BLOCK_BYTES, held: int = HELD_BYTES) -> None:
        self._block, self._most, self._held = block, held, 0
        self._pieces: collections.OrderedDict[_Piece, Future[bytes]] = collections.OrderedDict()
        self._objects: dict[str, Future[Any]] = {}
        self._lock = threading.Lock()
        self._threads = concurrent.futures.ThreadPoolExecutor(STREAMS, thread_name_prefix="ranges")

    def size(self, path: Any) -> int:
        """Returns the bytes of an object.

        Raises:
            FileNotFoundError: There is no such object.
        """
        return int(self._object(path).result().size)

    def ahead(self, path: Any, start: int, size: int) -> None:
        """Begins to read a range, which will be asked for.

        Args:
            path: The object, a `StorePath`.
            start: Where the range begins.
            size: Its bytes; what is behind the end of the object does not count.
        """
        for piece in self._pieces_of(path, start, size):
            self._begin(path, piece)

    def read(self, path: Any, start: int, size: int) -> bytes:
        """Returns a range; less where the object ends. The arguments are those of `ahead`.

        Raises:
            FileNotFoundError: There is no such object.
            UserError: See `lstmlm.storage.faults`; also, where the object has changed.
        """
        pieces = list(self._pieces_of(path, start, size))
        begun = [(piece, self._begin(path, piece)) for piece in pieces]
        parts = []
        for piece, asked in begun:
            try:
                data = asked.result()
            except BaseException:
                self._forget(piece)
                raise
            first = max(0, start - piece[1])
            parts.append(
                data[first : start + size - piece[1]] if first or len(data) > start + size - piece[1] else data
            )
            if not self._block:
                self._forget(piece)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """Ends what is being read, and forgets what was."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._pieces.clear()

    def _pieces_of(self, path: Any, start: int, size: int) -> Iterator[_Piece]:
        end = min(start + size, self.size(path))
        if not self._block:
            if end > start:
                yield str(path), start, end - start
            return
        for at in range(start // self._block * self._block, end, self._block):
            yield str(path), at, min(self._block, self.size(path) - at)

    def _begin(self, path: Any, piece: _Piece) -> Future[bytes]:
        with self._lock:
            found = self._pieces.get(piece)
            if found is None:
                opened = self._objects[str(path)]
                found = self._pieces[piece] = self._threads.submit(_fetched, opened, *piece)
                self._held += piece[2]
                self._make_room()
            else:
                self._pieces.move_to_end(piece)
            return found

    def _make_room(self) -> None:
        """Forgets what was not used for longest, but nothing that is still being read."""
        while self._held > self._most and len(self._pieces) > 1:
            piece, oldest = next(iter(self._pieces.items()))
            if not oldest.done():
                return
            del self._pieces[piece]
            self._held -= piece[2]

    def _forget(self, piece: _Piece) -> None:
        with self._lock:
            if self._pieces.pop(piece, None) is not None:
                self._held -= piece[2]

    def _object(self, path: Any) -> Future[Any]:
        """Returns an object as it is opened; ranges of it, which are asked for later, wait for that."""
        with self._lock:
            found = self._objects.get(str(path))
            if found is None or (found.done() and found.exception() is not None):
                found = self._objects[str(path)] = self._threads.submit(_opened, path)
            return found


def _opened(path: Any) -> Any:
    with reported(str(path)):
        return path.client().open(path.address, "rb", cache_type="none")


def _fetched(opened: Future[Any], url: str, start: int, size: int) -> bytes:
    stream = opened.result()

    def fetch() -> bytes:
        data = bytes(stream._fetch_range(start, start + size))
        if len(data) < size:
            raise ConnectionResetError(f"{len(data)} of {size} bytes came")
        return data

    return asked_again(url, fetch)


def asked_again(url: str, read: Callable[[], bytes]) -> bytes:
    """Returns what a function reads; where a connection ends in the middle, it is called again.

    Args:
        url: The name of the object in messages.
        read: Reads.

    Raises:
        UserError: See `lstmlm.storage.faults.reported`.
    """
    for tried in range(_TRIES):
        try:
            return read()
        except Exception as error:
            fault = fault_of(error, url)
            if fault is None:
                raise
            if not isinstance(fault, TryAgain) or tried == _TRIES - 1:
                raise fault from error
            _LOG.info("%s; asked again", fault)
        time.sleep(_PAUSE * 2**tried)
    raise AssertionError("unreachable")
