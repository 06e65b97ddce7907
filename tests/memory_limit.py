"""A control group with little memory, as a container has: made here, for which one must be root."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lstmlm.processes.memory import MemoryGroup, memory_group
from tests.waiting import wait_until


@contextlib.contextmanager
def limited_group(size: int) -> Iterator[MemoryGroup]:
    """Makes a group below that of this process, with a limit of bytes, and removes it; skips where that is not allowed.

    Args:
        size: The limit.
    """
    own = memory_group()
    if own is None:
        pytest.skip("this system has no control groups that count memory")
    group = MemoryGroup(own.folder / f"lstmlm-{os.getpid()}", own.top, own.version)
    names = ["memory.max"] if own.version == 2 else ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]
    try:
        group.folder.mkdir()
        (group.folder / names[0]).write_text(str(size), encoding="ascii")
        with contextlib.suppress(OSError):  # no such file where no swap is counted
            (group.folder / names[-1]).write_text(str(size), encoding="ascii")
    except OSError as error:
        with contextlib.suppress(OSError):
            group.folder.rmdir()
        pytest.skip(f"cannot limit memory here: {error}")
    try:
        yield group
    finally:
        wait_until(lambda: _removed(group.folder), "the processes of the group to end", 30)


def enter(group: MemoryGroup) -> None:
    """Moves this process into a group; for `preexec_fn`."""
    (group.folder / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:  # a process of it has not ended yet
        return False
    return True
