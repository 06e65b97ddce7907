"""A folder that one process at a time works in."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from lstmlm.errors import UserError

LOCK = ".lock"


@contextlib.contextmanager
def locked(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Holds the lock of a folder; the system frees it should the process die.

    Args:
        folder: The folder; made if absent. Its holder may remove it.
        wait: Wait for another process to finish instead of failing: schedulers start stages side by side.

    Raises:
        UserError: Another process holds it, and `wait` is false.
    """
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOCK).open("w") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as error:
                cure = "Wait for it to end, or give this run another name or folder"
                raise UserError("another process is at work here", where=str(folder), cure=cure) from error
            if not _is_there(stream, folder / LOCK):
                continue  # whoever held it removed the folder at the end
            yield
            return


def _is_there(stream: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False
