"""The Airflow DAG, run to its end by a scheduler in an Airflow environment of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.waiting import wait_until

pytestmark = [pytest.mark.airflow, pytest.mark.slow, pytest.mark.tfx, pytest.mark.ray]

MINUTES = 60


@pytest.fixture(scope="session")
def airflow(root: Path) -> Path:
    """The `airflow` command; `make` makes its environment, once for each content of requirements.txt."""
    folder = Path("build") / "airflow-venv"
    given = os.environ.get("LSTMLM_AIRFLOW_VENV")
    if given:
        return Path(given) / "bin" / "airflow"
    subprocess.run(["make", f"{folder}/.installed"], cwd=root, check=True)
    return root / folder / "bin" / "airflow"


EXECUTE = """
import sys
from airflow.exceptions import AirflowException, AirflowFailException
from lstmlm_dag import StageOperator
for code in sys.argv[1:]:
    try:
        StageOperator(task_id="train", bash_command=f"exit {code}").execute({})
    except AirflowFailException as error:
        print(code, "final:", error)
    except AirflowException as error:
        print(code, "again")
    else:
        print(code, "done")
"""


@pytest.mark.timeout(10 * MINUTES)
def test_only_what_another_try_may_change_is_retried(airflow: Path, tmp_path: Path, root: Path) -> None:
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(root / "deploy" / "airflow")}
    command = [airflow.with_name("python"), "-c", EXECUTE, "0", "1", "2", "3", "75", "130"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    lines = re.findall(r"^\d+ (?:done|again|final: [^(]*)", done.stdout, re.MULTILINE)
    assert lines == [
        "0 done",
        "1 again",
        "2 final: the recipe, the input or the arguments must change ",
        "3 final: the model is outside evaluation.thresholds ",
        "75 again",
        "130 again",
    ], done.stdout + done.stderr


@pytest.fixture
def scheduler(airflow: Path, tiny_recipe: Path, tmp_path: Path, root: Path) -> Iterator[Any]:
    """An Airflow with a scheduler of its own, which runs a small recipe."""
    module = runpy.run_path(str(root / "deploy" / "airflow" / "local_airflow.py"))
    variables = {
        "LSTMLM_COMMAND": f"{sys.executable} -m lstmlm",
        "LSTMLM_CWD": str(root),
        "LSTMLM_RECIPE": str(tiny_recipe),
        "PYTHONPATH": str(root),
    }
    running = module["LocalAirflow"](airflow, tmp_path / "airflow", variables)
    try:
        running.start()
        yield running
    finally:
        running.stop()


def said(running: Any) -> str:
    """The ends of all logs."""
    logs = sorted(running.folder.rglob("*.log"))
    return "\n".join(f"{path}:\n{path.read_text(errors='replace')[-3000:]}" for path in logs)


def check_finished(scheduler: Any, folder: Path) -> None:
    """Waits for the end of the run, and looks at what came out."""
    wait_until(lambda: scheduler.state("daily") in ("success", "failed"), "the run", 25 * MINUTES)
    states = scheduler.tasks("daily")
    assert set(states.values()) == {"success"}, f"{states}\n{said(scheduler)}"
    assert len(states) == 12
    (model,) = (folder / "artifacts" / "Trainer" / "model").iterdir()
    steps = [json.loads(line)["step"] for line in (model / "metrics.jsonl").read_text().splitlines()]
    assert steps == sorted(steps)
    predictions = list((folder / "artifacts" / "Inference").rglob("predictions-*.jsonl"))
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in predictions) == 8


@pytest.mark.timeout(30 * MINUTES)
def test_the_dag_runs_from_the_corpus_to_the_predictions(scheduler: Any, tmp_path: Path) -> None:
    scheduler.trigger("daily")
    check_finished(scheduler, tmp_path / "runs" / "tiny")


@pytest.mark.skipif("LSTMLM_AIRFLOW_KILLS" not in os.environ, reason="takes long: set LSTMLM_AIRFLOW_KILLS=1")
@pytest.mark.timeout(60 * MINUTES)
def test_a_killed_scheduler_and_a_killed_task_cost_no_second_training(scheduler: Any, tmp_path: Path) -> None:
    scheduler.trigger("daily")
    checkpoints = tmp_path / "runs" / "tiny" / "checkpoints"
    wait_until(lambda: list(checkpoints.rglob("metrics.jsonl")), "training", 20 * MINUTES)
    tasks = [found for found in psutil.process_iter() if "--stage train --run-id daily" in " ".join(_words(found))]
    scheduler.kill("scheduler")  # its process group: the scheduler and what supervises the task
    for task in tasks:
        task.kill()
    scheduler.launch("scheduler")
    check_finished(scheduler, tmp_path / "runs" / "tiny")


def _words(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return process.cmdline()
    return []
