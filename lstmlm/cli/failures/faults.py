"""Finds the fault behind an exception that a user can fix, or that passes by itself, and the exit code for it."""

from __future__ import annotations

from lstmlm.errors import MORE_MEMORY, BelowThreshold, ExitCode, TryAgain, UserError, causes, first_line
from lstmlm.processes import supervisor

_AWAY = {
    "ml_metadata": {
        "names": ("AbortedError", "UnavailableError", "DeadlineExceededError"),
        "what": "the metadata database is busy or does not answer",
    },
    "botocore": {
        "names": ("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError"),
        "what": "the object store does not answer",
    },
}
"""Package of an exception -> names of those that another try may not meet, and what they mean."""


def user_fault(error: BaseException) -> UserError | None:
    """Returns the fault that `error` is, or was raised from; None if it is one of this project.

    Where the kernel has ended a worker for want of memory, that is the fault behind a lost worker or an unknown error.
    """
    fault = _fault(error)
    if (fault is None or isinstance(fault, TryAgain)) and (memory := supervisor.out_of_memory()):
        return TryAgain(f"{memory} ({first_line(error) if fault is None else fault.what})", hint=MORE_MEMORY)
    return fault


def _fault(error: BaseException) -> UserError | None:
    for link in causes(error):
        if isinstance(link, UserError):
            return link
        if "No space left on device" in str(link):  # TensorFlow reports it only as text
            what = f"the disk is full ({first_line(link)})"
            return UserError(what, hint="Free some space and run again: finished folders are kept")
        if isinstance(link, MemoryError):
            return TryAgain("out of memory", hint=MORE_MEMORY)
        if isinstance(link, PermissionError):
            return UserError("permission denied", where=str(link.filename or ""), hint="Check who owns it")
        away = _AWAY.get(type(link).__module__.partition(".")[0])
        if away and type(link).__name__ in away["names"]:
            return TryAgain(f"{away['what']} ({first_line(link)})", hint="Run the same command again in a while")
    return None


def exit_code(error: BaseException) -> ExitCode:
    """Returns what the command line answers to an exception."""
    fault = user_fault(error)
    if isinstance(fault, BelowThreshold):
        return ExitCode.BELOW_THRESHOLD
    if isinstance(fault, TryAgain):
        return ExitCode.TRY_AGAIN
    return ExitCode.FAILED if fault is None else ExitCode.USER
