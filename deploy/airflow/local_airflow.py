"""A small Airflow on this machine: scheduler, DAG processor and API server, each on 127.0.0.1 and stopped by its pid.

`python deploy/airflow/local_airflow.py RECIPE` runs a recipe by it: starts the three, triggers the DAG, prints the
states of its tasks as they change, and stops them. Exit code 0: every task succeeded. Run it with the Python that has
lstmlm; Airflow has an environment of its own (`--airflow`), which `make airflow-demo` makes.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
DAG = "lstmlm"
START_SECONDS, STOP_SECONDS, LOOK_SECONDS = 300.0, 60.0, 5.0
PARTS = {"api": ["api-server"], "processor": ["dag-processor"], "scheduler": ["scheduler", "--skip-serve-logs"]}
"""Name of a part -> the words of its command."""
ENDED = ("success", "failed")


class LocalAirflow:
    """The parts of an Airflow, with their database and logs in one folder.

    Args:
        airflow: The `airflow` command of an environment.
        folder: Keeps the database, a log for each part and the logs of the tasks.
        variables: Environment of the DAG and its tasks, such as `LSTMLM_RECIPE`.
    """

    def __init__(self, airflow: Path, folder: Path, variables: Mapping[str, str]) -> None:
        self._airflow, self.folder = airflow, folder
        port = _free_port()
        self._environment = {
            **os.environ,
            **variables,
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(HERE),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(16),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            # A task whose process was killed is found by its silence: in a minute, not in five.
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "15",
        }
        self._port = port
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Makes the database and starts every part.

        Raises:
            RuntimeError: A part ended, or the DAG is not there in time.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.call("db", "migrate")
        for part in PARTS:
            self.launch(part)
        self._wait_for_dag()

    def launch(self, part: str) -> None:
        """Starts a part; also one that has ended."""
        with (self.folder / f"{part}.log").open("ab") as log:
            self._processes[part] = subprocess.Popen(
                [self._airflow, *PARTS[part]],
                env=self._environment,
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def pid(self, part: str) -> int:
        """Returns the process id of a part."""
        return self._processes[part].pid

    def kill(self, part: str) -> None:
        """Ends a part and its children at once, as if the machine had gone."""
        process = self._processes[part]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Ends all parts."""
        for process in self._processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self._processes.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def trigger(self, run_id: str) -> None:
        """Starts a run of the DAG."""
        self.call("dags", "trigger", DAG, "--run-id", run_id)

    def state(self, run_id: str) -> str:
        """Returns the state of a run, such as `running`; empty where there is none."""
        found = self._rows("dags", "list-runs", DAG)
        return next((str(row["state"]) for row in found if row["run_id"] == run_id), "")

    def tasks(self, run_id: str) -> dict[str, str]:
        """Returns the state of each task of a run; empty: it was not looked at yet."""
        return {
            str(row["task_id"]): str(row["state"] or "")
            for row in self._rows("tasks", "states-for-dag-run", DAG, run_id)
        }

    def call(self, *words: str) -> str:
        """Returns what a command of Airflow prints.

        Raises:
            RuntimeError: It failed.
        """
        done = subprocess.run(
            [self._airflow, *words], env=self._environment, cwd=self.folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"airflow {' '.join(words)}: exit code {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    def _rows(self, *words: str) -> list[dict[str, Any]]:
        lines = self.call(*words, "--output", "json").splitlines()
        found: list[dict[str, Any]] = json.loads(next((line for line in lines if line.startswith("[")), "[]"))
        return found

    def _wait_for_dag(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not (_listens(self._port) and any(row["dag_id"] == DAG for row in self._rows("dags", "list"))):
            ended = [part for part, process in self._processes.items() if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                logs = ", ".join(str(self.folder / f"{part}.log") for part in ended or PARTS)
                raise RuntimeError(f"Airflow did not start; see {logs}")
            time.sleep(1)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run(airflow: LocalAirflow, run_id: str) -> bool:
    """Triggers the DAG, prints how its tasks get on, and says whether all succeeded."""
    airflow.trigger(run_id)
    shown: dict[str, str] = {}
    while (state := airflow.state(run_id)) not in ENDED:
        shown = _show(airflow.tasks(run_id), shown)
        time.sleep(LOOK_SECONDS)
    _show(airflow.tasks(run_id), shown)
    print(f"{run_id}: {state}", flush=True)
    return state == "success"


def _show(tasks: dict[str, str], shown: dict[str, str]) -> dict[str, str]:
    for task, state in tasks.items():
        if state and state != shown.get(task, ""):
            print(f"{task}: {state}", flush=True)
    return tasks


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description="Runs a recipe by an Airflow of its own on this machine.")
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--airflow", type=Path, required=True, help="the airflow command of its environment")
    parser.add_argument(
        "--folder", type=Path, default=Path("build/airflow-demo"), help="database and logs (%(default)s)"
    )
    parser.add_argument("--run-id", default=f"demo-{int(time.time())}", help="name of the run")
    words = parser.parse_args(arguments)
    variables = {
        "LSTMLM_COMMAND": f"{sys.executable} -m lstmlm",
        "LSTMLM_CWD": str(Path.cwd()),
        "LSTMLM_RECIPE": str(words.recipe.resolve()),
    }
    airflow = LocalAirflow(words.airflow.absolute(), words.folder.absolute(), variables)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        airflow.start()
        print("scheduler, DAG processor and API server run on 127.0.0.1", flush=True)
        return 0 if run(airflow, words.run_id) else 1
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        airflow.stop()


if __name__ == "__main__":
    sys.exit(main())
