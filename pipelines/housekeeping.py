"""Keeps a run's folder to one process at a time, and free of what failed executions left."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

from lstmlm.errors import UserError

LOCK = ".lock"


@contextlib.contextmanager
def locked(folder: Path, *, wait: bool) -> Iterator[None]:
    """Holds the lock of a run's folder; the system frees it should the process die.

    Args:
        folder: The run's folder; made if absent.
        wait: Wait for another process to finish instead of failing: schedulers start stages side by side.

    Raises:
        UserError: Another process holds it, and `wait` is false.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            cure = "Wait for it to end, or give this run another name"
            raise UserError("another process is running this recipe", where=str(folder), cure=cure) from error
        yield


def sweep(artifacts: Path, successful: set[int]) -> None:
    """Removes what executions that failed or were killed left. Only for the holder of the lock.

    Args:
        artifacts: The pipeline root: `<node>/<output key>/<execution id>`.
        successful: Ids of the executions whose outputs stay.
    """
    for node in artifacts.glob("*"):
        shutil.rmtree(node / ".system", ignore_errors=True)  # scratch of executions, never read again
        for output in node.glob("*/*"):
            if not (output.name.isdigit() and int(output.name) in successful):
                shutil.rmtree(output)
