"""ML Metadata of a run in a store: SQLite in a local file, which is sent to the run's folder after each stage."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lstmlm.publish.places import RUN_STORE
from lstmlm.storage import StorePath
from lstmlm.storage.files import copy_file

_copies: dict[str, Path] = {}
"""Run folder -> the file in use."""


@contextlib.contextmanager
def fetched(home: Path) -> Iterator[None]:
    """Has the metadata of a run in a file of this machine inside the block; of a run on a disk nothing is done.

    Args:
        home: The run's folder, absolute.
    """
    if not isinstance(home, StorePath):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="lstmlm-metadata-") as folder:
        file = Path(folder, RUN_STORE)
        with contextlib.suppress(FileNotFoundError):
            copy_file(home / RUN_STORE, file)
        _copies[str(home)] = file
        try:
            yield
        finally:
            del _copies[str(home)]


def keep(home: Path) -> None:
    """Sends the metadata of a run to its folder in the store; of a run on a disk nothing is done."""
    file = _copies.get(str(home))
    if file is not None and file.is_file():
        copy_file(file, home / RUN_STORE)


def metadata_file(home: Path) -> Path:
    """Returns the file of a run's metadata on this machine.

    Args:
        home: The run's folder, absolute; one in a store must have been `fetched`.
    """
    return _copies.get(str(home)) or home / RUN_STORE
