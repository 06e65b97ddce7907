from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lstmlm.errors import UserError
from pipelines.housekeeping import locked, sweep

HOLD = """
import pathlib, sys
from pipelines.housekeeping import locked
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


def test_leftovers_go_and_results_stay(tmp_path: Path) -> None:
    for name in ("1", "2", ".2.partial-99"):
        (tmp_path / "Trainer" / "model" / name).mkdir(parents=True)
    (tmp_path / "Trainer" / ".system" / "executor_execution" / "2").mkdir(parents=True)
    (tmp_path / "Ingest" / "records" / "3").mkdir(parents=True)
    sweep(tmp_path, successful={1, 3})
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*/*")}
    assert found == {"Trainer/model/1", "Ingest/records/3"}


def test_there_is_nothing_to_sweep_before_the_first_run(tmp_path: Path) -> None:
    sweep(tmp_path / "absent", successful=set())
    assert not (tmp_path / "absent").exists()
