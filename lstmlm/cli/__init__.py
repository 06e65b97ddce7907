"""The command line: `lstmlm ...`. TensorFlow, Beam, Ray and TFX are imported inside the command that needs them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from lstmlm.processes import interrupts, supervisor


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs `lstmlm` and leaves the process with an `ExitCode`.

    Args:
        arguments: The words after `lstmlm`; absent: those of this process.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)

    def command() -> int:
        from lstmlm.cli.app import run

        return run(words)

    message = f"finished work is kept; to resume, run: {shlex.join(['lstmlm', *words])}"
    run_process(command, message, supervised=arguments is None)


def run_process(work: Callable[[], int], message: str, *, supervised: bool = True) -> NoReturn:
    """Runs what a process is for, and leaves the process with its `ExitCode`.

    Args:
        work: What it is for; imports what it needs, and returns the code.
        message: What is printed after "interrupted; ".
        supervised: Whether a parent waits for it where memory is limited.
    """
    if supervised and (ended := supervisor.continue_in_child(_report)) is not None:
        sys.exit(ended)
    code = 1
    try:
        # Before anything else is imported: that takes a moment, and Ctrl-C may come at any.
        interrupts.install(message, forwarded=supervisor.forwarded)
        from lstmlm.processes.environment import settle

        settle()
        code = work()
    except KeyboardInterrupt:
        pass
    sys.exit(interrupts.finish(code))


def _report(end: supervisor.Killed) -> None:
    """Says how the working process ended, in the parent of it."""
    from lstmlm.cli.failures.killed import report_killed

    report_killed(end)


__all__ = ["main", "run_process"]
