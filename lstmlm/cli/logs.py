"""Redirects the output of libraries to a log file; the terminal shows only messages of this project.

TensorFlow, Ray and Beam write from C++ and from child processes, so the file descriptors themselves are moved.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import os
import shlex
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from lstmlm.cli.failures.faults import user_fault
from lstmlm.errors import first_line
from lstmlm.processes import interrupts

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "TF_CPP_MIN_LOG_LEVEL": "1",
}
"""Environment that silences what would only repeat itself in the log."""


class InternalError(Exception):
    """Something failed that the user cannot fix.

    Attributes:
        log: The file that holds the traceback.
    """

    def __init__(self, error: BaseException, log: Path) -> None:
        self.log = log
        super().__init__(f"{type(error).__name__}: {first_line(error)}")


@dataclasses.dataclass(frozen=True, slots=True)
class Terminal:
    """The streams the user looks at."""

    out: TextIO
    err: TextIO


@contextlib.contextmanager
def captured(log: Path) -> Iterator[Terminal]:
    """Sends everything written to standard output and error into `log`, and yields the real streams.

    Args:
        log: Appended to; its folder is made.

    Raises:
        InternalError: From any exception of the body but `UserError` and interruption; its traceback is in the log.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    log.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        out, err = (
            stack.enter_context(os.fdopen(os.dup(fd), "w", encoding="utf-8", errors="backslashreplace"))
            for fd in (1, 2)
        )
        with log.open("a", encoding="utf-8") as stream:
            stack.callback(_move, _point(stream.fileno()))
        print(
            f"=== {datetime.datetime.now().astimezone().isoformat('T', 'seconds')} {shlex.join(sys.argv)}", flush=True
        )
        try:
            yield Terminal(out, err)
        except Exception as error:
            traceback.print_exc()
            interrupts.check(error)
            if isinstance(error, InternalError) or user_fault(error):
                raise
            raise InternalError(error, log) from error


@contextlib.contextmanager
def captured_aside() -> Iterator[Terminal]:
    """As `captured`, for a command that writes no folder: the log is temporary, and stays after an internal error only.

    Raises:
        InternalError: As `captured`.
    """
    with tempfile.NamedTemporaryFile(prefix="lstmlm-", suffix=".log", delete=False) as stream:
        log = Path(stream.name)
    try:
        with captured(log) as terminal:
            yield terminal
    except InternalError:
        raise
    except BaseException:
        log.unlink()
        raise
    log.unlink()


def _point(target: int) -> tuple[int, int]:
    """Points descriptors 1 and 2 at `target` and returns duplicates of what they were."""
    _flush()
    saved = os.dup(1), os.dup(2)
    os.dup2(target, 1)
    os.dup2(target, 2)
    return saved


def _move(saved: tuple[int, int]) -> None:
    _flush()
    for fd, old in zip((1, 2), saved, strict=True):
        os.dup2(old, fd)
        os.close(old)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
