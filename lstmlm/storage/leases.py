"""Leases: one process at a time works at a place of a store, which has no locks that the system would free.

A lease is an object `PLACE/000001`, which its holder writes anew every few seconds. One that was not written for
`EXPIRES` seconds belongs to a dead process: the next to come takes it over by creating `PLACE/000002`, which only one
can. Ages are differences of times of the store, so the clocks of the machines do not matter. A holder that was taken
over, such as a process that was stopped for a while, finds that out before it publishes (`Lease.check`).
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from lstmlm.errors import TryAgain, UserError
from lstmlm.storage.paths import StorePath

EXPIRES, BEATS = 60.0, 15.0
"""Seconds after which a lease that was not written is free, and between two writes of its holder."""

_LOOKS = 2.0
_LOG = logging.getLogger(__name__)


class Lease:
    """A lease that this process holds.

    Attributes:
        path: Its object.
    """

    def __init__(self, path: StorePath, holder: dict[str, Any], where: str) -> None:
        """Starts to write it anew from time to time; `where` names the place in messages."""
        self.path = path
        self._holder, self._where = holder, where
        self._ended = threading.Event()
        self._lost = False
        self._written = time.monotonic()
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Checks that it is still held.

        Raises:
            TryAgain: Another process took it over, or the store did not answer for too long.
        """
        if self.is_held():
            return
        hint = "Run again: finished work is kept"
        raise TryAgain("another process took over the work here", where=self._where, hint=hint)

    def is_held(self) -> bool:
        """Says whether it is still this process's."""
        return not self._lost and self._is_ours()

    def _is_ours(self) -> bool:
        later = [path for path in self.path.parent.iterdir() if path.name > self.path.name and _is_lease(path)]
        return not later and _content(self.path).get("nonce") == self._holder["nonce"]

    def _beat(self) -> None:
        while not self._ended.wait(BEATS):
            try:
                if not self._is_ours():
                    self._lost = True
                    _LOG.warning("%s: another process took over the work here", self._where)
                    return
                self.path.write_bytes(_encoded(self._holder | {"beat": secrets.token_hex(4)}))
                self._written = time.monotonic()
            except (UserError, OSError) as error:
                _LOG.info("%s: the lease was not written: %s", self._where, error)
                if time.monotonic() - self._written > EXPIRES:
                    self._lost = True
                    return

    def release(self) -> None:
        """Ends it, and removes its objects if it is still this process's."""
        self._ended.set()
        self._thread.join()
        with contextlib.suppress(UserError, OSError):
            if not self._lost and self._is_ours():
                for path in list(self.path.parent.iterdir()):
                    if path.name <= self.path.name:
                        path.unlink(missing_ok=True)


@contextlib.contextmanager
def leased(
    folder: StorePath, where: str, *, wait: float = 0.0, waiting: Callable[[str], None] | None = None
) -> Iterator[Lease]:
    """Holds a lease; one of a dead process is taken over once it has expired.

    Args:
        folder: Where its objects are.
        where: What the lease is for: named by the error.
        wait: Seconds to wait for another process to finish.
        waiting: Called once where there is something to wait for, with what holds the lease.

    Raises:
        TryAgain: Another process holds it, for all of `wait`.
        UserError: Nothing can be written there.
    """
    deadline = time.monotonic() + wait
    while (lease := _acquired(folder, where)) is None:
        what = f"another process is at work here{_holder(folder)}"
        if time.monotonic() >= deadline:
            hint = f"Wait for it to end; if it is dead, its lease expires after {EXPIRES:.0f} seconds"
            raise TryAgain(what, where=where, hint=hint)
        if waiting is not None:
            waiting(what)
            waiting = None
        time.sleep(min(_LOOKS, max(0.0, deadline - time.monotonic())))
    try:
        yield lease
    finally:
        lease.release()


def _acquired(folder: StorePath, where: str) -> Lease | None:
    """Returns the lease if it is free; None where another process holds it, or was quicker."""
    held = [path for path in folder.iterdir() if _is_lease(path)]
    if held and _age(held[-1]) < EXPIRES:
        return None
    path = folder / f"{int(held[-1].name) + 1 if held else 1:06d}"
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "nonce": secrets.token_hex(8)}
    if not path.create(_encoded(holder)):
        return None
    if held:
        _LOG.warning("%s: the lease of a process that is gone was taken over", where)
        for old in held:
            old.unlink(missing_ok=True)
    return Lease(path, holder, where)


def _age(path: StorePath) -> float:
    """Returns the seconds since a lease was written; 0 where it is gone meanwhile."""
    try:
        return now(path.parent) - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def now(folder: StorePath) -> float:
    """Returns the time by the clock of the store, in seconds since 1970: that of an object written into a folder."""
    probe = folder / f".probe-{secrets.token_hex(8)}"
    probe.write_bytes(b"")
    try:
        return probe.stat().st_mtime
    finally:
        probe.unlink(missing_ok=True)


def _is_lease(path: StorePath) -> bool:
    return path.name.isdigit()


def _encoded(holder: dict[str, Any]) -> bytes:
    return json.dumps(holder).encode()


def _content(path: StorePath) -> dict[str, Any]:
    with contextlib.suppress(FileNotFoundError, ValueError):
        found = json.loads(path.read_bytes())
        return found if isinstance(found, dict) else {}
    return {}


def _holder(folder: StorePath) -> str:
    """Returns who holds a lease; empty where that is not known."""
    held = [path for path in folder.iterdir() if _is_lease(path)]
    found = _content(held[-1]) if held else {}
    return f" (process {found['pid']} on {found['host']})" if {"pid", "host"} <= found.keys() else ""
