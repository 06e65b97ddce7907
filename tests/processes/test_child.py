"""Children that parse foreign files: lent, kept, and replaced."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil

from lstmlm.processes.child import Child, Children
from tests.waiting import wait_until

CHECKER = "lstmlm.tokenizer.foreign.check_child"


def ask(child: Child, path: Path) -> bytes:
    """Has a child look at a file that is no tokenizer; returns what it says."""
    child.busy = True
    child.send(f'"{path}"'.encode())
    answer = child.receive()
    child.busy = False
    return answer


def test_a_child_that_was_killed_while_it_waited_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "no.model").write_bytes(b"no model")
    children = Children(CHECKER)
    with children.child() as child:
        first, answer = child.pid, ask(child, tmp_path / "no.model")
    with children.child() as child:
        assert child.pid == first  # kept
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: psutil.Process(first).status() == psutil.STATUS_ZOMBIE, "the end of the child")
    with children.child() as child:
        assert child.pid != first
        assert ask(child, tmp_path / "no.model") == answer
        child.busy = True  # so that it is not kept
