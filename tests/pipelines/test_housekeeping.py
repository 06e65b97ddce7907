from __future__ import annotations

import multiprocessing
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from lstmlm.errors import UserError
from pipelines.housekeeping import locked, sweep

SPAWN = multiprocessing.get_context("spawn")
HELD = 1.0


def hold(folder: Path, ready: Event) -> None:
    with locked(folder, wait=False):
        ready.set()
        time.sleep(HELD)


@pytest.fixture
def holder(tmp_path: Path) -> Path:
    ready = SPAWN.Event()
    process = SPAWN.Process(target=hold, args=(tmp_path, ready))
    process.start()
    assert ready.wait(timeout=60)
    yield tmp_path
    process.join()


def test_a_second_process_is_refused(holder: Path) -> None:
    with pytest.raises(UserError, match="another process"), locked(holder, wait=False):
        pass


def test_a_stage_waits_for_the_one_before_it(holder: Path) -> None:
    with locked(holder, wait=True):
        pass


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
