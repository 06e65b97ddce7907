"""A recipe as an Airflow DAG: one task per stage, each a call of the `lstmlm` command.

Imports nothing but Airflow and the standard library: Airflow and TFX cannot share a Python environment. The stages and
their order are what `lstmlm stages --json` prints.
"""

from __future__ import annotations

import datetime
import functools
import json
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG


def lstmlm_dag(
    dag_id: str,
    recipe: str,
    lstmlm: Sequence[str] = ("lstmlm",),
    *,
    stages: Path | None = None,
    schedule: str | None = None,
    cwd: str | None = None,
    retries: int = 0,
) -> DAG:
    """Returns the DAG of a recipe.

    Args:
        dag_id: Name of the DAG.
        recipe: The recipe, as the workers see it.
        lstmlm: The command in the environment of lstmlm, such as `["/opt/lstmlm/bin/lstmlm"]`.
        stages: A file that `lstmlm stages --json` was written to, for a DAG processor on another machine than lstmlm;
            None: the command is called, once per process.
        schedule: When it runs, for example `@daily`; None: when triggered.
        cwd: Folder that the relative paths of the recipe start from.
        retries: Times a failed stage is started again; it resumes from its last checkpoint.
    """
    text = _printed(tuple(lstmlm), cwd) if stages is None else stages.read_text(encoding="utf-8")
    before = {row["name"]: row["before"] for row in json.loads(text) if row["node"] is not None}
    with DAG(
        dag_id=dag_id,
        schedule=schedule,
        start_date=datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC),
        catchup=False,
        # A run's folder belongs to one process at a time; a second stage would only wait for the first.
        max_active_runs=1,
        max_active_tasks=1,
        tags=["lstmlm"],
    ) as dag:
        tasks = {
            stage: BashOperator(
                task_id=stage, bash_command=_command(lstmlm, recipe, stage), cwd=cwd, append_env=True, retries=retries
            )
            for stage in before
        }
        for stage, earlier in before.items():
            for upstream in earlier:
                tasks[upstream] >> tasks[stage]
    return dag


@functools.cache
def _printed(lstmlm: tuple[str, ...], cwd: str | None) -> str:
    command = [*lstmlm, "stages", "--json"]
    return subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, text=True, check=True).stdout


def _command(lstmlm: Sequence[str], recipe: str, stage: str) -> str:
    fixed = shlex.join([*lstmlm, "run", recipe, "--stage", stage])
    # Airflow fills in the run id; it is the same for all tasks of a run and for a cleared task.
    return f"{fixed} --run-id '{{{{ run_id }}}}'"
