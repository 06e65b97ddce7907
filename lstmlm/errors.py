"""Errors that are the user's to mend, and the exit codes of the command line."""

import enum


class ExitCode(enum.IntEnum):
    """What `lstmlm` returns to the shell."""

    OK = 0
    FAILED = 1  # our fault: the traceback is in the log
    USER = 2  # the recipe, the input or the arguments must change
    BELOW_THRESHOLD = 3  # everything ran, but the model was not good enough to be pushed
    INTERRUPTED = 130


class UserError(Exception):
    """A mistake the user can mend, told in one line: what, where, and what to do.

    Attributes:
        where: The file, `file:line` or field at fault; may be empty.
        cure: What to do about it; may be empty.
    """

    def __init__(self, what: str, *, where: str = "", cure: str = "") -> None:
        self.what, self.where, self.cure = what, where, cure
        super().__init__(str(self))

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        return f"{line}. {self.cure}" if self.cure else line

    def __reduce__(self) -> tuple[object, ...]:
        # Beam and Ray carry exceptions between processes: keep all three parts.
        return (_rebuild, (type(self), self.what, self.where, self.cure))


def _rebuild(kind: type[UserError], what: str, where: str, cure: str) -> UserError:
    return kind(what, where=where, cure=cure)


class BelowThreshold(UserError):
    """The model was trained and judged, and is not good enough to be pushed."""
