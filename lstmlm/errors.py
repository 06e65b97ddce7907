"""Errors that the user can fix, and the exit codes of the command line."""

from __future__ import annotations

import enum
import errno
from collections.abc import Iterator


class ExitCode(enum.IntEnum):
    """What `lstmlm` returns to the shell."""

    OK = 0
    FAILED = 1  # our fault: the traceback is in the log
    USER = 2  # the recipe, the input or the arguments must change
    BELOW_THRESHOLD = 3  # everything ran, but the model was not good enough to be pushed
    TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: the same command may work in a while
    INTERRUPTED = 130


MORE_MEMORY = "Raise the limit; fewer workers, or a smaller `training.batch`, need less"
"""The hint after a failure for want of memory."""
MOST_LETTERS = 300
"""Letters of another library's message that are shown; Ray puts whole reports on a line. The log has all of it."""


class UserError(Exception):
    """A mistake the user can fix, reported in one line: what, where, and what to do.

    Attributes:
        where: The file, `file:line` or field at fault; may be empty.
        hint: What to do about it; may be empty.

    >>> print(UserError("no such file", where="pairs.csv", hint="Check the path"))
    pairs.csv: no such file. Check the path
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what, self.where, self.hint = what, where, hint
        super().__init__(str(self))

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        return f"{line}. {self.hint}" if self.hint else line

    def __reduce__(self) -> tuple[object, ...]:
        # Beam and Ray carry exceptions between processes: keep all three parts.
        return (_rebuild, (type(self), self.what, self.where, self.hint))


def _rebuild(kind: type[UserError], what: str, where: str, hint: str) -> UserError:
    return kind(what, where=where, hint=hint)


class BelowThreshold(UserError):
    """The model was trained and evaluated, and is not good enough to be pushed."""


class TryAgain(UserError):
    """What is needed is not available for now: Ray did not start, a cluster is lost, another process holds a lock."""


def first_line(error: BaseException) -> str:
    """Returns the first line of a message, cut where it is very long."""
    lines = str(error).strip().splitlines()
    first = lines[0] if lines else "no message"
    return first if len(first) <= MOST_LETTERS else f"{first[:MOST_LETTERS]}..."


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yields an exception and those it was raised from, each once: an exception can be raised from itself."""
    link: BaseException | None = error
    seen = set[int]()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yields an exception and what is behind it, each once: the last to be raised comes first.

    Ray keeps what it wraps in fields of its own: a worker's exception in `cause`, and those of a group of workers in
    `worker_failures`.
    """
    waiting, seen = [error], set[int]()
    while waiting:
        link = waiting.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        failures: dict[int, BaseException] = getattr(link, "worker_failures", None) or {}
        behind = (link.__cause__ or link.__context__, getattr(link, "cause", None), *failures.values())
        waiting += [inner for inner in behind if isinstance(inner, BaseException)]


def is_no_space(error: BaseException) -> bool:
    """Says whether a full disk is behind an exception."""
    full = errno.ENOSPC, errno.EDQUOT
    return any(isinstance(link, OSError) and link.errno in full for link in chain(error))
