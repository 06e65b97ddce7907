"""Inter-process locks: one process at a time works in a folder or writes an output."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lstmlm.errors import TryAgain, UserError, is_no_space
from lstmlm.storage import StorePath
from lstmlm.storage.leases import Lease, leased

LOCK = ".lock"

_MOMENT, _PAUSE = 0.5, 0.05
"""Seconds. A lock may be held for a moment by a process that only removes what a dead one left."""

_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}
_LOG = logging.getLogger(__name__)


@contextlib.contextmanager
def locked(folder: Path, *, wait: float = 0.0, waiting: Callable[[str], None] | None = None) -> Iterator[Lease | None]:
    """Holds the lock of a folder; the system frees it should the process die. In a store it is a lease, which expires.

    Args:
        folder: The folder; made if absent. Its holder may remove it.
        wait: Seconds to wait for another process to finish: schedulers start stages side by side.
        waiting: Called once where there is something to wait for, with what holds the lock.

    Raises:
        TryAgain: Another process holds it, for all of `wait`.
        UserError: Nothing can be written there.
    """
    path, seconds = folder / LOCK, max(wait, _MOMENT)
    if isinstance(path, StorePath):
        with leased(path, str(folder), wait=seconds, waiting=waiting) as lease:
            yield lease
        return
    with _held(path, folder, seconds=seconds, waiting=waiting):
        yield None


@contextlib.contextmanager
def locked_file(path: Path, where: Path, *, patient: bool = True) -> Iterator[Lease | None]:
    """Holds a lock file, which is gone afterwards; the system frees the lock should the process die. See `locked`.

    Args:
        path: The lock file; its folder is made if absent.
        where: What the lock is for: named by the error.
        patient: Try for half a second before giving up.

    Raises:
        TryAgain: Another process holds it.
        UserError: Nothing can be written there.
    """
    if isinstance(path, StorePath):
        with leased(path, str(where), wait=_MOMENT if patient else 0.0) as lease:
            yield lease
        return
    with _held(path, where, seconds=_MOMENT if patient else 0.0):
        try:
            yield None
        finally:
            with contextlib.suppress(OSError):
                path.unlink()  # while it is held: a process that waits for it finds it removed and creates another


@contextlib.contextmanager
def _held(path: Path, where: Path, *, seconds: float, waiting: Callable[[str], None] | None = None) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while True:
        with _opened(path, where) as descriptor:
            _acquire(descriptor, where, deadline, waiting)
            if not _is_there(descriptor, path):
                continue  # the process that held it removed the file at the end
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} {socket.gethostname()}\n".encode(), 0)
            yield
            return


@contextlib.contextmanager
def _opened(path: Path, where: Path) -> Iterator[int]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise unwritable(error, where) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, where: Path, deadline: float, waiting: Callable[[str], None] | None) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            what = f"another process is at work here{_holder(descriptor)}"
            if time.monotonic() >= deadline:
                hint = "Wait for it to end, or give this run another name or folder"
                raise TryAgain(what, where=str(where), hint=hint) from error
            if waiting is not None:
                waiting(what)
                waiting = None
            time.sleep(_PAUSE)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            _LOG.warning("%s: this file system has no locks; do not start two processes here at once", where)
            return


def _holder(descriptor: int) -> str:
    """Returns who holds a lock, as the holder wrote it; empty where that is not known."""
    pid, _, host = os.pread(descriptor, 300, 0).decode("utf-8", "replace").strip().partition(" ")
    return f" (process {pid} on {host})" if pid.isdigit() and host else ""


def _is_there(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def unwritable(error: OSError, folder: Path) -> UserError:
    """Returns the one line for a folder in which nothing can be written.

    Args:
        error: What the system said.
        folder: The folder that was to be written.
    """
    if is_no_space(error):
        hint = "Free some and run again, or name a folder on another disk"
        return UserError("no space left on the disk", where=str(folder), hint=hint)
    reasons = {
        errno.EROFS: "this file system is read-only",
        errno.EACCES: "permission denied",
        errno.EPERM: "permission denied",
        errno.ENOTDIR: "a file is in the way of a folder",
        errno.EEXIST: "a file is in the way of a folder",
        errno.EISDIR: "a folder is in the way of a file",
        errno.ENAMETOOLONG: "the name is too long",
        errno.ELOOP: "the symbolic links go in a circle",
    }
    reason = reasons.get(error.errno or 0, error.strerror or str(error))
    at = f" ({error.filename})" if error.filename and str(error.filename) != str(folder) else ""
    return UserError(f"cannot write here: {reason}{at}", where=str(folder), hint="Name a folder that can be written")
