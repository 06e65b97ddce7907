"""Removes the leftovers of failed executions from a run's folder."""

from __future__ import annotations

import shutil
from pathlib import Path


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
