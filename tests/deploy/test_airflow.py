"""The Airflow DAG, run to its end in an Airflow environment of its own."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.airflow, pytest.mark.slow, pytest.mark.tfx, pytest.mark.ray]

MINUTES = 60


@pytest.fixture(scope="session")
def airflow(root: Path) -> Path:
    """The `airflow` command; its environment is made once for each content of requirements.txt."""
    requirements = root / "deploy" / "airflow" / "requirements.txt"
    folder = Path(os.environ.get("LSTMLM_AIRFLOW_VENV") or root / "build" / "airflow-venv")
    stamp, wanted = folder / "lstmlm-requirements.sha256", hashlib.sha256(requirements.read_bytes()).hexdigest()
    if not (stamp.is_file() and stamp.read_text() == wanted):
        local = root / ".uv" / "bin" / "uv"
        uv = str(local) if local.is_file() else shutil.which("uv")
        if uv is None:
            pytest.skip("no uv to make the Airflow environment with; `make` brings one")
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", folder / "bin" / "python"]
        subprocess.run([*install, "-r", requirements], check=True)
        stamp.write_text(wanted)
    return folder / "bin" / "airflow"


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


def commands_said(log: str) -> str:
    """What says in Airflow's log why it failed: the last lines, and all that the stages' own commands printed."""
    said = [line.split(" [info")[-1] for line in log.splitlines() if "SubprocessHook" in line]
    return "\n".join([log[-3000:], *(line[:500] for line in said)])


@pytest.mark.timeout(30 * MINUTES)
def test_the_dag_runs_from_the_corpus_to_the_predictions(
    airflow: Path, tiny_recipe: Path, tmp_path: Path, root: Path
) -> None:
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(root / "deploy" / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "LSTMLM_COMMAND": f"{sys.executable} -m lstmlm",
        "LSTMLM_CWD": str(root),
        "LSTMLM_RECIPE": str(tiny_recipe),
        "PYTHONPATH": str(root),
    }

    def call(*arguments: str) -> str:
        done = subprocess.run(
            [airflow, *arguments], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, commands_said(done.stdout) + done.stderr[-5000:]
        return done.stdout + done.stderr

    call("db", "migrate")
    log = call("dags", "test", "lstmlm")
    (run_id,) = set(re.findall(r"--run-id '([^']+)'", log))
    states = json.loads(call("tasks", "states-for-dag-run", "lstmlm", run_id, "--output", "json").splitlines()[-1])
    assert len(states) == 12
    assert {state["state"] for state in states} == {"success"}
    predictions = list((tmp_path / "runs" / "tiny" / "artifacts" / "Inference").rglob("predictions-*.jsonl"))
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in predictions) == 8
