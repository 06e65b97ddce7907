from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lstmlm.errors import TryAgain
from lstmlm.publish.locks import locked
from tests.waiting import wait_until

HOLD = """
import pathlib, sys
from lstmlm.publish.locks import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path: Path, root: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, which holds the lock of `tmp_path` until it reads a line."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process


def release(holder: subprocess.Popen[str]) -> None:
    assert holder.stdin is not None
    holder.stdin.write("\n")
    holder.stdin.flush()


def test_a_second_process_is_refused(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    with pytest.raises(TryAgain, match="another process"), locked(tmp_path):
        pass


def test_a_stage_waits_for_the_one_before_it(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    acquired, seen = threading.Event(), list[str]()

    def wait() -> None:
        with locked(tmp_path, wait=600, waiting=seen.append):
            acquired.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    wait_until(lambda: seen, "the announcement that there is something to wait for")
    assert not acquired.is_set()
    release(holder)
    assert acquired.wait(timeout=60)
    waiting.join()
    (reason,) = seen
    assert reason.startswith(f"another process is at work here (process {holder.pid} on ")


def test_the_wait_has_an_end(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    with pytest.raises(TryAgain, match="another process"), locked(tmp_path, wait=0.6):
        pass


def test_the_lock_is_free_again_after_an_exception(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    with locked(tmp_path):
        pass


def test_a_folder_that_its_holder_removed_is_made_and_locked_anew(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    with locked(folder):
        shutil.rmtree(folder)
    with locked(folder), pytest.raises(TryAgain, match="another process"), locked(folder):
        pass
