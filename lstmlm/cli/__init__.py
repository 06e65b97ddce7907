"""The command line: `lstmlm ...`. TensorFlow, Beam, Ray and TFX are imported inside the command that needs them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from lstmlm.processes import interrupts, supervisor


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs `lstmlm` and leaves the process with an `ExitCode`.

    Args:
        arguments: The words after `lstmlm`; absent: those of this process.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    if arguments is None and (ended := supervisor.continue_in_child(_report)) is not None:
        sys.exit(ended)
    code = 1
    try:
        # Before anything else is imported: typer and rich take a moment, and Ctrl-C may come at any.
        resume = f"finished work is kept; to resume, run: {shlex.join(['lstmlm', *words])}"
        interrupts.install(resume, forwarded=supervisor.forwarded)
        from lstmlm.cli.app import run
        from lstmlm.processes.environment import settle

        settle()
        code = run(words)
    except KeyboardInterrupt:
        pass
    sys.exit(interrupts.finish(code))


def _report(end: supervisor.Killed) -> None:
    """Says how the working process ended, in the parent of it."""
    from lstmlm.cli.failures.killed import report_killed

    report_killed(end)


__all__ = ["main"]
