"""Copies of whole files between this machine and stores, in every direction."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lstmlm.storage.faults import reported
from lstmlm.storage.paths import StorePath

_COPIED = 1 << 20


def copy_file(source: Path, target: Path) -> None:
    """Copies a file; an object to one of the same store without coming by this machine.

    Raises:
        FileNotFoundError: There is no source.
        UserError: See `lstmlm.storage.faults`.
    """
    if not isinstance(source, StorePath) and not isinstance(target, StorePath):
        shutil.copyfile(source, target)
        return
    if isinstance(source, StorePath) and isinstance(target, StorePath) and source.scheme == target.scheme:
        with reported(str(source)):
            source.client().cp_file(source.address, target.address)
        return
    with source.open("rb") as stream, target.open("wb") as copy:
        shutil.copyfileobj(stream, copy, _COPIED)


@contextlib.contextmanager
def as_file(path: Path) -> Iterator[Path]:
    """Yields a file of this machine with the content of an object, which is gone afterwards; a file as it is."""
    if not isinstance(path, StorePath):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="lstmlm-copy-") as folder:
        copy = Path(folder, path.name)
        copy_file(path, copy)
        yield copy
