"""Arrays in files of this machine and in objects of a store, whose streams numpy's `fromfile` does not read."""

from __future__ import annotations

import contextlib
import mmap
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from lstmlm.storage.paths import StorePath

_COPIED = 1 << 20


def read_array(stream: BinaryIO, kind: Any, count: int) -> NDArray[Any]:
    """Returns the next numbers of a stream, `kind[count]`, or as many as there are."""
    found = np.empty(count, kind)
    data = stream.read(found.nbytes)
    size = len(data) // found.itemsize
    found[:size] = np.frombuffer(data, kind, size)
    return found[:size]


def load_array(path: Path, kind: Any) -> NDArray[Any]:
    """Returns all numbers of a file."""
    if isinstance(path, StorePath):
        return np.frombuffer(bytearray(path.read_bytes()), kind)
    return np.fromfile(path, kind)


def mapped(path: Path) -> mmap.mmap:
    """Maps a file into memory; an object of a store is copied first, into a file that has no name."""
    if not isinstance(path, StorePath):
        with path.open("rb") as stream:
            return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    with path.open("rb") as source, tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(source, copy, _COPIED)
        copy.flush()
        return mmap.mmap(copy.fileno(), 0, access=mmap.ACCESS_READ)


@contextlib.contextmanager
def seekable(stream: BinaryIO, path: Path) -> Iterator[BinaryIO]:
    """Yields a stream to write in any order: the file's own, or for an object a file without a name, which is sent.

    Args:
        stream: What `lstmlm.publish.folder.replacing` gave for the path.
        path: What is written.
    """
    if not isinstance(path, StorePath):
        yield stream
        return
    with tempfile.TemporaryFile() as copy:
        yield copy
        copy.seek(0)
        shutil.copyfileobj(copy, stream, _COPIED)
