"""A parent process that waits for the one that works: it can say what happened when the kernel ended that by SIGKILL.

Only where memory is limited (a container, a Pod): the kernel then ends the largest process of the group, and the parent
is small. A runtime that ends the whole group at once (`memory.oom.group`) ends the parent too, and reports that itself.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import mmap
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

from lstmlm.processes.interrupts import STOPPING
from lstmlm.processes.memory import MemoryGroup, memory_group, readable

_NOTE_BYTES = 1 << 16
_FROM_TERMINAL = 0x80
"""`SI_KERNEL`: the whole foreground group got the signal, so the child did too."""
_SET_DEATH_SIGNAL = 1
"""`PR_SET_PDEATHSIG`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Killed:
    """A child that a signal ended.

    Attributes:
        number: The signal.
        out_of_memory: What the kernel did for want of memory; empty: nothing.
        notes: What the child noted, see `note`.
    """

    number: int
    out_of_memory: str
    notes: Mapping[str, Any]


class _Link:
    """What a child and its parent share: a byte that counts forwarded signals, notes, and the kills at the start."""

    def __init__(self, group: MemoryGroup) -> None:
        self._group, self._kills = group, group.kills()
        self._shared = mmap.mmap(-1, _NOTE_BYTES)
        self._notes: dict[str, Any] = {}

    @property
    def forwarded(self) -> int:
        return self._shared[0]

    def forward(self, child: int, number: int) -> None:
        self._shared[0] = min(self.forwarded + 1, 255)  # before the child gets it
        os.kill(child, number)

    def note(self, facts: Mapping[str, Any]) -> None:
        self._notes |= facts
        text = json.dumps(self._notes).encode("ascii")
        if len(text) < _NOTE_BYTES - 1:
            self._shared[1 : len(text) + 2] = text + b"\0"

    def noted(self) -> dict[str, Any]:
        text = self._shared[1:].partition(b"\0")[0]
        with contextlib.suppress(ValueError):  # ended in the middle of a note
            return dict(json.loads(text or b"{}"))
        return {}

    def out_of_memory(self) -> str:
        count, limit = self._group.kills() - self._kills, self._group.limit()
        if count <= 0:
            return ""
        processes = "a process" if count == 1 else f"{count} processes"
        return f"out of memory: the kernel ended {processes} at the limit of {readable(limit or 0)}"


_link: _Link | None = None


def forwarded() -> int:
    """Returns how many signals the parent has passed on to this process."""
    return 0 if _link is None else _link.forwarded


def note(**facts: str) -> None:
    """Notes facts for the parent, by name; without one this does nothing."""
    if _link is not None:
        _link.note(facts)


def out_of_memory() -> str:
    """Returns what the kernel did for want of memory since the start, to this process's workers too; empty: nothing."""
    return _link.out_of_memory() if _link is not None else ""


def continue_in_child(killed: Callable[[Killed], None]) -> int | None:
    """Forks where the memory of this process is limited; called before any thread is started.

    Args:
        killed: Called in the parent when a signal has ended the child.

    Returns:
        In the parent: the exit code of the child, or 128 and the signal that ended it. In the child, and where nothing
        limits the memory: None, and the program continues.
    """
    group = memory_group()
    if group is None or group.limit() is None:
        return None
    link = _Link(group)
    taken = {number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*taken, signal.SIGCHLD})
    parent, child = os.getpid(), os.fork()
    if child == 0:
        _end_with(parent)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        global _link
        _link = link
        return None
    code = _wait(child, link, taken)
    if code >= 0:
        return code
    killed(Killed(-code, link.out_of_memory() if -code == signal.SIGKILL else "", link.noted()))
    return 128 - code


def _end_with(parent: int) -> None:
    """Has the kernel end this process when its parent ends: nothing trains on after `kill -9` of what was started."""
    import ctypes  # takes a moment: only where there is a limit

    ctypes.CDLL(None, use_errno=True).prctl(_SET_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(128 + signal.SIGKILL)


def _wait(child: int, link: _Link, taken: set[signal.Signals]) -> int:
    """Waits for the child, passes signals on to it, and collects orphans, as the first process of a container must."""
    while True:
        got = signal.sigwaitinfo({*taken, signal.SIGCHLD})
        if got.si_signo != signal.SIGCHLD:
            if got.si_code != _FROM_TERMINAL:
                link.forward(child, got.si_signo)
            continue
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == child:
                return os.waitstatus_to_exitcode(ended[1])
