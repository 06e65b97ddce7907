"""Reports a working process that a signal ended, in the parent that waits for it: it could not say anything itself."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from lstmlm.cli.failures.report import write_report
from lstmlm.errors import MORE_MEMORY
from lstmlm.processes.interrupts import STOPPING
from lstmlm.processes.supervisor import Killed
from lstmlm.storage import place


def report_killed(end: Killed) -> None:
    """Prints one line, and writes `failure.json` where a stage was in work; a signal that asks to end is no failure."""
    if end.number in STOPPING:
        return
    cause = end.out_of_memory or f"the process was ended by {signal.Signals(end.number).name}"
    hint = MORE_MEMORY if end.out_of_memory else "Run the same command again: it resumes"
    print(f"lstmlm: {cause}. {hint}", file=sys.stderr)
    if "report" in end.notes:
        path, log = place(end.notes["report"]), Path(end.notes["log"])
        code, stage = 128 + end.number, end.notes["stage"]
        write_report(path, log, stage=stage, cause=cause, where="", exit_code=code, what_to_do=hint)
