from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lstmlm.errors import UserError
from lstmlm.publish.locks import locked

HOLD = """
import pathlib, sys
from lstmlm.publish.locks import locked
with locked(pathlib.Path(sys.argv[1]), wait=False):
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
    with pytest.raises(UserError, match="another process"), locked(tmp_path, wait=False):
        pass


def test_a_stage_waits_for_the_one_before_it(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    acquired = threading.Event()

    def wait() -> None:
        with locked(tmp_path, wait=True):
            acquired.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not acquired.is_set()
    release(holder)
    assert acquired.wait(timeout=60)
    waiting.join()


def test_the_lock_is_free_again_after_an_exception(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path, wait=False):
        raise ZeroDivisionError
    with locked(tmp_path, wait=False):
        pass


def test_a_folder_that_its_holder_removed_is_made_and_locked_anew(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    with locked(folder):
        shutil.rmtree(folder)
    with locked(folder), pytest.raises(UserError, match="another process"), locked(folder):
        pass
