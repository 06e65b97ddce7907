"""`failure.json`: what a scheduler, and anyone who looks later, need to know of a command that failed."""

from __future__ import annotations

import contextlib
import datetime
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lstmlm.cli.failures.faults import exit_code, user_fault
from lstmlm.errors import ExitCode, first_line
from lstmlm.processes import interrupts
from lstmlm.publish.folder import replacing

FAILURE = "failure.json"
LAST_LINES = 20
LONGEST_LINE = 500
_TAIL_BYTES = 64_000
_AGAIN = {
    ExitCode.FAILED: "Read the log; it has the traceback",
    ExitCode.TRY_AGAIN: "Run the same command again in a while",
}


@contextlib.contextmanager
def failure_reported(path: Path, log: Path, stage: Callable[[], str]) -> Iterator[None]:
    """Writes a report of the exception that ends the block, and removes that of an earlier one.

    An interruption is no failure, and is not reported.

    Args:
        path: The file to write.
        log: The log of the command; its last lines go into the report.
        stage: Returns the stage in work.
    """
    path.unlink(missing_ok=True)
    try:
        yield
    except Exception as error:
        if not interrupts.received():
            with contextlib.suppress(OSError):  # a full disk, for example: the message on the terminal remains
                _write(path, _report(error, log, stage()))
        raise


def _write(path: Path, report: dict[str, Any]) -> None:
    with replacing(path, durable=True) as stream:
        stream.write(f"{json.dumps(report, indent=1, ensure_ascii=False)}\n".encode("utf-8", "backslashreplace"))


def _report(error: Exception, log: Path, stage: str) -> dict[str, Any]:
    code, fault = exit_code(error), user_fault(error)
    cause = f"{type(error).__name__}: {first_line(error)}" if fault is None else fault.what
    return {
        "stage": stage,
        "cause": cause,
        "where": "" if fault is None else fault.where,
        "exit_code": int(code),
        "what_to_do": (fault.hint if fault is not None else "") or _AGAIN.get(code, ""),
        "log": str(log),
        "last_lines": last_lines(log),
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def last_lines(log: Path) -> list[str]:
    """Returns the end of a log, without reading the rest of it; empty where there is none."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line[:LONGEST_LINE] for line in text.splitlines()[-LAST_LINES:]]
