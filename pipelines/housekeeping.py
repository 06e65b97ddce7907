"""Removes the leftovers of failed executions from a run's folder."""

from __future__ import annotations

import contextlib
from pathlib import Path

from lstmlm.publish.durable import remove_folder


def sweep(artifacts: Path, successful: set[int]) -> None:
    """Removes what executions that failed or were killed left. Only for the holder of the lock.

    Args:
        artifacts: The pipeline root: `<node>/<output key>/<execution id>`.
        successful: Ids of the executions whose outputs stay.
    """
    for node in artifacts.glob("*"):
        with contextlib.suppress(OSError):
            remove_folder(node / ".system")  # scratch of executions, never read again
        for key in node.glob("*"):
            for output in key.glob("*"):
                if not (output.name.isdigit() and int(output.name) in successful):
                    remove_folder(output)
