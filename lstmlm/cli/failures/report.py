"""`failure.json`: what a scheduler, and anyone who looks later, need to know of a command that failed."""

from __future__ import annotations

import contextlib
import datetime
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from lstmlm.cli.failures.faults import exit_code, user_fault
from lstmlm.errors import ExitCode, UserError, first_line
from lstmlm.processes import interrupts, supervisor
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
    supervisor.note(report=str(path.absolute()), log=str(log.absolute()), stage=stage())
    try:
        yield
    except Exception as error:
        if not interrupts.received():
            code, fault = exit_code(error), user_fault(error)
            cause = f"{type(error).__name__}: {first_line(error)}" if fault is None else fault.what
            hint = (fault.hint if fault is not None else "") or _AGAIN.get(code, "")
            where = "" if fault is None else fault.where
            write_report(path, log, stage=stage(), cause=cause, where=where, exit_code=code, what_to_do=hint)
        raise


def write_report(path: Path, log: Path, *, stage: str, cause: str, where: str, exit_code: int, what_to_do: str) -> None:
    """Writes a report, if the disk takes it: where it is full, for example, the message on the terminal remains.

    Args:
        path: The file to write.
        log: The log of the command; its last lines go into the report.
        stage: The stage in work.
        cause: What happened.
        where: The file or field at fault; may be empty.
        exit_code: What the command answers.
        what_to_do: A hint; may be empty.
    """
    report = {
        "stage": stage,
        "cause": cause,
        "where": where,
        "exit_code": int(exit_code),
        "what_to_do": what_to_do,
        "log": str(log),
        "last_lines": last_lines(log),
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    with contextlib.suppress(OSError, UserError), replacing(path, durable=True) as stream:
        stream.write(f"{json.dumps(report, indent=1, ensure_ascii=False)}\n".encode("utf-8", "backslashreplace"))


def last_lines(log: Path) -> list[str]:
    """Returns the end of a log, without reading the rest of it; empty where there is none."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line[:LONGEST_LINE] for line in text.splitlines()[-LAST_LINES:]]
